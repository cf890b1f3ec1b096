"""How often somebody may try to sign in."""

from __future__ import annotations

from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import Throttled

_SECONDS = 300.0
_PER_EMAIL = 10
_PER_ADDRESS = 50
_MAX_REMEMBERED = 20_000


class Attempts:
    """Counts tries in spans of five minutes, by e-mail and by network address."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tries: dict[tuple[str, str], tuple[float, int]] = {}

    def take(self, email: str, address: str) -> None:
        """Counts a try before it is made, so that many at once cannot pass together; raises Throttled."""
        now = self._clock.monotonic()
        counted: list[tuple[tuple[str, str], float, int]] = []
        for key, most in ((("email", email), _PER_EMAIL), (("address", address), _PER_ADDRESS)):
            started, count = self._tries.get(key, (now, 0))
            if now - started >= _SECONDS:
                started, count = now, 0
            if count >= most:
                wait = int(_SECONDS - (now - started)) + 1
                raise Throttled(f"Too many tries. Wait {wait} seconds, then try again.", wait)
            counted.append((key, started, count + 1))
        for key, started, count in counted:
            if key not in self._tries and len(self._tries) >= _MAX_REMEMBERED:
                self._tries.pop(next(iter(self._tries)))
            self._tries[key] = started, count

    def forgive(self, email: str, address: str) -> None:
        """After a success: a whole office may come in from one address, and each of them is no guess. The guesses that
        were made from there still count."""
        self._tries.pop(("email", email), None)
        started, count = self._tries.get(("address", address), (0.0, 0))
        if count > 0:
            self._tries["address", address] = started, count - 1
