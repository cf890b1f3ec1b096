"""Wrong keys must cost little: remembered for a while, and slowed by address."""

from __future__ import annotations

from sluicegate.kit.clock import Clock
from sluicegate.policy import refusals

_MEMORY_SECONDS = 60.0
_MAX_REMEMBERED = 10_000
_MAX_PER_ADDRESS = 30


class BadKeys:
    """A wrong key is refused from memory for a minute; an address with 30 wrong keys in a minute has to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[bytes, float] = {}
        self._addresses: dict[str, tuple[float, int]] = {}

    def check(self, digest: bytes, address: str) -> None:
        """Raises Refusal for a key that was wrong just now, or an address that sent too many of them."""
        now = self._clock.monotonic()
        if self._until.get(digest, 0.0) > now:
            raise refusals.invalid_key()
        started, count = self._addresses.get(address, (now, 0))
        if count >= _MAX_PER_ADDRESS and now - started < _MEMORY_SECONDS:
            wait = int(_MEMORY_SECONDS - (now - started)) + 1
            raise refusals.invalid_key(f"Too many wrong API keys from this address; try again in {wait} s.")

    def note(self, digest: bytes, address: str) -> None:
        now = self._clock.monotonic()
        _make_room(self._until)
        self._until[digest] = now + _MEMORY_SECONDS
        started, count = self._addresses.get(address, (now, 0))
        if now - started >= _MEMORY_SECONDS:
            started, count = now, 0
        _make_room(self._addresses)
        self._addresses[address] = started, count + 1


def _make_room(table: dict[bytes, float] | dict[str, tuple[float, int]]) -> None:
    if len(table) >= _MAX_REMEMBERED:
        table.pop(next(iter(table)))  # type: ignore[arg-type]
