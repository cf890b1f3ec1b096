"""Alerts, what they are made of, and who has seen them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, and_, delete, exists, func, insert, or_, select, tuple_, update

from sluicegate.domain.alert import Alert, Notice
from sluicegate.domain.policy import ChangeKind, PolicyChange, Subject, SubjectKind, Window
from sluicegate.kit.money import Nanos
from sluicegate.ports.alerts import AlertFilter, Spend, Told
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.policy import of_subjects
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.repositories.upsert import inserting
from sluicegate.storage.tables.alerts import ALERTS, NOTICES
from sluicegate.storage.tables.identity import MEMBERSHIPS, USERS
from sluicegate.storage.tables.policy import BUDGETS, CHANGES, OVERRIDES
from sluicegate.storage.tables.usage import SPEND
from sluicegate.storage.usage_sql import milliseconds

_KINDS = {kind.value: kind for kind in SubjectKind}
_TURN = 500
_NO_CAPS = (ChangeKind.CATALOG, ChangeKind.SECRET_RULES)


class SqlAlertRepository:
    """Implements ports.alerts.AlertRepository. Ids grow with time, so that they give the order of creation."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def moment(self) -> tuple[int, int]:
        newest = select(milliseconds(self._connection.dialect), func.max(CHANGES.c.seq))
        database_ms, version = (await self._connection.execute(newest)).one()
        return database_ms, version or 0

    async def changes(self, after: int, since: datetime) -> dict[int, PolicyChange]:
        wanted = or_(CHANGES.c.seq > after, CHANGES.c.at >= since)
        statement = select(CHANGES.c.seq, CHANGES.c.kind, CHANGES.c.subject_id).where(wanted)
        rows = await self._connection.execute(statement.where(CHANGES.c.kind.not_in(_NO_CAPS)))
        return {row.seq: PolicyChange(row.kind, row.subject_id) for row in rows}

    async def spent_since(self, periods: Collection[str], since_ms: int) -> dict[Subject, int]:
        subject = (SPEND.c.subject_kind, SPEND.c.subject_id)
        statement = (
            select(*subject, func.sum(SPEND.c.spent_nanos))
            .where(SPEND.c.period.in_(periods), SPEND.c.changed_ms >= since_ms)
            .group_by(*subject)
        )
        found: dict[Subject, int] = {}
        for rows in (await self._connection.execute(statement)).partitions(_TURN):
            found.update({Subject(_KINDS[kind], subject_id): int(spent) for kind, subject_id, spent in rows})
            # There may be some for everybody, and calls are not to wait for them.
            await asyncio.sleep(0)
        return found

    async def capped(self, kind: SubjectKind, after: str, most: int) -> list[str]:
        if kind is SubjectKind.USER:
            column, conditions = USERS.c.id, []
        else:
            column, conditions = BUDGETS.c.subject_id, [BUDGETS.c.subject_kind == kind]
        statement = select(column).where(*conditions, column > after).order_by(column).limit(most)
        return list(await self._connection.scalars(statement))

    async def near(self, subjects: Collection[Subject], periods: Mapping[str, Window], now: datetime) -> list[Subject]:
        kind, subject_id = SPEND.c.subject_kind, SPEND.c.subject_id
        # Each window with when its first threshold is reached, and with the least that is one for members of any group.
        amounts = {period: _first_threshold(window) for period, window in periods.items()}
        reached = or_(*(and_(SPEND.c.period == p, amount <= SPEND.c.spent_nanos) for p, amount in amounts.items()))
        of_any_group = BUDGETS.c.subject_kind == SubjectKind.GROUP
        least = {p: select(func.min(amount)).where(of_any_group).scalar_subquery() for p, amount in amounts.items()}
        likely = or_(*(and_(SPEND.c.period == p, amount <= SPEND.c.spent_nanos) for p, amount in least.items()))
        own = exists().where(BUDGETS.c.subject_kind == kind, BUDGETS.c.subject_id == subject_id, reached)
        # One within the other, so that SQLite goes through the groups of each person, and not through all groups.
        of_group = exists().where(of_any_group, BUDGETS.c.subject_id == MEMBERSHIPS.c.group_id, reached)
        of_groups = exists().where(MEMBERSHIPS.c.user_id == subject_id, of_group.correlate(SPEND, MEMBERSHIPS))
        overridden = exists().where(
            OVERRIDES.c.user_id == subject_id, OVERRIDES.c.ended_at.is_(None), OVERRIDES.c.ends_at > now
        )
        of_people = and_(kind == SubjectKind.USER.value, or_(overridden, and_(likely, of_groups)))
        where = (of_subjects(SPEND, subjects), SPEND.c.period.in_(periods), or_(own, of_people))
        rows = await self._connection.execute(select(kind, subject_id).where(*where).distinct())
        return [Subject(_KINDS[row.subject_kind], row.subject_id) for row in rows]

    async def spends(self, subjects: Collection[Subject], periods: Collection[str]) -> list[Spend]:
        statement = select(SPEND).where(of_subjects(SPEND, subjects), SPEND.c.period.in_(periods))
        rows = await self._connection.execute(
            statement.order_by(SPEND.c.subject_kind, SPEND.c.subject_id, SPEND.c.period)
        )
        return [Spend(Subject(_KINDS[row.subject_kind], row.subject_id), row.period, row.spent_nanos) for row in rows]

    async def told(self, subjects: Collection[Subject], periods: Collection[str]) -> Mapping[Told, int]:
        cap = (ALERTS.c.subject_kind, ALERTS.c.subject_id, ALERTS.c.period, ALERTS.c.cap_nanos)
        highest = select(*cap, func.max(ALERTS.c.threshold).label("highest"))
        where = (of_subjects(ALERTS, subjects), ALERTS.c.period.in_(periods))
        rows = await self._connection.execute(highest.where(*where).group_by(*cap))
        return {Told(Subject(row.subject_kind, row.subject_id), row.period, row.cap_nanos): row.highest for row in rows}

    async def add(self, alert: Alert) -> bool:
        # Of two who insert the same, the second waits for the first's transaction, and then finds it there.
        statement = inserting(self._connection, ALERTS).values(_columns(alert)).on_conflict_do_nothing()
        return (await self._connection.execute(statement.returning(ALERTS.c.id))).first() is not None

    async def notify(self, alert_id: str, user_ids: Sequence[str]) -> None:
        if user_ids:
            rows = [{"user_id": user_id, "alert_id": alert_id, "read_at": None} for user_id in user_ids]
            await self._connection.execute(insert(NOTICES), rows)

    async def page(self, where: AlertFilter, page: PageRequest) -> Page[Alert]:
        statement = paged(select(ALERTS).where(*_matches(where)), page, ALERTS.c.id, descending=True)
        rows = (await self._connection.execute(statement)).all()
        return to_page(rows, page, _alert, lambda row: [row.id])

    async def count(self, where: AlertFilter) -> int:
        return await self._connection.scalar(select(func.count(ALERTS.c.id)).where(*_matches(where))) or 0

    async def notices(self, user_id: str, unread: bool, page: PageRequest) -> Page[Notice]:
        chosen = select(ALERTS, NOTICES.c.read_at).join(NOTICES, NOTICES.c.alert_id == ALERTS.c.id)
        statement = paged(chosen.where(*_own(user_id, unread)), page, ALERTS.c.id, descending=True)
        rows = (await self._connection.execute(statement)).all()
        return to_page(rows, page, lambda row: Notice(_alert(row), row.read_at), lambda row: [row.id])

    async def count_notices(self, user_id: str, unread: bool) -> int:
        return await self._connection.scalar(select(func.count(NOTICES.c.alert_id)).where(*_own(user_id, unread))) or 0

    async def mark_read(self, user_id: str, alert_ids: Sequence[str] | None, at: datetime) -> None:
        which = _own(user_id, unread=True)
        if alert_ids is not None:
            which.append(NOTICES.c.alert_id.in_(alert_ids))
        await self._connection.execute(update(NOTICES).where(*which).values(read_at=at))

    async def remove(self, before: datetime) -> None:
        await self._connection.execute(delete(ALERTS).where(ALERTS.c.at < before))


