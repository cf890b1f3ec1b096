"""Every call counts exactly once: in the ledger, in the sums, in the budgets."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from databases import PostgresTemplate
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.domain.usage import CallRecord
from sluicegate.kit.errors import Unavailable
from sluicegate.policy.windows import period_of
from sluicegate.storage import migrate
from sluicegate.storage.usage_postgres import PostgresUsageWriter
from sluicegate.storage.usage_writer import SqliteUsageWriter, make_usage_writer
from storage.databases import sync_engine
from storage.records import NOW, call, milliseconds

BERLIN = ZoneInfo("Europe/Berlin")
ADA = Subject(SubjectKind.USER, "ada")
KEY = Subject(SubjectKind.KEY, "key-1")
Writer = SqliteUsageWriter | PostgresUsageWriter


@pytest.fixture
def writer(database_url: str) -> Iterator[Writer]:
    writer = make_usage_writer(make_url(database_url), BERLIN)
    yield writer
    writer.close()


def rows(url: str, statement: str) -> list[dict[str, Any]]:
    with sync_engine(url) as engine, engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(text(statement))]


def sums(url: str) -> dict[str, tuple[int, int]]:
    """Requests and cost as ledger and pending sums have them, cost as the day's budgets have it."""
    (ledger,) = rows(url, "SELECT count(*) n, coalesce(sum(cost_nanos), 0) c FROM usage_ledger")
    (pending,) = rows(url, "SELECT coalesce(sum(requests), 0) n, coalesce(sum(cost_nanos), 0) c FROM usage_pending")
    (spend,) = rows(url, "SELECT coalesce(sum(spent_nanos), 0) c FROM budget_spend WHERE length(period) = 10")
    return {
        "ledger": (int(ledger["n"]), int(ledger["c"])),
        "sums": (int(pending["n"]), int(pending["c"])),
        "budgets": (int(spend["c"]),) * 2,
    }


def counted(calls: int, cost: int) -> dict[str, tuple[int, int]]:
    # Every call counts for its user, for its key and for the one group that the user was in.
    return {"ledger": (calls, cost), "sums": (calls, cost), "budgets": (3 * cost,) * 2}


def periods(at: datetime, zone: tzinfo = BERLIN) -> dict[Window, str]:
    return {window: period_of(window, at, zone).key for window in Window}


def test_a_call_is_written_down_as_it_was(writer: Writer, database_url: str) -> None:
    record = call(group_ids=("team", "ops"), session_id="s1", estimated=True, first_byte_ms=None)
    writer.write([record])

    (row,) = rows(database_url, "SELECT * FROM usage_ledger")
    for name in CallRecord.__struct_fields__:
        if name != "group_ids":
            assert row[name] == getattr(record, name), name
    assert row["group_ids"] in (["team", "ops"], '["team", "ops"]')


