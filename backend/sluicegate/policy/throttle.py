"""Wrong keys must cost little: remembered for a while, and slowed by address."""

from __future__ import annotations

import asyncio

from sluicegate.kit.crypto import token_digest
from sluicegate.kit.tallies import Tallies, Tally
from sluicegate.policy import refusals
from sluicegate.policy.refusals import Refusal

_SECONDS = 60.0
_MAX_PER_ADDRESS = 30
# Keys that are looked at hold a place until it is known what they are: others from there wait for so long.
_PATIENCE_SECONDS, _PAUSE_SECONDS = 5.0, 0.05
_RETRY_SECONDS = 1


class BadKeys:
    """A wrong key is refused from memory for a minute; an address with 30 wrong keys in a minute has to wait. No more
    of an address are looked at than could still be wrong, so that many at once, or at many servers, cost no more."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies

    async def begin(self, credential: str, address: str) -> None:
        """To be followed by `end`. Raises Refusal for a key that was wrong just now, or an address that sent too many
        of them; and one that passes when its turn does not come, since the keys before it may all be right."""
        key, wrong, begun = _names(credential, address)
        for _ in range(int(_PATIENCE_SECONDS / _PAUSE_SECONDS)):
            known, bad = await self._tallies.counts(key, wrong)
            if known.number:
                raise refusals.invalid_key()
            if bad.number >= _MAX_PER_ADDRESS:
                raise _too_many(bad.left)
            if await self._tallies.take(Tally(begun, _MAX_PER_ADDRESS, _SECONDS)) is None:
                return
            await asyncio.sleep(_PAUSE_SECONDS)
        message = "Too many API keys that were not seen before come from this address at once; try again soon."
        raise refusals.undecided(message, _RETRY_SECONDS)

    async def end(self, credential: str, address: str, *, wrong: bool) -> None:
        key, wrongs, begun = _names(credential, address)
        if wrong:
            await self._tallies.take(Tally(key, 1, _SECONDS))
            await self._tallies.take(Tally(wrongs, _MAX_PER_ADDRESS, _SECONDS))
        else:
            await self._tallies.give_back(begun)


def _names(credential: str, address: str) -> tuple[str, str, str]:
    return f"key {token_digest(credential)}", f"wrong {address}", f"begun {address}"


def _too_many(seconds: float) -> Refusal:
    return refusals.invalid_key(f"Too many wrong API keys from this address; try again in {int(seconds) + 1} s.")
