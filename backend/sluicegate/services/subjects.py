"""Who policy is set for: a user, a group, or the pool of a group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import ChangeKind, PolicyChange, Subject, SubjectKind
from sluicegate.kit.errors import Forbidden, NotFound
from sluicegate.ports.store import Transaction
from sluicegate.services.caller import Caller


async def subject_label(tx: Transaction, subject: Subject) -> str:
    """How the audit log names it, which nobody deletes until the transaction ends; raises NotFound."""
    if subject.kind is SubjectKind.USER:
        user = await tx.users.kept(subject.id)
        if user is None:
            raise NotFound("user", field="userId")
        return user.label
    group = await tx.groups.kept(subject.id)
    if group is None:
        raise NotFound("group", field="groupId")
    return group.name


def change_of(subject: Subject) -> PolicyChange:
    kind = ChangeKind.GROUP if subject.kind is SubjectKind.POOL else ChangeKind(subject.kind.value)
    return PolicyChange(kind, subject.id)


async def record_setting(
    tx: Transaction,
    caller: Caller,
    subject: Subject,
    what: str,
    label: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    """Writes down that `what` was set; a pool's is filed under its group."""
    pooled = subject.kind is SubjectKind.POOL
    action = f"pool_{what}.set" if pooled else f"{what}.set"
    kind = SubjectKind.GROUP if pooled else subject.kind
    await tx.audit.record(caller.actor, action, kind.value, subject.id, label, before, after)
    tx.changed(change_of(subject))


def require_visible(caller: Caller, subjects: Iterable[Subject]) -> None:
    """Raises Forbidden unless the caller may see what is set for all of them: administrators everybody's, members
    their own."""
    caller.require_scope(TokenScope.READ)
    own = Subject(SubjectKind.USER, caller.user.id)
    if not caller.is_admin and any(subject != own for subject in subjects):
        raise Forbidden("Only administrators may see this of somebody else.")
