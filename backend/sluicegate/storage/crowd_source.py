"""What limits many people at once, in a handful of statements however many they are."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import ColumnElement, Executable, Table, and_, or_, select

from sluicegate.domain.policy import NO_BUDGET, NO_LIMITS, Override, Subject, SubjectKind, Window
from sluicegate.ports.policy import Crowd, Person
from sluicegate.storage.connections import AsyncEngine
from sluicegate.storage.repositories.overrides import override_value
from sluicegate.storage.repositories.policy import budget_value, limits_value, subject_of
from sluicegate.storage.snapshot import snapshot
from sluicegate.storage.tables.identity import MEMBERSHIPS, USERS
from sluicegate.storage.tables.policy import BUDGETS, OVERRIDES, RATE_LIMITS
from sluicegate.storage.tables.usage import SPEND

# So many rows become values before other work has its turn.
_SLICE = 500


class SqlCrowdSource:
    """Implements ports.policy.CrowdSource."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def crowd(self, subject: Subject, periods: dict[Window, str]) -> Crowd:
        async with snapshot(self._engine) as connection:
            statements = _statements(subject, list(periods.values()))
            rows = {name: (await connection.execute(statement)).all() for name, statement in statements.items()}
        limits = {subject_of(row): limits_value(row) for row in rows["limits"]}
        budgets = {subject_of(row): budget_value(row) for row in rows["budgets"]}
        groups, overrides = dict[str, list[str]](), dict[str, list[Override]]()
        for row in rows["memberships"]:
            groups.setdefault(row.user_id, []).append(row.group_id)
        for row in rows["overrides"]:
            overrides.setdefault(row.user_id, []).append(override_value(row))
        windows = {key: window for window, key in periods.items()}
        spent: dict[str, dict[Window, int]] = {}
        for row in rows["spent"]:
            spent.setdefault(row.subject_id, {})[windows[row.period]] = row.spent_nanos
        people: list[Person] = []
        for row in rows["users"]:
            own = Subject(SubjectKind.USER, row.id)
            person = Person(
                id=row.id,
                name=row.name,
                email=row.email,
                limits=limits.pop(own, NO_LIMITS),
                budget=budgets.pop(own, NO_BUDGET),
                group_ids=tuple(groups.get(row.id, ())),
                overrides=tuple(overrides.get(row.id, ())),
                spent=spent.get(row.id, {}),
            )
            people.append(person)
            if len(people) % _SLICE == 0:
                await asyncio.sleep(0)
        return Crowd(people, limits, budgets)


def _statements(subject: Subject, periods: list[str]) -> dict[str, Executable]:
    ids: Any = select(USERS.c.id).where(USERS.c.id == subject.id)
    if subject.kind is SubjectKind.GROUP:
        ids = select(MEMBERSHIPS.c.user_id).where(MEMBERSHIPS.c.group_id == subject.id)
    groups = select(MEMBERSHIPS.c.group_id).where(MEMBERSHIPS.c.user_id.in_(ids))

    def concerned(table: Table) -> ColumnElement[bool]:
        kind, subject_id = table.c.subject_kind, table.c.subject_id
        return or_(
            and_(kind == SubjectKind.USER, subject_id.in_(ids)), and_(kind == SubjectKind.GROUP, subject_id.in_(groups))
        )

    return {
        "users": select(USERS.c.id, USERS.c.name, USERS.c.email).where(USERS.c.id.in_(ids)),
        "memberships": select(MEMBERSHIPS).where(MEMBERSHIPS.c.user_id.in_(ids)),
        "overrides": select(OVERRIDES).where(OVERRIDES.c.user_id.in_(ids), OVERRIDES.c.ended_at.is_(None)),
        "limits": select(RATE_LIMITS).where(concerned(RATE_LIMITS)),
        "budgets": select(BUDGETS).where(concerned(BUDGETS)),
        "spent": select(SPEND.c.subject_id, SPEND.c.period, SPEND.c.spent_nanos).where(
            SPEND.c.subject_kind == SubjectKind.USER.value, SPEND.c.subject_id.in_(ids), SPEND.c.period.in_(periods)
        ),
    }
