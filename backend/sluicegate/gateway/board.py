"""What this process carries at the moment, and what it refused, for those who watch. Calls pay nothing for it; a
refusal is written down, in bounded memory, whoever causes it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime

from sluicegate.gateway.watch import Watch
from sluicegate.kit.clock import Clock
from sluicegate.policy.principals import Principal
from sluicegate.policy.refusals import Refusal
from sluicegate.ports.live import CallInFlight, RefusedCall

_MAX_REMEMBERED = 500
_MAX_OF_ONE_KEY = 50
_MAX_TEXT = 300
_SECONDS = 60
# Not about a call: nothing is served at such an address.
_ASTRAY = frozenset({"route_not_found", "method_not_allowed"})


class _Refused:
    """Keeps texts and figures alone: a refusal holds on to the stack that it was raised in, bodies included."""

    __slots__ = ("at", "count", "message", "named", "retry_after", "status")

    def __init__(self, principal: Principal | None) -> None:
        self.named = principal.named[:4] if principal is not None else None
        self.count = 0

    def note(self, refusal: Refusal, at: float) -> None:
        self.at = at
        self.count += 1
        self.status = refusal.status
        self.message = refusal.message[:_MAX_TEXT]
        self.retry_after = refusal.retry_after


class Board:
    """Implements ports.live.CallBoard. Refusals that differ in nothing but the time are one entry."""

    def __init__(self, watch: Watch, clock: Clock) -> None:
        self._watch = watch
        self._clock = clock
        # The last ones at the end, keyed by key, model and code.
        self._refused: dict[tuple[str, str, str], _Refused] = {}
        self._of_keys: dict[str, int] = {}
        # Seconds of the monotonic clock, with how many calls were refused in each.
        self._seconds: deque[list[int]] = deque(maxlen=_SECONDS + 1)

    def note(self, principal: Principal | None, refusal: Refusal) -> None:
        """One more refusal, of whoever's key it was; costs the same however many there were."""
        if refusal.code in _ASTRAY:
            return
        key_id = principal.key_id if principal is not None else ""
        kind = key_id, (refusal.model or "")[:_MAX_TEXT], refusal.code
        noted = self._refused.pop(kind, None)
        if noted is None:
            self._make_room(key_id)
            noted = _Refused(principal)
            self._of_keys[key_id] = self._of_keys.get(key_id, 0) + 1
        noted.note(refusal, self._clock.time())
        self._refused[kind] = noted
        second = int(self._clock.monotonic())
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1][1] += 1
        else:
            self._seconds.append([second, 1])

    def _make_room(self, key_id: str) -> None:
        """One caller who is refused for ever new models does not push everybody else out."""
        oldest = None
        if self._of_keys.get(key_id, 0) >= _MAX_OF_ONE_KEY:
            oldest = next(kind for kind in self._refused if kind[0] == key_id)
        elif len(self._refused) >= _MAX_REMEMBERED:
            oldest = next(iter(self._refused))
        if oldest is not None:
            del self._refused[oldest]
            left = self._of_keys[oldest[0]] - 1
            if left:
                self._of_keys[oldest[0]] = left
            else:
                del self._of_keys[oldest[0]]

    def forget(self) -> None:
        """All refusals so far."""
        self._refused.clear()
        self._of_keys.clear()
        self._seconds.clear()

    async def in_flight(self, user_id: str | None, most: int) -> tuple[int, list[CallInFlight]]:
        return self._watch.seen(user_id, most)

    async def refused(self, user_id: str | None, most: int) -> list[RefusedCall]:
        return [call for call, _ in zip(self._refusals_of(user_id), range(most), strict=False)]

    async def refusals(self) -> tuple[int, int]:
        now = int(self._clock.monotonic())
        last = sum(count for second, count in self._seconds if second == now - 1)
        return last, sum(count for second, count in self._seconds if second > now - _SECONDS)

    def _refusals_of(self, user_id: str | None) -> Iterator[RefusedCall]:
        for (_, model, code), noted in reversed(self._refused.items()):
            whose, user, key_id, key = noted.named or (None, None, None, None)
            if user_id is None or user_id == whose:
                yield RefusedCall(
                    at=datetime.fromtimestamp(round(noted.at, 3), UTC),
                    count=noted.count,
                    user_id=whose,
                    user=user,
                    key_id=key_id,
                    key=key,
                    model=model or None,
                    status=noted.status,
                    code=code,
                    message=noted.message,
                    retry_after=noted.retry_after,
                )
