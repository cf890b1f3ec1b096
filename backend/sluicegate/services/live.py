"""What goes on now, for those who watch: gathered once a second for all of them, and not at all while nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from enum import StrEnum
from typing import Any

import msgspec
import structlog

from sluicegate.domain.apikey import TokenScope
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import AppError, Throttled
from sluicegate.policy.pace import Pace, paces
from sluicegate.policy.service import PolicyService
from sluicegate.ports.live import CallBoard, LiveExchange
from sluicegate.ports.policy import AdmissionStore
from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller
from sluicegate.services.pictures import (
    MAX_CALLS,
    MAX_REFUSALS,
    Picture,
    Rate,
    View,
    merged,
    nearest_of,
    rates_of,
)

log = structlog.get_logger(__name__)
# Of whoever watches, as often as pictures are taken twice over: an ended session sees at most one more.
_CHECK_SECONDS = 0.5
_PATIENCE_SECONDS = 3.0
_MAX_STREAMS = 64
_MAX_OF_ONE = 4
_RETRY_SECONDS = 30
# How often other processes are asked what they want to see.
_MEET_SECONDS = 0.5
EVERYBODY = ""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(View).decode


class End(StrEnum):
    """Why a stream ends: the session or token is no longer good, or may not see this any more; the server stops; the
    server cannot tell at the moment who may watch."""

    SIGNED_OUT = "signed_out"
    STOPPING = "stopping"
    UNAVAILABLE = "unavailable"


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
        exchange: LiveExchange | None = None,
    ) -> None:
        """`exchange` is for one of several processes; None where nobody else carries calls."""
        self._exchange = exchange
        self._meeting: asyncio.Task[None] | None = None
        self._others: dict[str, list[View]] = {}
        self._alone = False
        self._auth = auth
        self._board = board
        self._policy = policy
        self._admission = admission
        self._clock = clock
        self._watchers: set[Watcher] = set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        if self._exchange is not None:
            self._meeting = asyncio.create_task(self._keep_meeting(self._exchange))

    async def stop(self) -> None:
        if self._meeting is not None:
            self._meeting.cancel()
            await asyncio.gather(self._meeting, return_exceptions=True)

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
        pace = await self._paces(subjects)
        at, found = self._clock.now(), dict[str | None, Picture]()
        for whose in subjects:
            view = merged([await self._view(whose, pace[whose]), *self._others.get(whose or EVERYBODY, ())])
            found[whose] = Picture(
                at=at,
                everyone=whose is None,
                alone=self._alone,
                in_flight=view.in_flight,
                calls=view.calls,
                rates=rates_of(pace[whose], view.refusals if whose is None else None),
                nearest=view.nearest,
                refused=view.refused,
            )
        return found

    async def _paces(self, subjects: Collection[str | None]) -> dict[str | None, Pace]:
        users = [user_id for user_id in subjects if user_id is not None]
        return await paces(self._policy, self._admission, users, everybody=None in subjects)

    async def _view(self, whose: str | None, pace: Pace) -> View:
        in_flight, calls = await self._board.in_flight(whose, MAX_CALLS)
        refused = await self._board.refused(whose, MAX_REFUSALS)
        return View(in_flight, calls, nearest_of(pace), refused, Rate(*await self._board.refusals()))

    # With others

    async def _keep_meeting(self, exchange: LiveExchange) -> None:
        """Shows others what they want to see, and looks at what they show. Nothing is gathered while nobody does."""
        asked: list[str] = []
        while True:
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    asked = await self._meet(exchange, asked)
            except Exception as error:
                log.warning("live.not_shown", error=type(error).__name__)
                asked = []
            await asyncio.sleep(_MEET_SECONDS)

    async def _meet(self, exchange: LiveExchange, asked: list[str]) -> list[str]:
        """What others want to see; all of it was shown."""
        while True:
            shown = await self._packed(asked)
            wanted = {watcher.whose or EVERYBODY for watcher in self._watchers if not watcher.ended}
            met = await exchange.meet(wanted, shown)
            self._alone = met is None
            if met is None:
                self._others = {}
                return []
            self._others = {whose: [_decode(view) for view in views] for whose, views in met.views.items()}
            asked = met.asked
            if shown.keys() >= set(asked):
                return asked

    async def _packed(self, asked: Collection[str]) -> dict[str, bytes]:
        if not asked:
            return {}
        subjects = [subject or None for subject in asked]
        pace = await self._paces(subjects)
        return {whose or EVERYBODY: _encode(await self._view(whose, pace[whose])) for whose in subjects}


def _check(caller: Caller, *, everyone: bool) -> None:
    if everyone:
        caller.require_admin(TokenScope.READ)
    else:
        caller.require_scope(TokenScope.READ)
