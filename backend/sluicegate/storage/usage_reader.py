"""What was used, from the roll-ups and what waits to be added to them; single calls from the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Row,
    Select,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from sluicegate.domain.usage import CallRecord
from sluicegate.domain.user import deleted_label
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.ports.usage import CallFilter, Grain, ProviderDay, UsageScope, UsageTotals
from sluicegate.storage.connections import AsyncConnection, AsyncEngine
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.rollups import DAY, STARTS
from sluicegate.storage.snapshot import snapshot
from sluicegate.storage.spans import OF_ALL, OF_PEOPLE, split
from sluicegate.storage.tables.identity import GROUPS, USERS
from sluicegate.storage.tables.rollups import (
    CUBE,
    EVERYONE,
    GROUP_SETS,
    LABELS,
    PENDING,
    PEOPLE,
    REFUSALS,
    SLICES,
    USAGE_SESSIONS,
)
from sluicegate.storage.tables.usage import LEDGER
from sluicegate.storage.usage_batch import SUMS
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
# Of these there may be as many as people, or more.
_MANY = ("user", "key", "session")
_ORDERS = {"tokens": ("input_tokens", "output_tokens")}
_LOOKED_UP = 500
_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
_PROVIDER_SUMS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "cost_nanos",
)


class SqlUsageReader:
    """Implements ports.usage.UsageReader; days and months are those of `zone`."""

    def __init__(self, engine: AsyncEngine, zone: tzinfo) -> None:
        self._engine = engine
        self._zone = zone

    async def totals(self, scope: UsageScope) -> UsageTotals:
        ask = _Ask(scope)
        parts = _union([*self._rolled(ask), _pending(ask, DAY)])
        async with snapshot(self._engine) as connection:
            return _totals((await connection.execute(select(*_added(parts)))).one())

    async def by_interval(self, scope: UsageScope, grain: Grain) -> dict[datetime, UsageTotals]:
        ask = _Ask(scope, by_start=True)
        parts = _union([_table_part(ask, grain.value, _span(scope)), _pending(ask, grain.value)])
        statement = select(parts.c.start_ms, *_added(parts)).group_by(parts.c.start_ms)
        async with snapshot(self._engine) as connection:
            rows = (await connection.execute(statement)).all()
        return {datetime.fromtimestamp(row.start_ms / 1000, UTC): _totals(row) for row in rows}

    async def breakdown(
        self, scope: UsageScope, by: str, first: int | None, order: str = "cost_nanos"
    ) -> list[tuple[str, str, UsageTotals]]:
        if by not in _COLUMNS:
            raise InvalidInput("by", f"must be one of {', '.join(_COLUMNS)}")
        ask = _Ask(scope, _COLUMNS[by])
        async with snapshot(self._engine) as connection:
            if first is not None and by in _MANY:
                # Few figures to tell who comes first, and all of them for those alone: a third of the work.
                ranking = _ORDERS.get(order, (order,))
                ranked = self._greatest(replace(ask, names=tuple({*ranking, "requests"})), order, first)
                found = (await connection.execute(ranked)).all()
                ask = replace(ask, keys=tuple(row.key for row in found))
                if by == "key":
                    # A key is one user's, by whom rows are found.
                    ask = replace(ask, owners=tuple(row.owner for row in found))
            rows = (await connection.execute(self._greatest(ask, order, first))).all()
            keys: list[str] = [row.key for row in rows]
            names = await self._names(connection, by, keys) if by in _NAMED else {key: key for key in keys}
        return [(key, str(names.get(key, key)), _totals(row)) for key, row in zip(keys, rows, strict=True)]

    def _greatest(self, ask: _Ask, order: str, first: int | None) -> Select[*tuple[Any, ...]]:
        parts = _union([*self._rolled(ask), _pending(ask, DAY)])
        of = sum((func.sum(parts.c[name]) for name in _ORDERS.get(order, (order,))), start=literal(0))
        # What was asked most often next, and always the same among equals.
        sorting = (of.desc(), func.sum(parts.c.requests).desc(), parts.c.key)
        columns = [parts.c.key, *_added(parts, ask.names)]
        if ask.by_owner:
            columns.append(func.max(parts.c.owner).label("owner"))
        return select(*columns).group_by(parts.c.key).order_by(*sorting).limit(first)

    async def _names(self, connection: AsyncConnection, by: str, keys: Sequence[str]) -> dict[str, str]:
        names: dict[str, str] = {}
        for start in range(0, len(keys), _LOOKED_UP):
            part = keys[start : start + _LOOKED_UP]
            here = LABELS.outerjoin(USERS, USERS.c.id == LABELS.c.id) if by == "user" else LABELS
            present = USERS.c.id.is_not(None) if by == "user" else true()
            known = select(LABELS.c.id, LABELS.c.label, present.label("present")).select_from(here)
            found = (await connection.execute(known.where(LABELS.c.kind == by, LABELS.c.id.in_(part)))).all()
            names.update({row.id: row.label for row in found})
            if by == "group":
                present = select(GROUPS.c.id, GROUPS.c.name).where(GROUPS.c.id.in_(part))
                names.update({row.id: row.name for row in await connection.execute(present)})
            else:
                key, label = PENDING.c[_COLUMNS[by]], PENDING.c[_LABEL_COLUMNS[by]]
                fresh = select(key, label).where(key.in_(part)).order_by(PENDING.c.latest_ms, label)
                names.update({row[0]: row[1] for row in await connection.execute(fresh)})
            names.update({row.id: deleted_label(names[row.id]) for row in found if not row.present})
        return names

    async def refusals(self, scope: UsageScope) -> dict[str, int]:
        whose = scope.user_id or scope.group_id or EVERYONE
        calls = func.sum(REFUSALS.c.calls)
        where = (REFUSALS.c.scope == whose, *_in(REFUSALS.c.start_ms, _span(scope)))
        statement = select(REFUSALS.c.reason, calls).where(*where).group_by(REFUSALS.c.reason)
        async with snapshot(self._engine) as connection:
            return {row[0]: int(row[1]) for row in await connection.execute(statement)}

    async def calls(self, where: CallFilter, page: PageRequest) -> Page[CallRecord]:
        statement = select(LEDGER).where(*_matching(where))
        statement = paged(statement, page, LEDGER.c.started_ms, LEDGER.c.call_id, descending=True)
        async with snapshot(self._engine) as connection:
            rows = (await connection.execute(statement)).all()
        return to_page(rows, page, call_of, lambda row: [row.started_ms, row.call_id])

    async def provider_days(self, provider_id: str, since: datetime, until: datetime) -> list[ProviderDay]:
        day, model = (LEDGER.c.started_ms // _DAY_MS).label("day"), LEDGER.c.provider_model
        sums = [func.sum(LEDGER.c[name]).label(name) for name in _PROVIDER_SUMS]
        sums.append(func.sum(cast(LEDGER.c.estimated, Integer)).label("estimated"))
        span = _matching(CallFilter(since=since, until=until))
        statement = select(day, model, func.count().label("requests"), *sums).group_by(day, model).order_by(day, model)
        statement = statement.where(LEDGER.c.provider_id == provider_id, *span)
        async with snapshot(self._engine) as connection:
            rows = (await connection.execute(statement)).all()
        return [
            ProviderDay(
                _EPOCH + timedelta(days=int(row.day)),
                row.provider_model,
                requests=row.requests,
                estimated=int(row.estimated),
                **{name: int(getattr(row, name)) for name in _PROVIDER_SUMS},
            )
            for row in rows
        ]

    def _rolled(self, ask: _Ask) -> list[Select[Any]]:
        """Whole months from their sums, the days around them from theirs."""
        if ask.column == "session_id":
            return [_sessions(ask)]
        if _is_of_people(ask):
            return [_people(ask, list(split(_span(ask.scope), self._zone, OF_PEOPLE)))]
        return [_table_part(ask, grain, span) for grain, span in split(_span(ask.scope), self._zone, OF_ALL)]


@dataclass(frozen=True, slots=True)
class _Ask:
    """What is wanted of whom: by a column or by where spans begin; with `keys`, of those alone."""

    scope: UsageScope
    column: str | None = None
    by_start: bool = False
    names: tuple[str, ...] = SUMS
    keys: tuple[str, ...] | None = None
    owners: tuple[str, ...] | None = None

    @property
    def by_owner(self) -> bool:
        return self.column == "key_id" and self.keys is None


_LABEL_COLUMNS = {"user": "user_label", "key": "key_label", "provider": "provider_name"}


def _is_of_people(ask: _Ask) -> bool:
    """Whether `usage_people` is what is read."""
    scope, column = ask.scope, ask.column
    if scope.user_id is not None:
        return column is None or column in _PEOPLE
    return column in _PEOPLE and (column != "group_id" or scope.group_id is not None)


def _table_part(ask: _Ask, grain: str, span: tuple[int, int]) -> Select[Any]:
    scope, column = ask.scope, ask.column
    if _is_of_people(ask):
        return _people(ask, [(grain, span)])
    if scope.user_id is not None:
        where = [CUBE.c.grain == grain, CUBE.c.user_id == scope.user_id, *_in(CUBE.c.start_ms, span)]
        return _part(ask, CUBE.c.start_ms, CUBE.c[column or ""], where)
    if column == "group_id" and scope.group_id is None:
        where = [SLICES.c.grain == grain, SLICES.c.scope != EVERYONE, SLICES.c.dimension == "provider_id"]
        return _part(ask, SLICES.c.start_ms, SLICES.c.scope, [*where, *_in(SLICES.c.start_ms, span)])
    where = [
        SLICES.c.grain == grain,
        SLICES.c.scope == (EVERYONE if scope.group_id is None else scope.group_id),
        SLICES.c.dimension == (column or "provider_id"),
    ]
    return _part(ask, SLICES.c.start_ms, SLICES.c.key, [*where, *_in(SLICES.c.start_ms, span)])


def _people(ask: _Ask, spans: Sequence[tuple[str, tuple[int, int]]]) -> Select[Any]:
    """All spans at once: so many people are put together only once."""
    scope = ask.scope
    where = [or_(*(and_(PEOPLE.c.grain == grain, *_in(PEOPLE.c.start_ms, span)) for grain, span in spans))]
    if scope.user_id is not None:
        where.append(PEOPLE.c.user_id == scope.user_id)
    if scope.group_id is not None:
        where.append(PEOPLE.c.group_set.in_(_sets_with(scope.group_id)))
    if ask.column == "group_id":
        return _by_group(_part(ask, PEOPLE.c.start_ms, PEOPLE.c.group_set, where))
    return _part(ask, PEOPLE.c.start_ms, None if ask.column is None else PEOPLE.c[ask.column], where)


def _sessions(ask: _Ask) -> Select[Any]:
    where = [*_in(USAGE_SESSIONS.c.start_ms, _span(ask.scope))]
    if ask.scope.user_id is not None:
        where.append(USAGE_SESSIONS.c.user_id == ask.scope.user_id)
    if ask.scope.group_id is not None:
        where.append(USAGE_SESSIONS.c.group_set.in_(_sets_with(ask.scope.group_id)))
    return _part(ask, USAGE_SESSIONS.c.start_ms, USAGE_SESSIONS.c.session_id, where)


def _pending(ask: _Ask, grain: str) -> Select[Any]:
    scope = ask.scope
    where = [*_in(PENDING.c.day_ms, _span(scope))]
    if scope.user_id is not None:
        where.append(PENDING.c.user_id == scope.user_id)
    if scope.group_id is not None:
        where.append(PENDING.c.group_set.in_(_sets_with(scope.group_id)))
    if ask.column == "group_id":
        return _by_group(_part(ask, STARTS[grain], PENDING.c.group_set, where))
    return _part(ask, STARTS[grain], None if ask.column is None else PENDING.c[ask.column], where)


def _by_group(by_set: Select[Any]) -> Select[Any]:
    """Sums of each set of groups, for each of the groups in it."""
    sums = by_set.subquery()
    joined = sums.join(GROUP_SETS, GROUP_SETS.c.set_id == sums.c.key)
    others = [column for column in sums.c if column.name not in ("start_ms", "key")]
    return select(sums.c.start_ms, GROUP_SETS.c.group_id.label("key"), *others).select_from(joined)


def _sets_with(group_id: str) -> Select[tuple[str]]:
    return select(GROUP_SETS.c.set_id).where(GROUP_SETS.c.group_id == group_id)


def _part(
    ask: _Ask, start: Column[Any], key: ColumnElement[str] | None, where: list[ColumnElement[bool]]
) -> Select[Any]:
    """Sums of one table; by what is asked for alone, so that there is little left to add up."""
    sums: list[ColumnElement[Any]] = [func.sum(start.table.c[name]).label(name) for name in ask.names]
    if ask.by_start:
        return select(start.label("start_ms"), literal("").label("key"), *sums).where(*where).group_by(start)
    none = literal(0).label("start_ms")
    if ask.column is None or key is None:
        return select(none, literal("").label("key"), *sums).where(*where)
    if ask.keys is not None:
        where = [*where, key.in_(ask.keys)]
    if ask.owners is not None:
        where = [*where, start.table.c.user_id.in_(ask.owners)]
    if ask.by_owner:
        sums.append(func.max(start.table.c.user_id).label("owner"))
    return select(none, key.label("key"), *sums).where(*where).group_by(key)


def _union(parts: list[Select[Any]]) -> FromClause:
    return union_all(*parts).subquery()


def _added(parts: FromClause, names: tuple[str, ...] = SUMS) -> list[ColumnElement[Any]]:
    return [func.coalesce(func.sum(parts.c[name]), 0).label(name) for name in names]


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
    if where.key is not None:
        found.append(_known_as(where.key, LEDGER.c.key_id, LEDGER.c.key_label))
    if where.provider is not None:
        found.append(_known_as(where.provider, LEDGER.c.provider_id, LEDGER.c.provider_name))
    if where.outcome is not None:
        found.append(LEDGER.c.outcome == where.outcome.value)
    if where.status is not None:
        found.append(LEDGER.c.status == where.status)
    if where.since is not None:
        found.append(LEDGER.c.started_ms >= round(where.since.timestamp() * 1000))
    if where.until is not None:
        found.append(LEDGER.c.started_ms < round(where.until.timestamp() * 1000))
    return found


def _known_as(text: str, key: ColumnElement[str], name: ColumnElement[str]) -> ColumnElement[bool]:
    # The database lowers both: SQLite knows no other letters than those of ASCII.
    return or_(key == text, func.lower(name) == func.lower(text))


def _totals(row: Row[Any]) -> UsageTotals:
    # PostgreSQL sums whole numbers as decimals.
    return UsageTotals(**{name: int(getattr(row, name)) for name in SUMS})
