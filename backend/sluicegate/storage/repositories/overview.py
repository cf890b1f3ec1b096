"""Everybody who has limits or caps of their own, lasting or for a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from sluicegate.domain.policy import NO_BUDGET, Dimension, Subject, SubjectKind, Window
from sluicegate.kit.cursor import CursorValues
from sluicegate.ports.overview import BudgetOwner, CapUse, LimitOwner, Moment, OwnerFilter
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.policy import budget_value, limits_value
from sluicegate.storage.repositories.search import named_like
from sluicegate.storage.tables.identity import GROUPS, MEMBERSHIPS, USERS
from sluicegate.storage.tables.policy import BUDGETS, OVERRIDES, RATE_LIMITS
from sluicegate.storage.tables.usage import SPEND

_SHOWN = (SubjectKind.USER, SubjectKind.GROUP, SubjectKind.POOL)
_OF_GROUPS = (SubjectKind.GROUP, SubjectKind.POOL)
# What people are called comes first: administrators look for somebody.
_LABEL = func.coalesce(USERS.c.sort_name, func.lower(GROUPS.c.name))


class SqlOverviewRepository:
    """Implements ports.overview.OverviewRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page_budgets(
        self, where: OwnerFilter, use: CapUse | None, at: Moment, page: PageRequest
    ) -> Page[BudgetOwner]:
        rows = _rows(BUDGETS, [*Window], where, at.now)
        spent = {window: _spent(rows, key) for window, key in at.periods.items()}
        columns = [column.label(f"spent_{window.value}") for window, column in spent.items()]
        chosen = _owned(self._connection, rows, where, *columns).where(_capped(rows, use, spent, at.now))
        found = (await self._connection.execute(paged(chosen, page, *_keys(rows)))).all()
        return to_page(found, page, _budget_owner, _place)

    async def count_budgets(self, where: OwnerFilter, use: CapUse | None, at: Moment) -> int:
        rows = _rows(BUDGETS, [*Window], where, at.now)
        spent = {window: _spent(rows, key) for window, key in at.periods.items()}
        return await self._count(_owned(self._connection, rows, where).where(_capped(rows, use, spent, at.now)))

    async def page_limits(self, where: OwnerFilter, now: datetime, page: PageRequest) -> Page[LimitOwner]:
        rows = _rows(RATE_LIMITS, [*Dimension], where, now)
        found = (await self._connection.execute(paged(_owned(self._connection, rows, where), page, *_keys(rows)))).all()
        return to_page(found, page, lambda row: LimitOwner(*_owner(row), limits_value(row)), _place)

    async def count_limits(self, where: OwnerFilter, now: datetime) -> int:
        return await self._count(_owned(self._connection, _rows(RATE_LIMITS, [*Dimension], where, now), where))

    async def _count(self, chosen: Select[Any]) -> int:
        return await self._connection.scalar(select(func.count()).select_from(chosen.subquery())) or 0


def _rows(table: Table, targets: Sequence[Dimension | Window], where: OwnerFilter, now: datetime) -> FromClause:
    """What is set, and an empty row for each user who has nothing but what stands in for a while."""
    if where.kind not in (None, SubjectKind.USER):
        return table
    unset: dict[str, ColumnElement[Any]] = {
        "subject_kind": literal(SubjectKind.USER, table.c.subject_kind.type),
        "subject_id": OVERRIDES.c.user_id,
    }
    if table is BUDGETS:
        unset["alert_thresholds"] = literal(list(NO_BUDGET.alert_thresholds), table.c.alert_thresholds.type)
    columns = [unset.get(c.name, cast(null(), c.type)).label(c.name) for c in table.c]
    is_set = select(table.c.subject_id).where(
        table.c.subject_kind == SubjectKind.USER, table.c.subject_id == OVERRIDES.c.user_id
    )
    others = select(*columns).where(*_running(targets, now), ~is_set.correlate(OVERRIDES).exists())
    # Not DISTINCT: PostgreSQL cannot compare JSON.
    return union_all(select(table), others.group_by(OVERRIDES.c.user_id)).subquery()


