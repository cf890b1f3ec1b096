"""Moves what the flusher left pending into the roll-ups, makes them anew from the ledger, and forgets what is too old.

A fold is one transaction: it adds exactly the rows that it removes, so it may be cut off anywhere and run by anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)

from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.usage import SESSION, Grain
from sluicegate.storage.connections import AsyncConnection, AsyncEngine
from sluicegate.storage.repositories.upsert import insert_on
from sluicegate.storage.snapshot import snapshot
from sluicegate.storage.spans import EIGHT_DAYS, QUARTER, starts
from sluicegate.storage.tables.identity import GROUPS
from sluicegate.storage.tables.rollups import (
    CUBE,
    EVERYONE,
    GROUP_SETS,
    LABELS,
    MARKS,
    PENDING,
    PEOPLE,
    REFUSALS,
    SLICES,
    USAGE_SESSIONS,
)
from sluicegate.storage.tables.usage import LEDGER, SPEND
from sluicegate.storage.unit_of_work import alone
from sluicegate.storage.usage_batch import PENDING_COLUMNS, SUMS, Spans, pending_lines, set_lines
from sluicegate.storage.usage_rows import call_of

FIVE_MINUTES, HOUR, DAY, MONTH = (grain.value for grain in Grain)
STARTS: Mapping[str, Column[Any]] = {
    FIVE_MINUTES: PENDING.c.five_minutes_ms,
    HOUR: PENDING.c.hour_ms,
    DAY: PENDING.c.day_ms,
    MONTH: PENDING.c.month_ms,
}
# Short spans are looked at as totals, or by model while something happens; breakdowns are by whole days.
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    FIVE_MINUTES: ("provider_id", "model_slug"),
    HOUR: ("provider_id",),
    DAY: ("provider_id", "model_slug", "client_app", "project"),
    MONTH: ("provider_id", "model_slug", "client_app", "project"),
}
Rows = Select[*tuple[Any, ...]]
_CUBE_KEYS = ("key_id", "model_slug", "provider_id", "client_app", "project")
_CHUNK = 5_000
_FOLD_EVERY = 50_000
_DAY_MS = 86_400_000
_ZONE, _LEDGER_FROM, _PEOPLE_SUMS = "zone", "ledger_from", "people_sums"


class SqlRollups:
    """Implements ports.usage.Rollups."""

    def __init__(self, engine: AsyncEngine, zone: tzinfo) -> None:
        self._engine = engine
        self._zone = zone
        self._zone_name = str(zone)

    async def fold(self, kept_from: Mapping[str, int]) -> int:
        async with snapshot(self._engine) as connection:
            waiting = (await connection.execute(select(PENDING.c.id).limit(1))).first()
        if waiting is None:
            return 0
        async with alone(self._engine, "SHARE UPDATE EXCLUSIVE", PENDING) as connection:
            return await _fold(connection, kept_from, self._zone)

    async def current(self) -> bool:
        async with snapshot(self._engine) as connection:
            return await _mark(connection, _ZONE) == self._zone_name

    async def complete(self) -> None:
        async with snapshot(self._engine) as connection:
            if await _mark(connection, _PEOPLE_SUMS) is not None:
                return
        async with alone(self._engine, "SHARE UPDATE EXCLUSIVE", PENDING) as connection:
            await _no_time_limit(connection)
            for grain, finer in ((EIGHT_DAYS, DAY), (QUARTER, MONTH)):
                await self._sum_people(connection, grain, finer)
            await _set_mark(connection, _PEOPLE_SUMS, "1")

    async def _sum_people(self, connection: AsyncConnection, grain: str, finer: str) -> None:
        """All of one grain anew, from those of a finer one."""
        await connection.execute(delete(PEOPLE).where(PEOPLE.c.grain == grain))
        known = select(PEOPLE.c.start_ms).where(PEOPLE.c.grain == finer).distinct()
        within = starts((row.start_ms for row in await connection.execute(known)), grain, self._zone)
        by_start: dict[int, list[int]] = {}
        for ms, start in within.items():
            by_start.setdefault(start, []).append(ms)
        keys = (PEOPLE.c.user_id, PEOPLE.c.key_id, PEOPLE.c.group_set)
        sums = [func.sum(PEOPLE.c[name]) for name in SUMS]
        for start, parts in by_start.items():
            rows = select(literal(grain), literal(start), *keys, *sums).where(
                PEOPLE.c.grain == finer, PEOPLE.c.start_ms.in_(parts)
            )
            names = ["grain", "start_ms", *(key.name for key in keys), *SUMS]
            await connection.execute(insert(PEOPLE).from_select(names, rows.group_by(*keys)))

    async def rebuild(self, kept_from: Mapping[str, int]) -> int:
        # Nobody may write to the ledger meanwhile: what is pending is thrown away, as it is in the ledger too.
        async with alone(self._engine, "SHARE ROW EXCLUSIVE", LEDGER, PENDING) as connection:
            since = int(await _mark(connection, _LEDGER_FROM) or 0)
            await connection.execute(delete(PENDING))
            for table in (CUBE, PEOPLE, SLICES, USAGE_SESSIONS):
                await connection.execute(delete(table).where(table.c.start_ms >= since))
            count = await self._sum_ledger(connection, since, kept_from)
            # The ledger may begin in the middle of a quarter, of which the months before are kept.
            await self._sum_people(connection, QUARTER, MONTH)
            await _set_mark(connection, _PEOPLE_SUMS, "1")
            await _set_mark(connection, _ZONE, self._zone_name)
            return count

    async def _sum_ledger(self, connection: AsyncConnection, since: int, kept_from: Mapping[str, int]) -> int:
        spans, sets, count, after = Spans(PeriodClock(self._zone)), set[str](), 0, (since, "")
        place = tuple_(LEDGER.c.started_ms, LEDGER.c.call_id)
        while True:
            chunk = select(LEDGER).where(place > tuple_(*after)).order_by(LEDGER.c.started_ms, LEDGER.c.call_id)
            records = [call_of(row) for row in await connection.execute(chunk.limit(_CHUNK))]
            if not records:
                break
            new = {name: lines for name, lines in set_lines(records).items() if name not in sets}
            for lines in new.values():
                rows = [{"set_id": set_id, "group_id": group_id} for set_id, group_id in lines]
                await connection.execute(
                    insert_on(self._engine.dialect.name, GROUP_SETS).on_conflict_do_nothing(), rows
                )
            sets.update(new)
            lines = pending_lines(records, spans)
            await connection.execute(insert(PENDING), [dict(zip(PENDING_COLUMNS, x, strict=True)) for x in lines])
            count += len(records)
            after = (records[-1].started_ms, records[-1].call_id)
            if count % _FOLD_EVERY == 0:
                await _fold(connection, kept_from, self._zone)
        if count:
            await _fold(connection, kept_from, self._zone)
        return count

    async def forget_calls(self, before_ms: int) -> int:
        # Before the first is gone: a rebuild must not take a month for whole of which a part is gone.
        async with alone(self._engine, "SHARE UPDATE EXCLUSIVE", PENDING) as connection:
            since = int(await _mark(connection, _LEDGER_FROM) or 0)
            await _set_mark(connection, _LEDGER_FROM, str(max(since, before_ms)))
        return await self._forget(LEDGER, LEDGER.c.started_ms, [], before_ms)

    async def forget(self, grain: str, before_ms: int) -> int:
        removed = 0
        for table in (CUBE, PEOPLE, SLICES):
            removed += await self._forget(table, table.c.start_ms, [table.c.grain == grain], before_ms)
        if grain == DAY:
            removed += await self._forget(PEOPLE, PEOPLE.c.start_ms, [PEOPLE.c.grain == EIGHT_DAYS], before_ms)
            removed += await self._forget(REFUSALS, REFUSALS.c.start_ms, [], before_ms)
        return removed

    async def forget_sessions(self, before_ms: int) -> int:
        return await self._forget(USAGE_SESSIONS, USAGE_SESSIONS.c.start_ms, [], before_ms)

    async def forget_spend(self, before: Iterable[str]) -> int:
        removed = 0
        for key in before:
            # Keys of one window are of one length, and in the order of time.
            older = and_(func.length(SPEND.c.period) == len(key), SPEND.c.period < key)
            while True:
                async with alone(self._engine, "SHARE UPDATE EXCLUSIVE", SPEND) as connection:
                    first = (await connection.execute(select(func.min(SPEND.c.period)).where(older))).scalar()
                    if first is None:
                        break
                    removed += (await connection.execute(delete(SPEND).where(SPEND.c.period == first))).rowcount
        return removed

    async def _forget(self, table: Table, start: Column[int], where: list[ColumnElement[bool]], before_ms: int) -> int:
        """A day at a time, so that nobody waits long for any part of it."""
        removed = 0
        while True:
            async with alone(self._engine, "SHARE UPDATE EXCLUSIVE", PENDING) as connection:
                first = (await connection.execute(select(func.min(start)).where(*where))).scalar()
                if first is None or first >= before_ms:
                    return removed
                until = min(first + _DAY_MS, before_ms)
                removed += (await connection.execute(delete(table).where(*where, start < until))).rowcount


# Built once: the columns of what an insert was about to write are the same for every insert, and costly to come by.
_ADDED = {
    table.name: {name: table.c[name] + literal_column(f"excluded.{name}") for name in SUMS}
    for table in (CUBE, PEOPLE, SLICES, USAGE_SESSIONS)
}


async def _fold(connection: AsyncConnection, kept_from: Mapping[str, int], zone: tzinfo) -> int:
    dialect = connection.dialect.name
    days = [row.day_ms for row in await connection.execute(select(PENDING.c.day_ms).distinct())]
    coarser = {grain: starts(days, grain, zone) for grain in (EIGHT_DAYS, QUARTER)}
    for table, rows in [*_additions(kept_from), *_of_people(coarser, kept_from)]:
        names = [column.name for column in rows.selected_columns]
        adding = insert_on(dialect, table).from_select(names, rows)
        keys = [column.name for column in table.primary_key]
        await connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=_ADDED[table.name]))
    for rows in _labels():
        naming = insert_on(dialect, LABELS).from_select([column.name for column in LABELS.columns], rows)
        new = naming.excluded
        newer = or_(
            new.latest_ms > LABELS.c.latest_ms,
            and_(new.latest_ms == LABELS.c.latest_ms, new.label > LABELS.c.label),
        )
        named = {"label": new.label, "latest_ms": new.latest_ms}
        await connection.execute(naming.on_conflict_do_update(index_elements=["kind", "id"], set_=named, where=newer))
    return (await connection.execute(delete(PENDING))).rowcount


def _additions(kept_from: Mapping[str, int]) -> list[tuple[Table, Rows]]:
    by_group = PENDING.join(GROUP_SETS, GROUP_SETS.c.set_id == PENDING.c.group_set)
    found: list[tuple[Table, Rows]] = []
    for grain, start in STARTS.items():
        kept = start >= kept_from.get(grain, 0)
        name, begins = literal(grain).label("grain"), start.label("start_ms")
        if grain in (DAY, MONTH):
            keys = [PENDING.c.user_id, begins, *(PENDING.c[key] for key in _CUBE_KEYS)]
            found.append((CUBE, _summed(PENDING, [name, *keys], kept)))
        keys = [begins, PENDING.c.user_id, PENDING.c.key_id, PENDING.c.group_set]
        found.append((PEOPLE, _summed(PENDING, [name, *keys], kept)))
        for dimension in DIMENSIONS[grain]:
            what = literal(dimension).label("dimension")
            keys = [what, begins, PENDING.c[dimension].label("key")]
            found.append((SLICES, _summed(PENDING, [name, literal(EVERYONE).label("scope"), *keys], kept)))
            found.append((SLICES, _summed(by_group, [name, GROUP_SETS.c.group_id.label("scope"), *keys], kept)))
    keys = [PENDING.c.day_ms.label("start_ms"), PENDING.c.user_id, PENDING.c.session_id, PENDING.c.group_set]
    found.append((USAGE_SESSIONS, _summed(PENDING, keys, PENDING.c.day_ms >= kept_from.get(SESSION, 0))))
    return found


def _of_people(coarser: Mapping[str, Mapping[int, int]], kept_from: Mapping[str, int]) -> list[tuple[Table, Rows]]:
    """What is kept of people alone; by grain where the spans of days begin."""
    found: list[tuple[Table, Rows]] = []
    for grain, begins in coarser.items():
        if not begins:
            continue
        start = case(dict(begins), value=PENDING.c.day_ms).label("start_ms")
        keys = [literal(grain).label("grain"), start, PENDING.c.user_id, PENDING.c.key_id, PENDING.c.group_set]
        kept = PENDING.c.day_ms >= (kept_from.get(DAY, 0) if grain == EIGHT_DAYS else 0)
        found.append((PEOPLE, _summed(PENDING, keys, kept)))
    return found


def _summed(source: FromClause, keys: list[ColumnElement[Any]], kept: ColumnElement[bool]) -> Rows:
    sums = [func.sum(PENDING.c[name]).label(name) for name in SUMS]
    # By position: constants among the keys are parameters, which no database takes for the same thing twice.
    places = [text(str(place)) for place in range(1, len(keys) + 1)]
    return select(*keys, *sums).select_from(source).where(kept).group_by(*places)


def _labels() -> list[Rows]:
    found: list[Rows] = []
    for kind, key, label in (
        ("user", PENDING.c.user_id, PENDING.c.user_label),
        ("key", PENDING.c.key_id, PENDING.c.key_label),
        ("provider", PENDING.c.provider_id, PENDING.c.provider_name),
    ):
        rank = func.row_number().over(partition_by=key, order_by=(PENDING.c.latest_ms.desc(), label.desc()))
        ranked = select(key.label("id"), label.label("label"), PENDING.c.latest_ms, rank.label("place")).subquery()
        latest = select(literal(kind).label("kind"), ranked.c.id, ranked.c.label, ranked.c.latest_ms)
        found.append(latest.where(ranked.c.place == 1))
    groups = PENDING.join(GROUP_SETS, GROUP_SETS.c.set_id == PENDING.c.group_set).join(
        GROUPS, GROUPS.c.id == GROUP_SETS.c.group_id
    )
    named = select(literal("group").label("kind"), GROUPS.c.id, GROUPS.c.name, func.max(PENDING.c.latest_ms))
    # SQLite takes ON CONFLICT after a join for a part of the join, unless a condition stands between.
    found.append(named.select_from(groups).where(PENDING.c.id > 0).group_by(GROUPS.c.id, GROUPS.c.name))
    return found


async def _no_time_limit(connection: AsyncConnection) -> None:
    """For what is done once, and takes as long as there is much of it."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SET LOCAL statement_timeout = 0"))


async def _mark(connection: AsyncConnection, name: str) -> str | None:
    return (await connection.execute(select(MARKS.c.value).where(MARKS.c.name == name))).scalar()


async def _set_mark(connection: AsyncConnection, name: str, value: str) -> None:
    await connection.execute(delete(MARKS).where(MARKS.c.name == name))
    await connection.execute(insert(MARKS).values(name=name, value=value))
