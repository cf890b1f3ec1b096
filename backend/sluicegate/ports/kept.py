"""Whose call brought about what a provider keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

# As long as OpenAI keeps what it stores.
KEPT_SECONDS = 30 * 24 * 3600.0
# About 20 MB; the oldest go first.
MOST_KEPT = 100_000


class KeptOwners(Protocol):
    """The last owner of each id, for 30 days, of the last 100,000. Ids are told and asked for without waiting; where
    processes share them, `learn` brings what is known here in line with what the others were told."""

    shared: bool
    """Whether `learn` may find more than is known here."""

    def note(self, owner: str, ids: Iterable[str]) -> None: ...
    async def learn(self, owner: str, ids: Collection[str]) -> None:
        """Whether these are the owner's, so that `belongs` tells it. As far as is known here where the others can't
        be asked."""
        ...

    def belongs(self, identity: str, owner: str) -> bool: ...
