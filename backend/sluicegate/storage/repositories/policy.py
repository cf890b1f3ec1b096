"""Grants, rate limits and budgets by subject."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, String, Table, delete, func, or_, select, type_coerce, union

from sluicegate.domain.policy import Budget, Dimension, Grant, RateLimits, Subject, SubjectKind, Window
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import Nanos
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.paging import paged, parts, portions, to_page
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.repositories.upsert import insert_missing, upsert
from sluicegate.storage.tables.policy import BUDGETS, CHANGES, GRANTS, PROCESSES, RATE_LIMITS


def subject_of(row: Row[Any]) -> Subject:
    return Subject(row.subject_kind, row.subject_id)


def grant_value(row: Row[Any]) -> Grant:
    return to_value(Grant, row, subject=subject_of(row))


def limits_value(row: Row[Any], prefix: str = "") -> RateLimits:
    return RateLimits(**{d.value: getattr(row, prefix + d.value) for d in Dimension})


def budget_value(row: Row[Any], prefix: str = "") -> Budget:
    caps = {w.value: None if (cap := getattr(row, prefix + w.value)) is None else Nanos(cap) for w in Window}
    return Budget(**caps, alert_thresholds=tuple(getattr(row, f"{prefix}alert_thresholds")))


class SqlPolicyRepository:
    """Implements ports.store.PolicyRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def grants_of(self, subjects: Sequence[Subject]) -> list[Grant]:
        statement = select(GRANTS).where(of_subjects(GRANTS, subjects)).order_by(GRANTS.c.created_at, GRANTS.c.id)
        return [grant_value(row) for row in await self._connection.execute(statement)]

    async def grant(self, grant_id: str) -> Grant | None:
        row = (await self._connection.execute(select(GRANTS).where(GRANTS.c.id == grant_id))).first()
        return grant_value(row) if row else None

    async def add_grants(self, subject: Subject, model_ids: Sequence[str], at: datetime) -> list[Grant]:
        wanted = list(dict.fromkeys(model_ids))
        present = await self._grants_for(subject, wanted)
        known = {grant.model_id for grant in present}
        rows = [
            {"id": new_id(), **_subject_columns(subject), "model_id": model_id, "created_at": at}
            for model_id in wanted
            if model_id not in known
        ]
        if not rows:
            return present
        await insert_missing(self._connection, GRANTS, rows)
        return await self._grants_for(subject, wanted)

    async def remove_grant(self, grant_id: str) -> bool:
        return (await self._connection.execute(delete(GRANTS).where(GRANTS.c.id == grant_id))).rowcount > 0

    async def pages_of_grants_for(self, models: Sequence[tuple[str, PageRequest]]) -> list[Page[Grant]]:
        # "group" sorts before "user", and ids grow with time.
        kind = type_coerce(GRANTS.c.subject_kind, String)
        found: list[Page[Grant]] = []
        for some in portions(models):
            rows: list[list[Row[Any]]] = [[] for _ in some]
            ids = parts(
                [
                    paged(select(GRANTS.c.id).where(GRANTS.c.model_id == model_id), page, kind, GRANTS.c.id)
                    for model_id, page in some
                ]
            )
            statement = select(ids.c.part, GRANTS).join(GRANTS, GRANTS.c.id == ids.c.value)
            for row in await self._connection.execute(statement.order_by(ids.c.part, kind, GRANTS.c.id)):
                rows[row.part].append(row)
            found += [
                to_page(of_one, page, grant_value, lambda row: [row.subject_kind.value, row.id])
                for of_one, (_, page) in zip(rows, some, strict=True)
            ]
        return found

    async def counts_of_grants_for(self, model_ids: Sequence[str]) -> dict[str, int]:
        statement = (
            select(GRANTS.c.model_id, func.count().label("grants"))
            .where(GRANTS.c.model_id.in_(model_ids))
            .group_by(GRANTS.c.model_id)
        )
        counts = {row.model_id: row.grants for row in await self._connection.execute(statement)}
        return {model_id: counts.get(model_id, 0) for model_id in model_ids}

    async def owners(self, kind: SubjectKind) -> list[str]:
        ids = [
            select(table.c.subject_id).where(table.c.subject_kind == kind) for table in (GRANTS, RATE_LIMITS, BUDGETS)
        ]
        return sorted(await self._connection.scalars(union(*ids)))

    async def rate_limits(self, subjects: Sequence[Subject]) -> dict[Subject, RateLimits]:
        rows = await self._connection.execute(select(RATE_LIMITS).where(of_subjects(RATE_LIMITS, subjects)))
        return {subject_of(row): limits_value(row) for row in rows}

    async def set_rate_limits(self, subject: Subject, limits: RateLimits) -> None:
        if limits.empty:
            await self._connection.execute(delete(RATE_LIMITS).where(of_subjects(RATE_LIMITS, [subject])))
        else:
            await upsert(self._connection, RATE_LIMITS, _subject_columns(subject) | asdict(limits))

    async def budgets(self, subjects: Sequence[Subject]) -> dict[Subject, Budget]:
        rows = await self._connection.execute(select(BUDGETS).where(of_subjects(BUDGETS, subjects)))
        return {subject_of(row): budget_value(row) for row in rows}

    async def set_budget(self, subject: Subject, budget: Budget) -> None:
        if budget == Budget():
            await self._connection.execute(delete(BUDGETS).where(of_subjects(BUDGETS, [subject])))
        else:
            columns = asdict(budget) | {"alert_thresholds": list(budget.alert_thresholds)}
            await upsert(self._connection, BUDGETS, _subject_columns(subject) | columns)

    async def remove_changes(self, before: datetime, most: int) -> int:
        newest = select(func.max(CHANGES.c.seq)).scalar_subquery()
        behind = select(func.min(PROCESSES.c.seq)).where(PROCESSES.c.lease_until >= before).scalar_subquery()
        passed = or_(behind.is_(None), CHANGES.c.seq <= behind)
        old = select(CHANGES.c.seq).where(CHANGES.c.at < before, CHANGES.c.seq < newest, passed)
        numbers = list(await self._connection.scalars(old.order_by(CHANGES.c.seq).limit(most)))
        if numbers:
            # All that are older go, too, should a clock have been turned back: no gap is left among those that stay.
            await self._connection.execute(delete(CHANGES).where(CHANGES.c.seq <= numbers[-1]))
        return len(numbers)

    async def _grants_for(self, subject: Subject, model_ids: Sequence[str]) -> list[Grant]:
        statement = (
            select(GRANTS)
            .where(of_subjects(GRANTS, [subject]), GRANTS.c.model_id.in_(model_ids))
            .order_by(GRANTS.c.created_at, GRANTS.c.id)
        )
        return [grant_value(row) for row in await self._connection.execute(statement)]


def of_subjects(table: Table, subjects: Iterable[Subject]) -> ColumnElement[bool]:
    """Rows of these subjects; one comparison per kind, so that the index on (kind, id) serves."""
    by_kind: dict[SubjectKind, list[str]] = {}
    for subject in subjects:
        by_kind.setdefault(subject.kind, []).append(subject.id)
    # A list of ids is never empty here; without subjects nothing may match.
    matches = [(table.c.subject_kind == kind.value) & table.c.subject_id.in_(ids) for kind, ids in by_kind.items()]
    return or_(*matches) if matches else table.c.subject_id.in_(())


def _subject_columns(subject: Subject) -> dict[str, Any]:
    return {"subject_kind": subject.kind, "subject_id": subject.id}
