"""Who used most, as a game: members see everybody else under a pseudonym."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from sluicegate.domain.apikey import TokenScope
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.store import Store
from sluicegate.ports.usage import UsageReader, UsageScope, UsageTotals
from sluicegate.services.caller import Caller
from sluicegate.services.pseudonyms import pseudonym

MOST = 100
_ENABLED, _SECRET = "leaderboard.enabled", "leaderboard.secret"
# As good as the beginning of time, and of a month.
_EVER = date(2020, 1, 1)
# To rank everybody is work, and nobody minds who led a minute ago.
_FRESH_SECONDS = 60.0
Ranked = list[tuple[str, str, UsageTotals]]


class LeaderboardSpan(StrEnum):
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    EVER = "ever"


class LeaderboardOrder(StrEnum):
    TOKENS = "tokens"
    SPEND = "spend"
    REQUESTS = "requests"


_DAYS = {LeaderboardSpan.WEEK: 7, LeaderboardSpan.MONTH: 30, LeaderboardSpan.QUARTER: 90}
_FIGURES = {
    LeaderboardOrder.TOKENS: "tokens",
    LeaderboardOrder.SPEND: "cost_nanos",
    LeaderboardOrder.REQUESTS: "requests",
}


@dataclass(frozen=True, slots=True)
class Place:
    """`user_id` is None where the viewer must not know who it is."""

    rank: int
    name: str
    user_id: str | None
    own: bool
    totals: UsageTotals


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """`own` is the viewer's place also where it is not among the first; None without any use. A leaderboard that is
    turned off has no places."""

    enabled: bool
    places: tuple[Place, ...] = ()
    own: Place | None = None
    people: int = 0


class LeaderboardService:
    def __init__(self, reader: UsageReader, store: Store, clock: Clock, zone: tzinfo) -> None:
        self._reader = reader
        self._store = store
        self._clock = clock
        self._zone = zone
        self._ranked: dict[tuple[LeaderboardSpan, LeaderboardOrder, date], tuple[float, Ranked]] = {}

    async def show(
        self, caller: Caller, span: LeaderboardSpan, order: LeaderboardOrder, first: int = 20
    ) -> Leaderboard:
        caller.require_scope(TokenScope.READ)
        if not 1 <= first <= MOST:
            raise InvalidInput("first", f"must lie between 1 and {MOST}")
        if not await self.enabled():
            return Leaderboard(enabled=False)
        ranked, secret = await self._rank(span, order), await self._secret()
        places = [self._place(caller, rank, found, secret) for rank, found in enumerate(ranked[:first], 1)]
        me = next((rank for rank, (key, *_) in enumerate(ranked, 1) if key == caller.user.id), None)
        own = None if me is None else self._place(caller, me, ranked[me - 1], secret)
        return Leaderboard(True, tuple(places), own, len(ranked))

    async def enabled(self) -> bool:
        async with self._store.read() as tx:
            return await tx.switches.get(_ENABLED) != "no"

    async def turn(self, caller: Caller, on: bool) -> bool:
        """For everybody, administrators too."""
        caller.require_admin(TokenScope.SETTINGS)
        async with self._store.write() as tx:
            before = await tx.switches.get(_ENABLED) != "no"
            if before != on:
                await tx.switches.set(_ENABLED, "yes" if on else "no")
                was, now = {"enabled": before}, {"enabled": on}
                await tx.audit.record(
                    caller.actor, "leaderboard.set", "settings", "leaderboard", "Leaderboard", was, now
                )
        return on

    def _place(self, caller: Caller, rank: int, found: tuple[str, str, UsageTotals], secret: bytes) -> Place:
        user_id, label, totals = found
        own = user_id == caller.user.id
        if own or caller.is_admin:
            return Place(rank, label, user_id, own, totals)
        return Place(rank, pseudonym(secret, user_id), None, own, totals)

    async def _rank(self, span: LeaderboardSpan, order: LeaderboardOrder) -> Ranked:
        today = self._clock.now().astimezone(self._zone).date()
        key, now = (span, order, today), self._clock.monotonic()
        known = self._ranked.get(key)
        if known is not None and now - known[0] < _FRESH_SECONDS:
            return known[1]
        first = _EVER if span is LeaderboardSpan.EVER else today - timedelta(days=_DAYS[span] - 1)
        scope = UsageScope(self._midnight(first), self._midnight(today + timedelta(days=1)))
        ranked = await self._reader.breakdown(scope, "user", None, _FIGURES[order])
        self._ranked = {k: v for k, v in self._ranked.items() if k[2] == today} | {key: (now, ranked)}
        return ranked

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone).astimezone(UTC)

    async def _secret(self) -> bytes:
        async with self._store.read() as tx:
            known = await tx.switches.get(_SECRET)
        if known is None:
            async with self._store.write() as tx:
                known = await tx.switches.first(_SECRET, secrets.token_hex(32))
        return bytes.fromhex(known)
