"""Edits that were begun from an older state are refused instead of overwriting what somebody else did."""

from __future__ import annotations

from collections.abc import Sequence

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.errors import StaleVersion
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.caller import Caller

_LOOKED_AT = 20


class VersionService:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, caller: Caller, things: Sequence[Edited]) -> dict[Edited, int]:
        """For those who can see the things themselves."""
        caller.require_scope(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.versions.of(things)


async def hold(tx: Transaction, thing: Edited, expected: int | None) -> None:
    """Call first in an edit, and `tx.versions.step` when something changes. Raises StaleVersion when the caller began
    from another version than the present one; None edits whatever is there."""
    await require_version(tx, thing, await tx.versions.hold(thing), expected)


async def require_version(tx: Transaction, thing: Edited, version: int, expected: int | None) -> None:
    """Raises StaleVersion unless a thing that is held is at the version that an edit began from."""
    if expected is not None and expected != version:
        raise StaleVersion(
            f"This was changed since you loaded it: it is at version {version} now, and your edit began at {expected}."
            f"{await _last_change(tx, thing)} Load it again, and repeat what you still want.",
            field="expectedVersion",
        )


async def _last_change(tx: Transaction, thing: Edited) -> str:
    """Which fields whose edit changed last, as the audit log has it."""
    kind, target = thing.what.value, thing.id
    action = f"{thing.what}."
    if thing.what in (Editable.RATE_LIMIT, Editable.BUDGET):
        kind, _, target = thing.id.partition(":")
        if kind == "pool":
            kind, action = "group", f"pool_{action}"
    page = await tx.audit.page(AuditFilter(target_kind=kind, target_id=target), PageRequest(_LOOKED_AT))
    for event, _ in page.items:
        if event.action.startswith(action) and not event.action.endswith("_members"):
            fields = sorted({*event.before, *event.after})
            return f" {event.actor.label} changed {', '.join(fields) or 'it'} at {event.at:%Y-%m-%d %H:%M} UTC."
    return ""