def test_who_asks_over_a_connection_that_the_database_has_ended_is_answered(postgres_schema: PostgresTemplate) -> None:
    url = postgres_schema.restored()
    writer = make_usage_writer(make_url(url), BERLIN)
    writer.write([call(cost_nanos=12)])
    spent = writer.spent(ADA, periods(NOW))[0]
    for ask in (lambda: writer.spent(ADA, periods(NOW)), lambda: writer.recent(ADA, milliseconds(NOW))):
        rows(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        assert ask()
    assert writer.spent(ADA, periods(NOW))[0] == spent == dict.fromkeys(Window, 12)
    writer.close()


def test_a_batch_is_summed_by_everything_that_dashboards_group_by(writer: Writer, database_url: str) -> None:
    writer.write([call(), call(), call(project="web"), call(session_id="s1"), call(NOW + timedelta(hours=1))])

    found = rows(database_url, "SELECT * FROM usage_pending ORDER BY hour_ms, project, session_id")
    assert [(row["requests"], row["project"], row["session_id"]) for row in found] == [
        (2, "", ""),
        (1, "", "s1"),
        (1, "web", ""),
        (1, "", ""),
    ]
    first = found[0]
    assert first["five_minutes_ms"] == milliseconds(NOW)
    assert first["hour_ms"] == milliseconds(NOW.replace(minute=0))
    assert first["day_ms"] == milliseconds(datetime(2026, 11, 23, 23, tzinfo=UTC))
    assert first["month_ms"] == milliseconds(datetime(2026, 10, 31, 23, tzinfo=UTC))
    assert (first["input_tokens"], first["cache_read_tokens"], first["cache_write_tokens"]) == (290, 80, 10)
    assert (first["output_tokens"], first["cost_nanos"]) == (100, 2_000)


@pytest.mark.parametrize(
    ("outcome", "errors"), [("ok", 0), ("aborted", 0), ("upstream_error", 1), ("unreachable", 1), ("recovered", 1)]
)
def test_failures_count_as_errors(writer: Writer, database_url: str, outcome: str, errors: int) -> None:
    writer.write([call(outcome=outcome)])
    (row,) = rows(database_url, "SELECT requests, errors FROM usage_pending")
    assert row == {"requests": 1, "errors": errors}


def test_spend_is_kept_per_user_key_and_period(writer: Writer) -> None:
    writer.write([call(cost_nanos=5), call(cost_nanos=7, key_id="key-2"), call(cost_nanos=11, user_id="bob")])

    assert writer.spent(ADA, periods(NOW))[0] == {Window.DAY: 12, Window.WEEK: 12, Window.MONTH: 12}
    assert writer.spent(KEY, periods(NOW))[0] == {Window.DAY: 16, Window.WEEK: 16, Window.MONTH: 16}
    tomorrow = NOW + timedelta(days=1)
    assert writer.spent(ADA, periods(tomorrow))[0] == {Window.DAY: 0, Window.WEEK: 12, Window.MONTH: 12}
    assert writer.spent(Subject(SubjectKind.USER, "nobody"), periods(NOW))[0] == dict.fromkeys(Window, 0)


def test_a_database_that_takes_nothing_at_the_moment_is_unavailable(
    writer: Writer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluicegate.storage.usage_writer._BUSY_SECONDS", 0.1)
    url = make_url(database_url)
    with ExitStack() as stack:
        if url.get_backend_name() == "sqlite":
            holder = stack.enter_context(closing(sqlite3.connect(url.database or "", isolation_level=None)))
            holder.execute("BEGIN EXCLUSIVE")
        else:
            url = url.update_query_dict({"options": "-c default_transaction_read_only=on"})
        refused = make_usage_writer(url, BERLIN)
        stack.callback(refused.close)
        with pytest.raises(Unavailable):
            refused.write([call()])
    writer.write([call()])


def test_a_database_that_is_gone_is_unavailable() -> None:
    writer = make_usage_writer(make_url("postgresql://nobody@127.0.0.1:1/nothing"), BERLIN)
    with pytest.raises(Unavailable):
        writer.spent(ADA, periods(NOW))
    with pytest.raises(Unavailable):
        writer.recent(ADA, 0)


def test_what_was_spent_is_told_with_which_calls_it_holds(writer: Writer) -> None:
    there = [call(cost_nanos=5), call(cost_nanos=7, user_id="bob")]
    writer.write(there)
    known = {record.call_id for record in there}
    assert writer.spent(ADA, periods(NOW), [*known, "", "no-call"]) == (dict.fromkeys(Window, 5), known)
    # Of more than can be asked for the first count as not there.
    many = [*known, *(f"no-call-{number}" for number in range(1_000))]
    assert writer.spent(ADA, periods(NOW), many) == (dict.fromkeys(Window, 5), set())
    assert writer.spent(ADA, periods(NOW), many[::-1]) == (dict.fromkeys(Window, 5), known)


def test_periods_are_those_of_the_zone_in_which_the_call_began(writer: Writer) -> None:
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # already December, and Tuesday, in Berlin
    writer.write([call(late, cost_nanos=3)])
    assert writer.spent(ADA, {Window.DAY: "2026-12-01", Window.WEEK: "2026-W49", Window.MONTH: "2026-12"})[0] == {
        Window.DAY: 3,
        Window.WEEK: 3,
        Window.MONTH: 3,
    }
    assert writer.spent(ADA, {Window.DAY: "2026-11-30", Window.MONTH: "2026-11"})[0] == {Window.DAY: 0, Window.MONTH: 0}


def test_hours_begin_at_local_midnight_where_zones_are_not_whole_hours_away(database_url: str) -> None:
    writer = make_usage_writer(make_url(database_url), ZoneInfo("Asia/Kolkata"))
    midnight = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
    writer.write([call(midnight), call(midnight - timedelta(seconds=1))])
    writer.close()

    found = [row["hour_ms"] for row in rows(database_url, "SELECT hour_ms FROM usage_pending ORDER BY hour_ms")]
    assert found == [milliseconds(midnight - timedelta(hours=1)), milliseconds(midnight)]


def test_a_repeated_batch_changes_nothing(writer: Writer, database_url: str) -> None:
    batch = [call(cost_nanos=n) for n in range(20)]
    writer.write(batch)
    before = sums(database_url)
    writer.write(batch)
    writer.write(list(reversed(batch)))
    assert sums(database_url) == before == counted(20, sum(range(20)))


def test_only_what_is_new_counts_when_a_part_of_a_batch_is_a_repeat(writer: Writer, database_url: str) -> None:
    old, new = [call() for _ in range(700)], [call() for _ in range(700)]
    writer.write(old)
    mixed = old + new
    random.Random(1).shuffle(mixed)
    writer.write(mixed)
    assert sums(database_url) == counted(1400, 1_400_000)


def test_a_call_twice_in_one_batch_counts_once(writer: Writer, database_url: str) -> None:
    record = call()
    writer.write([record, call(), record])
    assert sums(database_url) == counted(2, 2_000)


def test_an_empty_batch_is_nothing(writer: Writer, database_url: str) -> None:
    writer.write([])
    assert sums(database_url) == counted(0, 0)


def test_absurd_values_do_not_block_the_queue(writer: Writer, database_url: str) -> None:
    absurd = call(
        input_tokens=10**30,
        client_app="x" * 500,
        project="a\x00b",
        session_id="\ud800" * 200,
        first_byte_ms=10**12,
        cost_nanos=7,
    )
    writer.write([absurd, call(cost_nanos=1)])

    (row,) = rows(database_url, "SELECT * FROM usage_ledger WHERE cost_nanos = 7")
    assert (row["input_tokens"], row["first_byte_ms"]) == (2**53, 2**31 - 1)
    assert (row["client_app"], row["project"], row["session_id"]) == ("x" * 60, "ab", "?" * 100)
    assert sums(database_url) == counted(2, 8)


def test_threads_that_write_the_same_calls_together_count_each_once(database_url: str) -> None:
    batches = [[call(user_id=f"u{n % 7}", cost_nanos=10) for n in range(50)] for _ in range(8)]
    start = threading.Barrier(4)
    # A server has opened it before: while SQLite turns to its log, it refuses others at once and lets nobody wait.
    writer = make_usage_writer(make_url(database_url), BERLIN)
    writer.spent(ADA, periods(NOW))
    writer.close()

    def replay(seed: int) -> None:
        # Own connections, as several processes have; each writes everything in an order of its own.
        writer = make_usage_writer(make_url(database_url), BERLIN)
        order = random.Random(seed).sample(batches, len(batches))
        start.wait()
        for batch in order:
            writer.write(batch)
        writer.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(replay, range(4)))
    assert sums(database_url) == counted(400, 4_000)


def test_one_writer_may_be_used_from_many_threads(writer: Writer, database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: (writer.write([call()]), writer.spent(ADA, periods(NOW))), range(40)))
    assert sums(database_url) == counted(40, 40_000)


