"""What was used, from the hourly sums; single calls from the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from sluicegate.domain.usage import CallRecord
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.store import Page, PageRequest
from sluicegate.ports.usage import UsageScope, UsageTotals
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.rows import table_of
from sluicegate.storage.snapshot import snapshot
from sluicegate.storage.tables.identity import GroupRow, MembershipRow
from sluicegate.storage.usage_batch import HOUR_SUMS, HOURS, LEDGER, LEDGER_COLUMNS

_GROUPS, _MEMBERSHIPS = table_of(GroupRow), table_of(MembershipRow)
_SUMS = tuple(func.coalesce(func.sum(HOURS.c[name]), 0).label(name) for name in HOUR_SUMS)
# Per dimension the column that groups and the one that names.
_DIMENSIONS = {
    "user": (HOURS.c.user_id, HOURS.c.user_label),
    "model": (HOURS.c.model_slug, HOURS.c.model_slug),
    "provider": (HOURS.c.provider_id, HOURS.c.provider_name),
    "key": (HOURS.c.key_id, HOURS.c.key_label),
    "client_app": (HOURS.c.client_app, HOURS.c.client_app),
    "project": (HOURS.c.project, HOURS.c.project),
}


class SqlUsageReader:
    """Implements ports.usage.UsageReader."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def totals(self, scope: UsageScope) -> UsageTotals:
        async with snapshot(self._engine) as connection:
            return _totals((await connection.execute(select(*_SUMS).where(*_within(scope)))).one())

    async def by_hour(self, scope: UsageScope) -> dict[datetime, UsageTotals]:
        statement = select(HOURS.c.hour_ms, *_SUMS).where(*_within(scope)).group_by(HOURS.c.hour_ms)
        async with snapshot(self._engine) as connection:
            rows = (await connection.execute(statement)).all()
        return {datetime.fromtimestamp(row.hour_ms / 1000, UTC): _totals(row) for row in rows}

    async def breakdown(self, scope: UsageScope, by: str, first: int) -> list[tuple[str, str, UsageTotals]]:
        if by == "group":
            return await self._by_group(scope, first)
        if by not in _DIMENSIONS:
            raise InvalidInput("by", f"must be one of group, {', '.join(_DIMENSIONS)}")
        key, label = _DIMENSIONS[by]
        statement = _dearest(select(key.label("key"), *_SUMS).where(*_within(scope)), key, first)
        async with snapshot(self._engine) as connection:
            rows = (await connection.execute(statement)).all()
            newest = _newest_labels(scope, key, label, [row.key for row in rows])
            labels = {row.key: row.label for row in await connection.execute(newest)}
        return [(row.key, labels[row.key], _totals(row)) for row in rows]

    async def _by_group(self, scope: UsageScope, first: int) -> list[tuple[str, str, UsageTotals]]:
        key, label = func.coalesce(_GROUPS.c.id, ""), func.coalesce(func.max(_GROUPS.c.name), "")
        members = HOURS.outerjoin(_MEMBERSHIPS, _MEMBERSHIPS.c.user_id == HOURS.c.user_id)
        grouped = members.outerjoin(_GROUPS, _GROUPS.c.id == _MEMBERSHIPS.c.group_id)
        sums = select(key.label("key"), label.label("label"), *_SUMS).select_from(grouped).where(*_within(scope))
        async with snapshot(self._engine) as connection:
            rows = (await connection.execute(_dearest(sums, key, first))).all()
        return [(row.key, row.label, _totals(row)) for row in rows]

    async def calls(self, user_id: str | None, page: PageRequest) -> Page[CallRecord]:
        statement = select(LEDGER)
        if user_id is not None:
            statement = statement.where(LEDGER.c.user_id == user_id)
        statement = paged(statement, page, LEDGER.c.started_ms, LEDGER.c.call_id, descending=True)
        async with snapshot(self._engine) as connection:
            rows = (await connection.execute(statement)).all()
        return to_page(rows, page, _call, lambda row: [row.started_ms, row.call_id])


def _within(scope: UsageScope) -> list[ColumnElement[bool]]:
    start, end = (round(at.timestamp() * 1000) for at in (scope.start, scope.end))
    where = [HOURS.c.hour_ms >= start, HOURS.c.hour_ms < end]
    if scope.user_id is not None:
        where.append(HOURS.c.user_id == scope.user_id)
    if scope.group_id is not None:
        members = select(_MEMBERSHIPS.c.user_id).where(_MEMBERSHIPS.c.group_id == scope.group_id)
        where.append(HOURS.c.user_id.in_(members))
    return where


def _dearest(sums: Select[Any, Any], key: ColumnElement[str], first: int) -> Select[Any, Any]:
    cost, requests = func.sum(HOURS.c.cost_nanos), func.sum(HOURS.c.requests)
    return sums.group_by(key).order_by(cost.desc(), requests.desc(), key).limit(first)


def _newest_labels(
    scope: UsageScope, key: ColumnElement[str], label: ColumnElement[str], keys: list[str]
) -> Select[Any, Any]:
    # Names change while ids stay: the latest hour knows best, and among equals always the same one.
    rank = func.row_number().over(partition_by=key, order_by=(HOURS.c.hour_ms.desc(), label))
    ranked = (
        select(key.label("key"), label.label("label"), rank.label("rank"))
        .where(*_within(scope), key.in_(keys))
        .subquery()
    )
    return select(ranked.c.key, ranked.c.label).where(ranked.c.rank == 1)


def _totals(row: Row[*tuple[Any, ...]]) -> UsageTotals:
    # PostgreSQL sums whole numbers as decimals.
    return UsageTotals(**{name: int(getattr(row, name)) for name in HOUR_SUMS})


def _call(row: Row[Any]) -> CallRecord:
    values: dict[str, Any] = {name: getattr(row, name) for name in LEDGER_COLUMNS}
    values["group_ids"] = tuple(row.group_ids)
    return CallRecord(**values)