def _owned(
    connection: AsyncConnection, rows: FromClause, where: OwnerFilter, *columns: ColumnElement[Any]
) -> Select[Any]:
    """The rows of users, groups and pools, with their names."""
    kind = rows.c.subject_kind
    named = (_LABEL.label("owner_order"), USERS.c.name.label("user_name"), USERS.c.email)
    statement = (
        select(rows, *named, GROUPS.c.name.label("group_name"), *columns)
        .outerjoin(USERS, and_(kind == SubjectKind.USER, USERS.c.id == rows.c.subject_id))
        .outerjoin(GROUPS, and_(kind.in_(_OF_GROUPS), GROUPS.c.id == rows.c.subject_id))
        .where(kind.in_(_SHOWN if where.kind is None else (where.kind,)), _LABEL.is_not(None))
    )
    return statement.where(*named_like(connection, where.search, _LABEL, USERS.c.email))


def _keys(rows: FromClause) -> tuple[ColumnElement[Any], ...]:
    return _LABEL, type_coerce(rows.c.subject_kind, String), rows.c.subject_id


def _place(row: Row[Any]) -> CursorValues:
    return [row.owner_order, row.subject_kind.value, row.subject_id]


def _owner(row: Row[Any]) -> tuple[Subject, str, str | None]:
    name = row.group_name if row.group_name is not None else row.user_name or row.email
    return Subject(row.subject_kind, row.subject_id), name, row.email


def _budget_owner(row: Row[Any]) -> BudgetOwner:
    spent = {window: int(getattr(row, f"spent_{window.value}")) for window in Window}
    return BudgetOwner(*_owner(row), budget_value(row), spent)


def _spent(rows: FromClause, period: str) -> ColumnElement[int]:
    """By the subject in a period; of a group's row by the member who spent most."""
    kind = type_coerce(rows.c.subject_kind, String)
    own = select(SPEND.c.spent_nanos).where(
        SPEND.c.subject_kind == kind, SPEND.c.subject_id == rows.c.subject_id, SPEND.c.period == period
    )
    most = (
        select(func.max(SPEND.c.spent_nanos))
        .join(MEMBERSHIPS, MEMBERSHIPS.c.user_id == SPEND.c.subject_id)
        .where(
            SPEND.c.subject_kind == SubjectKind.USER.value,
            SPEND.c.period == period,
            MEMBERSHIPS.c.group_id == rows.c.subject_id,
        )
    )
    whose = case(
        (rows.c.subject_kind == SubjectKind.GROUP, most.correlate(rows).scalar_subquery()),
        else_=own.correlate(rows).scalar_subquery(),
    )
    return func.coalesce(whose, 0)


def _capped(
    rows: FromClause, use: CapUse | None, spent: Mapping[Window, ColumnElement[int]], now: datetime
) -> ColumnElement[bool]:
    """Rows with a cap, lasting or for a while, or with one that is used up as far as is asked for."""
    if use is None:
        return or_(*(rows.c[w.value].is_not(None) for w in Window), _standing_in(rows, [*Window], now).exists())
    caps = {window: _in_force(rows, window, now) for window in Window}
    # Not times 80: the largest caps would not fit any more.
    least = {w: cap if use is CapUse.REACHED else cap - cap // 5 for w, cap in caps.items()}
    return or_(*(and_(caps[w].is_not(None), spent[w] >= least[w]) for w in Window))


def _in_force(rows: FromClause, window: Window, now: datetime) -> ColumnElement[int | None]:
    """The cap that is set, or what stands in for a user's while it runs; null when that lifts it."""
    standing_in = _standing_in(rows, [window], now)
    last = standing_in.order_by(OVERRIDES.c.created_at.desc(), OVERRIDES.c.id.desc()).limit(1)
    return case((standing_in.exists(), last.scalar_subquery()), else_=rows.c[window.value])


def _standing_in(rows: FromClause, windows: Sequence[Window], now: datetime) -> Select[Any]:
    """The caps by overrides that run for the user of a row of budgets."""
    of_row = (rows.c.subject_kind == SubjectKind.USER, OVERRIDES.c.user_id == rows.c.subject_id)
    return select(OVERRIDES.c.value).where(*of_row, *_running(windows, now)).correlate(rows)


def _running(targets: Sequence[Dimension | Window], now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        OVERRIDES.c.target.in_([target.value for target in targets]),
        OVERRIDES.c.ended_at.is_(None),
        OVERRIDES.c.ends_at > now,
    )
