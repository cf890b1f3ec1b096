"""What is set for a subject; no foreign key can reach these rows, since they belong to users, groups and keys alike."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete

from sluicegate.domain.policy import SubjectKind
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.tables.policy import BUDGETS, GRANTS, RATE_LIMITS


async def delete_policy_of(connection: AsyncConnection, kind: SubjectKind, ids: Sequence[str]) -> None:
    """Removes grants, rate limits and budgets of subjects that go; with a group its pool."""
    kinds = (kind, SubjectKind.POOL) if kind is SubjectKind.GROUP else (kind,)
    if ids:
        for table in (GRANTS, RATE_LIMITS, BUDGETS):
            of_these = table.c.subject_kind.in_(kinds) & table.c.subject_id.in_(ids)
            await connection.execute(delete(table).where(of_these))
