"""What was used, from the roll-ups and what waits to be added to them; single calls from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Select, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sluicegate.domain.policy import Window
from sluicegate.domain.usage import CallRecord
from sluicegate.kit.errors import InvalidInput
from sluicegate.policy.windows import period_of
from sluicegate.ports.store import Page, PageRequest
from sluicegate.ports.usage import CallFilter, Grain, UsageScope, UsageTotals
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.rollups import (
    CUBE,
    DAY,
    GROUPS,
    LABELS,
    MONTH,
    PEOPLE,
    SESSIONS,
    SLICES,
    STARTS,
)
from sluicegate.storage.snapshot import snapshot
from sluicegate.storage.tables.rollups import EVERYONE
from sluicegate.storage.usage_batch import GROUP_SETS, LEDGER, PENDING, SUMS
from sluicegate.storage.usage_rows import call_of

# Per dimension the column that groups; those whose key is an id have a name in `usage_labels`.
_COLUMNS = {
    "user": "user_id",
    "group": "group_id",
    "model": "model_slug",
    "provider": "provider_id",
    "key": "key_id",
    "client_app": "client_app",
    "project": "project",
    "session": "session_id",
}
_NAMED = ("user", "group", "provider", "key")
_PEOPLE = ("user_id", "key_id", "group_id")
_LOOKED_UP = 500


class SqlUsageReader:
    """Implements ports.usage.UsageReader; days and months are those of `zone`."""

    def __init__(self, engine: AsyncEngine, zone: tzinfo) -> None:
        self._engine = engine
        self._zone = zone

    async def totals(self, scope: UsageScope) -> UsageTotals:
        parts = _union([*self._rolled(scope, None), _pending(scope, DAY, None)])
        async with snapshot(self._engine) as connection:
            return _totals((await connection.execute(select(*_added(parts)))).one())

    async def by_interval(self, scope: UsageScope, grain: Grain) -> dict[datetime, UsageTotals]:
        span = _span(scope)
        parts = _union([_table_part(scope, grain.value, span, None), _pending(scope, grain.value, None)])
        statement = select(parts.c.start_ms, *_added(parts)).group_by(parts.c.start_ms)
        async with snapshot(self._engine) as connection:
            rows = (await connection.execute(statement)).all()
        return {datetime.fromtimestamp(row.start_ms / 1000, UTC): _totals(row) for row in rows}

    async def breakdown(
        self, scope: UsageScope, by: str, first: int | None, order: str = "cost_nanos"
    ) -> list[tuple[str, str, UsageTotals]]:
        if by not in _COLUMNS:
            raise InvalidInput("by", f"must be one of {', '.join(_COLUMNS)}")
        column = _COLUMNS[by]
        parts = _union([*self._rolled(scope, column), _pending(scope, DAY, column)])
        # What order says first, what was asked most often next, and always the same among equals.
        sorting = [func.sum(parts.c[order]).desc(), func.sum(parts.c.requests).desc(), parts.c.key]
        if order == "tokens":
            sorting[0] = (func.sum(parts.c.input_tokens) + func.sum(parts.c.output_tokens)).desc()
        statement = select(parts.c.key, *_added(parts)).group_by(parts.c.key).order_by(*sorting).limit(first)
        async with snapshot(self._engine) as connection:
            rows = (await connection.execute(statement)).all()
            keys: list[str] = [row.key for row in rows]
            names = await self._names(connection, by, keys) if by in _NAMED else {key: key for key in keys}
        return [(key, names.get(key, key), _totals(row)) for key, row in zip(keys, rows, strict=True)]

    async def _names(self, connection: AsyncConnection, by: str, keys: Sequence[str]) -> dict[str, str]:
        names: dict[str, str] = {}
        for start in range(0, len(keys), _LOOKED_UP):
            part = keys[start : start + _LOOKED_UP]
            known = select(LABELS.c.id, LABELS.c.label).where(LABELS.c.kind == by, LABELS.c.id.in_(part))
            names.update({row.id: row.label for row in await connection.execute(known)})
            if by == "group":
                present = select(GROUPS.c.id, GROUPS.c.name).where(GROUPS.c.id.in_(part))
                names.update({row.id: row.name for row in await connection.execute(present)})
            else:
                key, label = PENDING.c[_COLUMNS[by]], PENDING.c[_LABEL_COLUMNS[by]]
                fresh = select(key, label).where(key.in_(part)).order_by(PENDING.c.latest_ms, label)
                names.update({row[0]: row[1] for row in await connection.execute(fresh)})
        return names

    async def calls(self, where: CallFilter, page: PageRequest) -> Page[CallRecord]:
        statement = select(LEDGER).where(*_matching(where))
        statement = paged(statement, page, LEDGER.c.started_ms, LEDGER.c.call_id, descending=True)
        async with snapshot(self._engine) as connection:
            rows = (await connection.execute(statement)).all()
        return to_page(rows, page, call_of, lambda row: [row.started_ms, row.call_id])

    def _rolled(self, scope: UsageScope, column: str | None) -> list[Select[Any]]:
        """Whole months from their sums, the days around them from theirs."""
        if column == "session_id":
            return [_sessions(scope)]
        return [_table_part(scope, grain, span, column) for grain, span in _split(_span(scope), self._zone)]


_LABEL_COLUMNS = {"user": "user_label", "key": "key_label", "provider": "provider_name"}


def _split(span: tuple[int, int], zone: tzinfo) -> Iterator[tuple[str, tuple[int, int]]]:
    start, end = span
    inside: list[tuple[int, int]] = []
    at = start
    while at < end:
        month = period_of(Window.MONTH, datetime.fromtimestamp(at / 1000, UTC), zone)
        begins, ends = (round(edge.timestamp() * 1000) for edge in (month.start, month.end))
        if start <= begins and ends <= end:
            inside.append((begins, ends))
        at = ends
    if not inside:
        yield DAY, span
        return
    whole = inside[0][0], inside[-1][1]
    yield MONTH, whole
    if start < whole[0]:
        yield DAY, (start, whole[0])
    if whole[1] < end:
        yield DAY, (whole[1], end)


def _table_part(scope: UsageScope, grain: str, span: tuple[int, int], column: str | None) -> Select[Any]:
    if scope.user_id is not None:
        if column is None or column in _PEOPLE:
            return _people(grain, span, column, PEOPLE.c.user_id == scope.user_id)
        where = [CUBE.c.user_id == scope.user_id]
        return _part(CUBE, CUBE, [CUBE.c.grain == grain, *where, *_in(CUBE.c.start_ms, span)], CUBE.c[column])
    if column == "group_id" and scope.group_id is None:
        where = [SLICES.c.scope != EVERYONE, SLICES.c.dimension == "provider_id"]
        return _part(SLICES, SLICES, [SLICES.c.grain == grain, *where, *_in(SLICES.c.start_ms, span)], SLICES.c.scope)
    if column in _PEOPLE:
        members = [PEOPLE.c.group_set.in_(_sets_with(scope.group_id))] if scope.group_id is not None else []
        return _people(grain, span, column, *members)
    where = [
        SLICES.c.grain == grain,
        SLICES.c.scope == (EVERYONE if scope.group_id is None else scope.group_id),
        SLICES.c.dimension == (column or "provider_id"),
    ]
    key = SLICES.c.key if column is not None else None
    return _part(SLICES, SLICES, [*where, *_in(SLICES.c.start_ms, span)], key)


def _people(grain: str, span: tuple[int, int], column: str | None, *who: ColumnElement[bool]) -> Select[Any]:
    where = [PEOPLE.c.grain == grain, *_in(PEOPLE.c.start_ms, span), *who]
    if column == "group_id":
        joined = PEOPLE.join(GROUP_SETS, GROUP_SETS.c.set_id == PEOPLE.c.group_set)
        return _part(PEOPLE, joined, where, GROUP_SETS.c.group_id)
    return _part(PEOPLE, PEOPLE, where, None if column is None else PEOPLE.c[column])


def _sessions(scope: UsageScope) -> Select[Any]:
    where = [*_in(SESSIONS.c.start_ms, _span(scope))]
    if scope.user_id is not None:
        where.append(SESSIONS.c.user_id == scope.user_id)
    if scope.group_id is not None:
        where.append(SESSIONS.c.group_set.in_(_sets_with(scope.group_id)))
    return _part(SESSIONS, SESSIONS, where, SESSIONS.c.session_id)


def _pending(scope: UsageScope, grain: str, column: str | None) -> Select[Any]:
    start = STARTS[grain]
    where = [*_in(PENDING.c.day_ms, _span(scope))]
    if scope.user_id is not None:
        where.append(PENDING.c.user_id == scope.user_id)
    if scope.group_id is not None:
        where.append(PENDING.c.group_set.in_(_sets_with(scope.group_id)))
    if column == "group_id":
        joined = PENDING.join(GROUP_SETS, GROUP_SETS.c.set_id == PENDING.c.group_set)
        return _part(PENDING, joined, where, GROUP_SETS.c.group_id, start)
    return _part(PENDING, PENDING, where, None if column is None else PENDING.c[column], start)


def _sets_with(group_id: str) -> Select[tuple[str]]:
    return select(GROUP_SETS.c.set_id).where(GROUP_SETS.c.group_id == group_id)


def _part(
    table: FromClause,
    source: FromClause,
    where: list[ColumnElement[bool]],
    key: ColumnElement[str] | None,
    start: ColumnElement[int] | None = None,
) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [(table.c.start_ms if start is None else start).label("start_ms")]
    columns.append((literal("") if key is None else key).label("key"))
    return select(*columns, *(table.c[name].label(name) for name in SUMS)).select_from(source).where(*where)


def _union(parts: list[Select[Any]]) -> FromClause:
    return union_all(*parts).subquery()


def _added(parts: FromClause) -> list[ColumnElement[Any]]:
    return [func.coalesce(func.sum(parts.c[name]), 0).label(name) for name in SUMS]


def _span(scope: UsageScope) -> tuple[int, int]:
    start, end = (round(at.timestamp() * 1000) for at in (scope.start, scope.end))
    return start, end


def _in(column: ColumnElement[int], span: tuple[int, int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return column >= span[0], column < span[1]


def _matching(where: CallFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.user_id is not None:
        found.append(LEDGER.c.user_id == where.user_id)
    if where.model_slug is not None:
        found.append(LEDGER.c.model_slug == where.model_slug)
    if where.outcome is not None:
        found.append(LEDGER.c.outcome == where.outcome.value)
    if where.status is not None:
        found.append(LEDGER.c.status == where.status)
    if where.since is not None:
        found.append(LEDGER.c.started_ms >= round(where.since.timestamp() * 1000))
    if where.until is not None:
        found.append(LEDGER.c.started_ms < round(where.until.timestamp() * 1000))
    return found


def _totals(row: Row[Any]) -> UsageTotals:
    # PostgreSQL sums whole numbers as decimals.
    return UsageTotals(**{name: int(getattr(row, name)) for name in SUMS})