def test_recent_calls_are_those_since_an_instant(writer: Writer) -> None:
    writer.write([call(NOW - timedelta(seconds=61)), call(NOW), call(NOW, user_id="bob", key_id="key-2")])

    expected = [(NOW.timestamp(), 105, 50)]
    assert writer.recent(ADA, milliseconds(NOW - timedelta(seconds=60))) == expected
    assert writer.recent(KEY, milliseconds(NOW - timedelta(seconds=60))) == expected
    assert list(writer.recent(Subject(SubjectKind.GROUP, "team"), 0)) == []


def test_a_pool_is_drawn_from_by_everybody_who_was_in_the_group_at_the_time(writer: Writer) -> None:
    batch = [
        call(cost_nanos=5),
        call(cost_nanos=7, user_id="bob", group_ids=("ops", "team")),
        call(cost_nanos=11, user_id="cyd", group_ids=("ops",)),
        call(cost_nanos=13, user_id="dan", group_ids=()),
    ]
    writer.write(batch)
    writer.write(batch)

    for group_id, cost, calls in (("team", 12, 2), ("ops", 18, 2), ("none", 0, 0)):
        pool = Subject(SubjectKind.POOL, group_id)
        assert writer.spent(pool, periods(NOW))[0] == dict.fromkeys(Window, cost)
        assert writer.recent(pool, milliseconds(NOW)) == [(NOW.timestamp(), 105, 50)] * calls
        assert list(writer.recent(pool, milliseconds(NOW) + 1)) == []


