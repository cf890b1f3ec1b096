"""How often somebody may try to sign in."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from sluicegate.kit.errors import Throttled
from sluicegate.kit.tallies import Tallies, Tally

_SECONDS = 300.0
_PER_EMAIL = 10
_PER_ADDRESS = 50
_FAMILIAR_SECONDS = 90 * 24 * 3600.0
_ANY = 1 << 30


class Attempts:
    """Counts tries in spans of five minutes, by e-mail and by network address.

    Whoever came in from an address before is counted apart there: strangers who guess at an account can't keep its
    owner out. `tallies` gives what counts for a purpose.
    """

    def __init__(
        self,
        tallies: Callable[[str], Tallies],
        purpose: str,
        *,
        per_email: int = _PER_EMAIL,
        per_address: int = _PER_ADDRESS,
    ) -> None:
        self._tries = tallies(purpose)
        # Apart: a flood of tries would wash them away.
        self._familiar = tallies(f"{purpose}-familiar")
        self._per_email = per_email
        self._per_address = per_address

    async def take(self, email: str, address: str) -> None:
        """Counts a try before it is made, so that many at once cannot pass together; raises Throttled."""
        await take_a_try(self._tries, *await self._tallies(email, network_of(address)))

    async def forgive(self, email: str, address: str) -> None:
        """After a success: a whole office may come in from one address, and each of them is no guess. The guesses that
        were made from there still count."""
        network = network_of(address)
        by_email, by_address = await self._tallies(email, network)
        await self._tries.give_back(by_email.name, whole=True)
        await self._tries.give_back(by_address.name)
        await self._familiar.take(Tally(_joined(email, network), _ANY, _FAMILIAR_SECONDS))

    async def _tallies(self, email: str, network: str) -> tuple[Tally, Tally]:
        (known,) = await self._familiar.counts(_joined(email, network))
        by_email = _joined("email", email, network if known.number else "")
        return Tally(by_email, self._per_email, _SECONDS), Tally(
            _joined("address", network), self._per_address, _SECONDS
        )


async def take_a_try(tries: Tallies, *tallies: Tally) -> None:
    """Counts one in each of them; raises Throttled when one is full."""
    wait = await tries.take(*tallies)
    if wait is not None:
        seconds = int(wait) + 1
        raise Throttled(f"Too many tries. Wait {seconds} seconds, then try again.", seconds)


def _joined(*words: str) -> str:
    """No two lists of words come to the same."""
    return repr(words)


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
