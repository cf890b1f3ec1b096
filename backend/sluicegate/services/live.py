"""What goes on now, for those who watch: gathered once a second for all of them, and not at all while nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import structlog

from sluicegate.domain.apikey import TokenScope
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import AppError, Throttled
from sluicegate.policy.pace import Pace, paces
from sluicegate.policy.service import PolicyService
from sluicegate.ports.live import CallBoard, CallInFlight, RefusedCall
from sluicegate.ports.policy import AdmissionStore
from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller

log = structlog.get_logger(__name__)
# Of whoever watches, as often as pictures are taken twice over: an ended session sees at most one more.
_CHECK_SECONDS = 0.5
_PATIENCE_SECONDS = 3.0
_MAX_STREAMS = 64
_MAX_OF_ONE = 4
_MAX_CALLS, _MAX_REFUSALS = 100, 50
_RETRY_SECONDS = 30


class End(StrEnum):
    """Why a stream ends: the session or token is no longer good, or may not see this any more; the server stops; the
    server cannot tell at the moment who may watch."""

    SIGNED_OUT = "signed_out"
    STOPPING = "stopping"
    UNAVAILABLE = "unavailable"


class Rate(msgspec.Struct, frozen=True, rename="camel"):
    """In the last whole second, and in the last 60."""

    second: int
    minute: int


class Rates(msgspec.Struct, frozen=True, rename="camel"):
    """What rate limits count, reservations for calls in flight included. `refusals` are known of everybody alone."""

    requests: Rate
    input_tokens: Rate
    output_tokens: Rate
    refusals: Rate | None


class LimitUse(msgspec.Struct, frozen=True, rename="camel"):
    dimension: str
    used: int
    limit: int


class NearLimit(msgspec.Struct, frozen=True, rename="camel"):
    """A user, pool or key, with its rate limits and what is used of them."""

    kind: str
    id: str
    name: str
    uses: tuple[LimitUse, ...]


class Picture(msgspec.Struct, frozen=True, rename="camel"):
    """Everything at one moment, `at`. `in_flight` counts all calls, of which `calls` are those that began first."""

    at: datetime
    everyone: bool
    in_flight: int
    calls: list[CallInFlight]
    rates: Rates
    nearest: list[NearLimit]
    refused: list[RefusedCall]

    def same_as(self, other: Picture | None) -> bool:
        """Whether nothing but time has passed."""
        return other is not None and msgspec.structs.replace(self, at=other.at) == other


class Ended(Exception):
    def __init__(self, end: End) -> None:
        super().__init__(end.value)
        self.end = end


class Watcher:
    """One who watches. Holds the newest picture until it is taken, and no other: whoever is slow misses some."""

    def __init__(self, caller: Caller, *, everyone: bool) -> None:
        self.caller = caller
        self.everyone = everyone
        self._latest: Picture | None = None
        self._told: Picture | None = None
        self._end: End | None = None
        self._news = asyncio.Event()

    @property
    def whose(self) -> str | None:
        """The user whose calls these are; None for everybody's."""
        return None if self.everyone else self.caller.user.id

    @property
    def new(self) -> bool:
        """Whether there was no picture yet."""
        return self._told is None

    @property
    def ended(self) -> bool:
        return self._end is not None

    def tell(self, picture: Picture) -> None:
        if not picture.same_as(self._told):
            self._told = self._latest = picture
            self._news.set()

    def end(self, end: End) -> None:
        if self._end is None:
            self._end = end
            self._news.set()

    async def next(self, seconds: float) -> Picture | None:
        """None when there is nothing new for so long; raises Ended."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return None
        if self._end is not None:
            raise Ended(self._end)
        self._news.clear()
        picture, self._latest = self._latest, None
        return picture


class LiveService:
    """Members see themselves, administrators everybody."""

    def __init__(
        self,
        auth: AuthService,
        board: CallBoard,
        policy: PolicyService,
        admission: AdmissionStore[Any],
        clock: Clock,
    ) -> None:
        self._auth = auth
        self._board = board
        self._policy = policy
        self._admission = admission
        self._clock = clock
        self._watchers: set[Watcher] = set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    def watch(self, caller: Caller, *, everyone: bool) -> Watcher:
        """To be given back with `leave`. Raises Forbidden, or Throttled when too many are watching."""
        _check(caller, everyone=everyone)
        own = sum(watcher.caller.user.id == caller.user.id for watcher in self._watchers)
        if own >= _MAX_OF_ONE:
            raise Throttled(f"You are watching {own} times already; close another live page first.", _RETRY_SECONDS)
        if len(self._watchers) >= _MAX_STREAMS:
            raise Throttled(f"{_MAX_STREAMS} people are watching already. Try again later.", _RETRY_SECONDS)
        watcher = Watcher(caller, everyone=everyone)
        if self._closed:
            watcher.end(End.STOPPING)
            return watcher
        self._watchers.add(watcher)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return watcher

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = None

    def close(self) -> None:
        """Ends all streams, for good."""
        self._closed = True
        for watcher in self._watchers:
            watcher.end(End.STOPPING)

    async def _run(self) -> None:
        due = 0.0
        while True:
            watchers = [watcher for watcher in self._watchers if not watcher.ended]
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._check(watchers)
                    all_due = self._clock.monotonic() >= due
                    if all_due:
                        due = self._clock.monotonic() + 2 * _CHECK_SECONDS
                    await self._tell([w for w in watchers if not w.ended and (all_due or w.new)])
            except Exception as error:
                # Who can't be asked about may have been suspended.
                log.warning("live.unavailable", error=type(error).__name__)
                for watcher in watchers:
                    watcher.end(End.UNAVAILABLE)
            await asyncio.sleep(_CHECK_SECONDS)

    async def _check(self, watchers: list[Watcher]) -> None:
        callers = await self._auth.still([watcher.caller for watcher in watchers])
        for watcher, caller in zip(watchers, callers, strict=True):
            try:
                if caller is not None:
                    _check(caller, everyone=watcher.everyone)
                    watcher.caller = caller
                    continue
            except AppError:
                pass
            watcher.end(End.SIGNED_OUT)

    async def _tell(self, watchers: list[Watcher]) -> None:
        subjects = {watcher.whose for watcher in watchers}
        if not subjects:
            return
        found = await self._pictures(subjects)
        for watcher in watchers:
            watcher.tell(found[watcher.whose])

    async def _pictures(self, subjects: Collection[str | None]) -> dict[str | None, Picture]:
        users = [user_id for user_id in subjects if user_id is not None]
        pace = await paces(self._policy, self._admission, users, everybody=None in subjects)
        at, found = self._clock.now(), dict[str | None, Picture]()
        for whose in subjects:
            in_flight, calls = await self._board.in_flight(whose, _MAX_CALLS)
            refusals = Rate(*await self._board.refusals()) if whose is None else None
            found[whose] = Picture(
                at=at,
                everyone=whose is None,
                in_flight=in_flight,
                calls=calls,
                rates=_rates(pace[whose], refusals),
                nearest=_nearest(pace[whose]),
                refused=await self._board.refused(whose, _MAX_REFUSALS),
            )
        return found


def _check(caller: Caller, *, everyone: bool) -> None:
    if everyone:
        caller.require_admin(TokenScope.READ)
    else:
        caller.require_scope(TokenScope.READ)


def _rates(pace: Pace, refusals: Rate | None) -> Rates:
    requests, inputs, outputs = (Rate(*pair) for pair in zip(pace.second, pace.minute, strict=True))
    return Rates(requests, inputs, outputs, refusals)


def _nearest(pace: Pace) -> list[NearLimit]:
    return [
        NearLimit(
            near.subject.kind.name,
            near.subject.id,
            near.label,
            tuple(LimitUse(use.dimension.name, use.used, use.limit) for use in near.uses),
        )
        for near in pace.nearest
    ]
