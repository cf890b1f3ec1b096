"""How often somebody may try to sign in."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import Throttled

_SECONDS = 300.0
_PER_EMAIL = 10
_PER_ADDRESS = 50
_MAX_REMEMBERED = 20_000
Key = tuple[str, str, str]


class Attempts:
    """Counts tries in spans of five minutes, by e-mail and by network address.

    Whoever came in from an address before is counted apart there: strangers who guess at an account can't keep its
    owner out. Each process counts for itself.
    """

    def __init__(self, clock: Clock, *, per_email: int = _PER_EMAIL, per_address: int = _PER_ADDRESS) -> None:
        self._clock = clock
        self._per_email = per_email
        self._per_address = per_address
        self._tries: dict[Key, tuple[float, int]] = {}
        self._familiar: dict[tuple[str, str], None] = {}

    def take(self, email: str, address: str) -> None:
        """Counts a try before it is made, so that many at once cannot pass together; raises Throttled."""
        now = self._clock.monotonic()
        counted: list[tuple[Key, float, int]] = []
        for key, most in self._keys(email, network_of(address)):
            started, count = self._tries.get(key, (now, 0))
            if now - started >= _SECONDS:
                started, count = now, 0
            if count >= most:
                wait = int(_SECONDS - (now - started)) + 1
                raise Throttled(f"Too many tries. Wait {wait} seconds, then try again.", wait)
            counted.append((key, started, count + 1))
        for key, started, count in counted:
            if key not in self._tries and len(self._tries) >= _MAX_REMEMBERED:
                self._make_room(now)
            self._tries[key] = started, count

    def forgive(self, email: str, address: str) -> None:
        """After a success: a whole office may come in from one address, and each of them is no guess. The guesses that
        were made from there still count."""
        network = network_of(address)
        (by_email, _), (by_address, _) = self._keys(email, network)
        self._tries.pop(by_email, None)
        started, count = self._tries.get(by_address, (0.0, 0))
        if count > 0:
            self._tries[by_address] = started, count - 1
        self._familiar.pop((email, network), None)
        self._familiar[email, network] = None
        if len(self._familiar) > _MAX_REMEMBERED:
            self._familiar.pop(next(iter(self._familiar)))

    def _keys(self, email: str, network: str) -> tuple[tuple[Key, int], tuple[Key, int]]:
        familiar = network if (email, network) in self._familiar else ""
        return (("email", email, familiar), self._per_email), (("address", "", network), self._per_address)

    def _make_room(self, now: float) -> None:
        """Forgets what is over, or else what was tried least: a flood of invented addresses must not wash away the
        counts that stop somebody."""
        over = [key for key, (started, _) in self._tries.items() if now - started >= _SECONDS]
        for key in over or sorted(self._tries, key=lambda key: self._tries[key][1])[: _MAX_REMEMBERED // 10]:
            del self._tries[key]


def network_of(address: str) -> str:
    """Who owns one IPv6 address owns the 2^64 beside it."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return parsed.exploded[:19]
    return address
