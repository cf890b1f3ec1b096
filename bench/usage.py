"""Times every query of the dashboards over roll-ups of a size that a deployment has after a year.

Rows are made by the database itself, straight into the roll-ups; tests hold that such rows are what the ledger gives.
On PostgreSQL: what scales with people (`usage_people`, `usage_slices`) for all of them over a year, `usage_cube` and
`usage_sessions`, which are read by one user's index entries or for a week, for one in `--cube-every` users. On SQLite:
a ledger of `--calls` calls, summed by `sluicegate rollups rebuild`'s own code.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text

from sluicegate.domain.audit import SYSTEM
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.kit.clock import ManualClock
from sluicegate.services.caller import Caller
from sluicegate.services.usage import Interval, UsageDimension, UsageQuery, UsageService
from sluicegate.storage import migrate
from sluicegate.storage.connections import AsyncEngine
from sluicegate.storage.engine import database_url, make_engine
from sluicegate.storage.rollups import SqlRollups
from sluicegate.storage.usage_reader import SqlUsageReader

ZONE = ZoneInfo("UTC")
TODAY = date(2026, 11, 24)
FIRST = TODAY - timedelta(days=364)
NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)
GROUPS, MODELS, CLIENTS, PROJECTS = 40, 20, 8, 300
LIMIT_MS = 200.0
_SUMS = "requests, errors, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_nanos"
_FIGURES = "20, 1, 400000, 300000, 20000, 15000, 900000000 + (random() * 1000000)::bigint"
_MS = "(extract(epoch from day) * 1000)::bigint"
# Two days of the week without work, and a person is there on nine of ten others.
_WORK = "extract(isodow from day) < 6 AND random() < 0.9"


async def fill_postgres(engine: AsyncEngine, people: int, cube_every: int) -> None:
    days = f"generate_series('{FIRST}'::timestamptz, '{TODAY}'::timestamptz, '1 day') day"
    users = f"generate_series(1, {people}) u"
    sets = f"'set-' || u % {GROUPS}"
    async with engine.begin() as connection:
        for statement in (
            "SET LOCAL synchronous_commit = off",
            "SET LOCAL statement_timeout = 0",
            "SET LOCAL timezone = 'UTC'",
            f"INSERT INTO usage_group_sets SELECT 'set-' || n, 'g' || m FROM generate_series(0, {GROUPS - 1}) n, "
            f"LATERAL (VALUES (n), ((n * 7 + 1) % {GROUPS}), ({GROUPS})) x(m) ON CONFLICT DO NOTHING",
            f"INSERT INTO usage_people SELECT 'day', {_MS}, 'user-' || u, 'key-' || u || k, {sets}, {_FIGURES} "
            f"FROM {users}, {days}, generate_series(0, 1) k WHERE {_WORK} AND (k = 0 OR u % 5 = 0)",
            "INSERT INTO usage_people SELECT 'month', (extract(epoch from date_trunc('month', to_timestamp(start_ms / "
            "1000))) * 1000)::bigint m, user_id, key_id, group_set, sum(requests), sum(errors), sum(input_tokens), "
            "sum(cache_read_tokens), sum(cache_write_tokens), sum(output_tokens), sum(cost_nanos) FROM usage_people "
            "WHERE grain = 'day' GROUP BY m, user_id, key_id, group_set",
            f"INSERT INTO usage_people SELECT 'hour', {_MS} + h * 3600000, 'user-' || u, 'key-' || u || 0, {sets}, "
            f"{_FIGURES} FROM generate_series(1, {people}, {cube_every}) u, {days}, generate_series(8, 15) h "
            f"WHERE day > '{TODAY}'::timestamptz - interval '93 days' AND {_WORK}",
            f"INSERT INTO usage_cube SELECT 'day', 'user-' || u, {_MS}, 'key-' || u || 0, "
            f"'model-' || (u + m) % {MODELS}, "
            f"'provider-' || m, 'client-' || u % {CLIENTS}, 'project-' || u % {PROJECTS}, {_FIGURES} FROM "
            f"generate_series(1, {people}, {cube_every}) u, {days}, generate_series(0, 2) m WHERE {_WORK}",
            "INSERT INTO usage_cube SELECT 'month', user_id, (extract(epoch from date_trunc('month', "
            "to_timestamp(start_ms / 1000))) * 1000)::bigint m, key_id, model_slug, provider_id, client_app, project, "
            "sum(requests), sum(errors), sum(input_tokens), sum(cache_read_tokens), sum(cache_write_tokens), "
            "sum(output_tokens), sum(cost_nanos) FROM usage_cube GROUP BY 2, m, 4, 5, 6, 7, 8",
            *(
                f"INSERT INTO usage_slices SELECT 'day', scope, '{dimension}', {_MS}, '{dimension}-' || n, {_FIGURES} "
                f"FROM (SELECT '*' scope UNION ALL SELECT 'g' || g FROM generate_series(0, {GROUPS}) g) s, {days}, "
                f"generate_series(1, {count}) n WHERE extract(isodow from day) < 6"
                for dimension, count in (
                    ("provider_id", 3),
                    ("model_slug", MODELS),
                    ("client_app", CLIENTS),
                    ("project", PROJECTS // 10),
                )
            ),
            "INSERT INTO usage_slices SELECT 'month', scope, dimension, (extract(epoch from date_trunc('month', "
            "to_timestamp(start_ms / 1000))) * 1000)::bigint m, key, sum(requests), sum(errors), sum(input_tokens), "
            "sum(cache_read_tokens), sum(cache_write_tokens), sum(output_tokens), sum(cost_nanos) FROM usage_slices "
            "GROUP BY 2, 3, m, key",
            "INSERT INTO usage_slices SELECT 'hour', scope, dimension, start_ms + h * 3600000, key, "
            f"{_SUMS} FROM usage_slices, generate_series(8, 15) h WHERE grain = 'day' AND dimension = 'provider_id'",
            f"INSERT INTO usage_sessions SELECT {_MS}, 'user-' || u, 'session-' || u || '-' || day || n, {sets}, "
            f"{_FIGURES} FROM {users}, generate_series('{TODAY}'::timestamptz - interval '6 days', "
            f"'{TODAY}'::timestamptz, '1 day') day, generate_series(1, 3) n WHERE {_WORK}",
            f"INSERT INTO usage_labels SELECT 'user', 'user-' || u, 'User ' || u, 0 FROM {users}",
        ):
            await connection.execute(text(statement))
    await SqlRollups(engine, ZONE).complete()
    for table in ("usage_people", "usage_cube", "usage_slices", "usage_sessions", "usage_labels", "usage_group_sets"):
        async with engine.connect() as connection:
            vacuuming = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await vacuuming.execute(text("SET statement_timeout = 0"))
            await vacuuming.execute(text(f"VACUUM ANALYZE {table}"))


async def fill_sqlite(engine: AsyncEngine, calls: int) -> float:
    start = round(datetime.combine(FIRST, datetime.min.time(), UTC).timestamp() * 1000)
    step = 364 * 86_400_000 // calls
    statement = (
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :calls) INSERT INTO usage_ledger "
        "SELECT printf('call-%09d', i), :start + i * :step, :start + i * :step + 900, 'user-' || (i * 7919 % 50), "
        "'User', 'key-' || (i * 7919 % 50), 'key', json_array('g' || (i % 5)), 'model-' || (i % 6), 'provider-' || "
        "(i % 3), 'Provider', 'm', 'chat', 1, 200, 'ok', 900, 500, 0, 0, 300, 0, 4000000 + i % 977, 0, 90, "
        "'client-' || (i % 4), 'project-' || (i % 9), 'session-' || (i / 40), NULL FROM n"
    )
    async with engine.begin() as connection:
        await connection.execute(text(statement), {"calls": calls, "start": start, "step": step})
    began = time.perf_counter()
    assert await SqlRollups(engine, ZONE).rebuild({}) == calls
    return time.perf_counter() - began


async def measure(engine: AsyncEngine) -> bool:
    usage = UsageService(SqlUsageReader(engine, ZONE), ZONE, ManualClock(NOW))
    admin = Caller(User("admin", "a@example.com", "A", Role.ADMIN, UserStatus.ACTIVE, NOW), SYSTEM)
    fine = True
    scopes = {"everyone": {"everyone": True}, "group": {"group_id": "g1"}, "user": {"user_id": "user-1"}}
    for whose, scope in scopes.items():
        for days in (7, 30, 90, 365):
            query = UsageQuery(TODAY - timedelta(days=days - 1), TODAY, Interval.DAY, **scope)
            asked: dict[str, Callable[[], Awaitable[object]]] = {
                "report": lambda query=query: usage.report(admin, query),
                "previous": lambda query=query: usage.previous(admin, query),
                "points before": lambda query=query: usage.previous_series(admin, query),
            }
            if days <= 30:
                hours = UsageQuery(query.first_day, TODAY, Interval.HOUR, **scope)
                asked["hours"] = lambda hours=hours: usage.report(admin, hours)
            for by in UsageDimension:
                if by is not UsageDimension.SESSION or whose == "user":
                    asked[f"by {by.value}"] = lambda query=query, by=by: usage.breakdown(admin, query, by, 20)
            for name, ask in asked.items():
                times = [await _timed(ask) for _ in range(4)][1:]
                middle = statistics.median(times)
                fine = fine and middle < LIMIT_MS
                mark = "" if middle < LIMIT_MS else f"  over {LIMIT_MS:.0f} ms"
                print(f"{whose:9} {days:4} days  {name:14} {middle:8.1f} ms{mark}", flush=True)
    return fine


async def _timed(ask: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await ask()
    return (time.perf_counter() - began) * 1000


async def main(arguments: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.database or f"sqlite:///{Path(folder) / 'bench.db'}"
        migrate.upgrade(url)
        engine = make_engine(database_url(url))
        try:
            began = time.perf_counter()
            if arguments.filled:
                return await measure(engine)
            if engine.dialect.name == "sqlite":
                seconds = await fill_sqlite(engine, arguments.calls)
                print(f"rebuild of {arguments.calls} calls: {seconds:.1f} s")
            else:
                await fill_postgres(engine, arguments.people, arguments.cube_every)
            print(f"filled in {time.perf_counter() - began:.0f} s")
            return await measure(engine)
        finally:
            await engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default=os.environ.get("BENCH_DATABASE_URL"), help="an empty PostgreSQL database")
    parser.add_argument("--filled", action="store_true", help="measure what an earlier run left")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--cube-every", type=int, default=20)
    parser.add_argument("--calls", type=int, default=1_000_000)
    raise SystemExit(0 if asyncio.run(main(parser.parse_args())) else 1)
