"""Everybody who has limits or caps of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, Table, and_, case, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.kit.cursor import CursorValues
from sluicegate.ports.overview import BudgetOwner, CapUse, LimitOwner, Moment, OwnerFilter
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.storage.repositories.overrides import OVERRIDES
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.policy import BUDGETS, RATE_LIMITS, budget_value, limits_value
from sluicegate.storage.repositories.rows import table_of
from sluicegate.storage.repositories.search import named_like
from sluicegate.storage.tables.identity import GroupRow, MembershipRow, UserRow
from sluicegate.storage.usage_batch import SPEND

_USERS, _GROUPS, _MEMBERSHIPS = table_of(UserRow), table_of(GroupRow), table_of(MembershipRow)
_SHOWN = (SubjectKind.USER, SubjectKind.GROUP, SubjectKind.POOL)
_OF_GROUPS = (SubjectKind.GROUP, SubjectKind.POOL)
# What people are called comes first: administrators look for somebody.
_LABEL = func.coalesce(_USERS.c.sort_name, func.lower(_GROUPS.c.name))


class SqlOverviewRepository:
    """Implements ports.overview.OverviewRepository."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page_budgets(
        self, where: OwnerFilter, use: CapUse | None, at: Moment, page: PageRequest
    ) -> Page[BudgetOwner]:
        spent = {window: _spent(key) for window, key in at.periods.items()}
        columns = [column.label(f"spent_{window.value}") for window, column in spent.items()]
        chosen = _owned(BUDGETS, where, *columns).where(_capped(use, spent, at.now))
        rows = (await self._session.execute(paged(chosen, page, *_keys(BUDGETS)))).all()
        return to_page(rows, page, _budget_owner, _place)

    async def count_budgets(self, where: OwnerFilter, use: CapUse | None, at: Moment) -> int:
        spent = {window: _spent(key) for window, key in at.periods.items()}
        return await self._count(_owned(BUDGETS, where).where(_capped(use, spent, at.now)))

    async def page_limits(self, where: OwnerFilter, page: PageRequest) -> Page[LimitOwner]:
        chosen = _owned(RATE_LIMITS, where)
        rows = (await self._session.execute(paged(chosen, page, *_keys(RATE_LIMITS)))).all()
        return to_page(rows, page, lambda row: LimitOwner(*_owner(row), limits_value(row)), _place)

    async def count_limits(self, where: OwnerFilter) -> int:
        return await self._count(_owned(RATE_LIMITS, where))

    async def _count(self, chosen: Select[Any]) -> int:
        return await self._session.scalar(select(func.count()).select_from(chosen.subquery())) or 0


def _owned(table: Table, where: OwnerFilter, *columns: ColumnElement[Any]) -> Select[Any]:
    """The rows of users, groups and pools, with their names."""
    kind = table.c.subject_kind
    named = (_LABEL.label("owner_order"), _USERS.c.name.label("user_name"), _USERS.c.email)
    statement = (
        select(table, *named, _GROUPS.c.name.label("group_name"), *columns)
        .outerjoin(_USERS, and_(kind == SubjectKind.USER, _USERS.c.id == table.c.subject_id))
        .outerjoin(_GROUPS, and_(kind.in_(_OF_GROUPS), _GROUPS.c.id == table.c.subject_id))
        .where(kind.in_(_SHOWN if where.kind is None else (where.kind,)), _LABEL.is_not(None))
    )
    return statement.where(*named_like(where.search, _LABEL, _USERS.c.email))


def _keys(table: Table) -> tuple[ColumnElement[Any], ...]:
    return _LABEL, type_coerce(table.c.subject_kind, String), table.c.subject_id


def _place(row: Row[Any]) -> CursorValues:
    return [row.owner_order, row.subject_kind.value, row.subject_id]


def _owner(row: Row[Any]) -> tuple[Subject, str, str | None]:
    name = row.group_name if row.group_name is not None else row.user_name or row.email
    return Subject(row.subject_kind, row.subject_id), name, row.email


def _budget_owner(row: Row[Any]) -> BudgetOwner:
    spent = {window: int(getattr(row, f"spent_{window.value}")) for window in Window}
    return BudgetOwner(*_owner(row), budget_value(row), spent)


def _spent(period: str) -> ColumnElement[int]:
    """By the subject in a period; of a group's row by the member who spent most."""
    kind = type_coerce(BUDGETS.c.subject_kind, String)
    own = select(SPEND.c.spent_nanos).where(
        SPEND.c.subject_kind == kind, SPEND.c.subject_id == BUDGETS.c.subject_id, SPEND.c.period == period
    )
    most = (
        select(func.max(SPEND.c.spent_nanos))
        .join(_MEMBERSHIPS, _MEMBERSHIPS.c.user_id == SPEND.c.subject_id)
        .where(
            SPEND.c.subject_kind == SubjectKind.USER.value,
            SPEND.c.period == period,
            _MEMBERSHIPS.c.group_id == BUDGETS.c.subject_id,
        )
    )
    whose = case(
        (BUDGETS.c.subject_kind == SubjectKind.GROUP, most.correlate(BUDGETS).scalar_subquery()),
        else_=own.correlate(BUDGETS).scalar_subquery(),
    )
    return func.coalesce(whose, 0)


def _capped(use: CapUse | None, spent: Mapping[Window, ColumnElement[int]], now: datetime) -> ColumnElement[bool]:
    """Rows with a cap, lasting or for a while, or with one that is used up as far as is asked for."""
    if use is None:
        return or_(*(BUDGETS.c[w.value].is_not(None) for w in Window), _standing_in([*Window], now).exists())
    caps = {window: _in_force(window, now) for window in Window}
    # Not times 80: the largest caps would not fit any more.
    least = {w: cap if use is CapUse.REACHED else cap - cap // 5 for w, cap in caps.items()}
    return or_(*(and_(caps[w].is_not(None), spent[w] >= least[w]) for w in Window))


def _in_force(window: Window, now: datetime) -> ColumnElement[int | None]:
    """The cap that is set, or what stands in for a user's while it runs; null when that lifts it."""
    standing_in = _standing_in([window], now)
    last = standing_in.order_by(OVERRIDES.c.created_at.desc(), OVERRIDES.c.id.desc()).limit(1)
    return case((standing_in.exists(), last.scalar_subquery()), else_=BUDGETS.c[window.value])


def _standing_in(windows: Sequence[Window], now: datetime) -> Select[Any]:
    """The caps by overrides that run for the user of a row of budgets."""
    return (
        select(OVERRIDES.c.value)
        .where(
            BUDGETS.c.subject_kind == SubjectKind.USER,
            OVERRIDES.c.user_id == BUDGETS.c.subject_id,
            OVERRIDES.c.target.in_([window.value for window in windows]),
            OVERRIDES.c.ended_at.is_(None),
            OVERRIDES.c.ends_at > now,
        )
        .correlate(BUDGETS)
    )