def _first_threshold(window: Window) -> ColumnElement[int]:
    """How much of a budget's cap may be spent (nano-dollars) before there is something to tell, or a little less; null
    where there never is."""
    # A hundred times what was spent might not fit into the column. Thresholds ascend.
    cap = func.nullif(BUDGETS.c[window.value], 0, type_=BigInteger)
    return cap // 100 * BUDGETS.c.alert_thresholds[0].as_integer()


def _columns(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "subject_kind": alert.subject.kind,
        "subject_id": alert.subject.id,
        "subject_label": alert.subject_label,
        "user_id": alert.user_id,
        "budget_window": alert.window,
        "period": alert.period,
        "threshold": alert.threshold,
        "cap_nanos": alert.cap,
        "spent_nanos": alert.spent,
        "set_by_kind": alert.set_by.kind,
        "set_by_id": alert.set_by.id,
        "set_by_label": alert.set_by_label,
        "at": alert.at,
        "resets_at": alert.resets_at,
    }


def _alert(row: Row[Any]) -> Alert:
    return to_value(
        Alert,
        row,
        subject=Subject(row.subject_kind, row.subject_id),
        set_by=Subject(row.set_by_kind, row.set_by_id),
        window=row.budget_window,
        cap=Nanos(row.cap_nanos),
        spent=Nanos(row.spent_nanos),
    )


def _matches(where: AlertFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if where.kind is not None:
        conditions.append(ALERTS.c.subject_kind == where.kind)
    if where.user_id is not None:
        conditions.append(ALERTS.c.user_id == where.user_id)
    if where.group_id is not None:
        setters = [(kind, where.group_id) for kind in (SubjectKind.GROUP, SubjectKind.POOL)]
        conditions.append(tuple_(ALERTS.c.set_by_kind, ALERTS.c.set_by_id).in_(setters))
    return conditions


def _own(user_id: str, unread: bool) -> list[ColumnElement[bool]]:
    own = [NOTICES.c.user_id == user_id]
    return [*own, NOTICES.c.read_at.is_(None)] if unread else own
