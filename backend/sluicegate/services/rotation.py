"""Moves everything that is sealed to the key-encryption key that is in force."""

from __future__ import annotations

from dataclasses import dataclass

from sluicegate.domain.audit import SYSTEM
from sluicegate.kit.crypto import SealBroken
from sluicegate.ports.policy import Vault
from sluicegate.ports.store import Store

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Rotation:
    """How many seals were moved to the primary key, how many are under it now, and the places, such as
    `provider:<id>`, of those that no key at hand opens."""

    moved: int
    current: int
    unreadable: tuple[str, ...]


class KeyRotation:
    """Only the wrapping of each data key is redone; no secret is opened. Servers may run meanwhile if they know both
    keys. What is done stays done: after an interruption it goes on with the rest."""

    def __init__(self, store: Store, vault: Vault, primary: str) -> None:
        """`primary` is the id of the key that everything is moved to."""
        self._store = store
        self._vault = vault
        self._primary = primary

    async def run(self) -> Rotation:
        """Goes through everything until nothing is left that could be moved."""
        moved = 0
        while True:
            found, missed = await self._pass()
            moved += found.moved
            if not missed:
                break
        if moved:
            async with self._store.write() as tx:
                await tx.audit.record(
                    SYSTEM, "encryption.rotate", "installation", self._primary, "encryption key", {}, {"moved": moved}
                )
        return Rotation(moved, found.current, found.unreadable)

    async def _pass(self) -> tuple[Rotation, bool]:
        """What was found, and whether a seal was changed by somebody else on the way, so that it needs another look."""
        moved, current, missed, place = 0, 0, False, ""
        unreadable: list[str] = []
        while True:
            async with self._store.write() as tx:
                batch = await tx.sealed.after(place, _BATCH)
                for place, text in batch:
                    if self._vault.key_of(text, place) == self._primary:
                        current += 1
                        continue
                    try:
                        new = self._vault.rewrap(text, place)
                    except SealBroken:
                        unreadable.append(place)
                        continue
                    replaced = await tx.sealed.replace(place, text, new)
                    moved += replaced
                    current += replaced
                    missed |= not replaced
            if len(batch) < _BATCH:
                return Rotation(moved, current, tuple(unreadable)), missed