def test_a_key_shows_its_latest_use_whatever_the_order_of_batches(writer: Writer, database_url: str) -> None:
    add_keys(database_url, "key-1", "key-2")

    def used() -> dict[str, tuple[str, str | None]]:
        found = rows(database_url, "SELECT id, last_used_at, last_used_client FROM api_keys")
        return {row["id"]: (str(row["last_used_at"])[:19], row["last_used_client"]) for row in found}

    writer.write([call(), call(NOW - timedelta(minutes=5), client_app="cline"), call(key_id="gone")])
    assert used() == {"key-1": ("2026-11-24 09:30:00", "aider"), "key-2": ("None", None)}
    writer.write([call(NOW + timedelta(seconds=30))])
    assert used()["key-1"] == ("2026-11-24 09:30:00", "aider")
    writer.write([call(NOW + timedelta(seconds=31), client_app="codex"), call(NOW, key_id="key-2", client_app=None)])
    assert used() == {"key-1": ("2026-11-24 09:30:31", "codex"), "key-2": ("2026-11-24 09:30:00", None)}
    other = make_usage_writer(make_url(database_url), BERLIN)
    other.write([call(NOW + timedelta(seconds=10), client_app="curl")])
    other.close()
    assert used()["key-1"] == ("2026-11-24 09:30:31", "codex")
    (ada,) = rows(database_url, "SELECT last_active_at FROM users")
    assert str(ada["last_active_at"])[:19] == "2026-11-24 09:30:31"


def add_keys(url: str, *ids: str) -> None:
    with sync_engine(url) as engine, engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO users (id, email, name, sort_name, role, status, created_at, last_active_at) "
                "VALUES ('ada', 'ada@example.com', 'Ada', 'ada', 'member', 'active', '2026-11-24 09:00:00', "
                "'2026-11-24 09:00:00')"
            )
        )
        for key_id in ids:
            connection.execute(
                text(
                    "INSERT INTO api_keys (id, public_id, user_id, name, prefix, secret_hash, created_at) "
                    "VALUES (:id, :id, 'ada', 'laptop', 'sg_', 'hash', '2026-11-24 09:00:00')"
                ),
                {"id": key_id},
            )


def test_it_recovers_when_the_database_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    writer = SqliteUsageWriter(str(folder / "test.db"), BERLIN)
    record = call()
    with pytest.raises(Unavailable):
        writer.write([record])

    folder.mkdir()
    migrate.upgrade(f"sqlite:///{folder / 'test.db'}")
    writer.write([record])
    assert sums(f"sqlite:///{folder / 'test.db'}") == counted(1, 1_000)
    writer.close()
