"""What an identity provider gives and takes: memberships and the administrator's role, in line with the groups claim.

What was given by hand is never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sluicegate.domain.audit import SSO
from sluicegate.domain.sso import GroupMapping, SsoSettings
from sluicegate.domain.user import Role, User
from sluicegate.ports.store import Transaction
from sluicegate.services.caller import Caller
from sluicegate.services.groups import join, leave
from sluicegate.services.users import edit_held


@dataclass(frozen=True, slots=True)
class Rules:
    """What values of the groups claim give."""

    mappings: Sequence[GroupMapping]
    admin_values: Sequence[str]

    @classmethod
    async def of(cls, tx: Transaction, settings: SsoSettings) -> Rules:
        return cls(await tx.sso.mappings(), settings.admin_values)

    def __bool__(self) -> bool:
        return bool(self.mappings or self.admin_values)


async def align(tx: Transaction, user: User, rules: Rules, values: Sequence[str] | None) -> User:
    """Brings what single sign-on gave in line with what the claim says; `values` is None where it is missing. The
    person's version is held, and so is the person."""
    if values is None and rules:
        reason = {"groups_claim": "missing, so nothing was changed"}
        await tx.audit.record(SSO, "sso.no_groups", "user", user.id, user.label, {}, reason)
        return user
    told = frozenset(values or ())
    by = Caller(user, SSO)
    await _align_groups(tx, by, user, {row.group_id for row in rules.mappings if row.value in told})
    return await _align_role(tx, by, user, not told.isdisjoint(rules.admin_values))


async def _align_groups(tx: Transaction, by: Caller, user: User, wanted: set[str]) -> None:
    given = await tx.sso.given_groups(user.id)
    present = {group.id for group in (await tx.groups.groups_of([user.id]))[user.id]}
    groups = await tx.groups.get_many(sorted((wanted - present) | (given - wanted)))
    for group_id in sorted(groups):
        if group_id in wanted:
            if await join(tx, by, groups[group_id], {user.id: user}):
                await tx.sso.note_given(user.id, [group_id])
        else:
            await leave(tx, by, groups[group_id], {user.id: user})


async def _align_role(tx: Transaction, by: Caller, user: User, wanted: bool) -> User:
    given = await tx.sso.gave_admin(user.id)
    if wanted and user.role is Role.MEMBER:
        user = await edit_held(tx, by, user, role=Role.ADMIN)
        await tx.sso.note_admin(user.id, True)
    elif given and not wanted:
        if await tx.users.lock_active_admins() == [user.id]:
            reason = {"role": "kept, since nobody else is an active administrator"}
            await tx.audit.record(SSO, "sso.kept_admin", "user", user.id, user.label, {}, reason)
            return user
        user = await edit_held(tx, by, user, role=Role.MEMBER)
    return user
