"""Nothing that a caller was answered may be lost, whatever dies."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import msgspec
import pytest
from sqlalchemy.engine import make_url

from databases import sqlite_database
from sluicegate.adapters.journal import Journal, JournalFull
from sluicegate.adapters.journal.segments import JournalUnwritable, Segments, dead_processes
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.domain.usage import CallRecord
from sluicegate.kit.clock import SystemClock
from sluicegate.kit.ids import new_id
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import PastUse
from sluicegate.ports.usage import UsageWriter
from sluicegate.storage.usage_writer import make_usage_writer

CLOCK = SystemClock()
ADA = Subject(SubjectKind.USER, "ada")


def record(cost: int = 10, outcome: str = "ok") -> CallRecord:
    now = int(CLOCK.time() * 1000)
    return CallRecord(
        new_id(), now, now + 5, "ada", "Ada", "k1", "laptop", ("g1",), "fast", "p1", "Demo", "demo-fast",
        "messages", False, 200, outcome, 7, 0, 0, 0, 3, 0, cost, False, 2, None, None, None,
    )  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "calls.db"
    sqlite_database(path)
    return path


def real_writer(database: Path) -> UsageWriter:
    return make_usage_writer(make_url(f"sqlite:///{database}"), UTC)


def journal(folder: Path, writer: UsageWriter, **options: object) -> Journal:
    return Journal(folder / "journal", writer, CLOCK, PeriodClock(UTC), **options)  # type: ignore[arg-type]


def ledger(database: Path) -> dict[str, str]:
    with sqlite3.connect(database) as connection:
        return dict(connection.execute("SELECT call_id, outcome FROM usage_ledger").fetchall())


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "journal").iterdir())


class Flaky:
    """A writer whose database can be away."""

    def __init__(self, inner: UsageWriter) -> None:
        self.inner = inner
        self.away = False

    def write(self, records: Sequence[CallRecord]) -> None:
        if self.away:
            raise ConnectionError("away")
        self.inner.write(records)

    def spent(self, subject: Subject, periods: dict[Window, str]) -> dict[Window, int]:
        return self.inner.spent(subject, periods)

    def recent(self, subject: Subject, since_ms: int) -> Sequence[tuple[float, int, int]]:
        return self.inner.recent(subject, since_ms)


async def test_settled_calls_reach_the_ledger_and_leave_no_files(tmp_path: Path, database: Path) -> None:
    book = journal(tmp_path, real_writer(database))
    await book.start()
    call = record()
    book.open(call)
    book.settle(call)
    await book.close()
    assert ledger(database) == {call.call_id: "ok"}
    assert files(tmp_path) == []


async def test_each_call_is_told_once_even_while_the_database_is_away(tmp_path: Path, database: Path) -> None:
    flaky, told = Flaky(real_writer(database)), Counter[str]()
    book = journal(tmp_path, flaky, batch=2, settled=lambda calls: told.update(call.call_id for call in calls))
    await book.start()
    flaky.away = True
    calls = [record() for _ in range(5)]
    for call in calls[:3]:
        book.open(call)
        book.settle(call)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await book.flush()
    assert told == Counter(call.call_id for call in calls[:3])
    flaky.away = False
    for call in calls[3:]:
        book.open(call)
        book.settle(call)
    await book.close()
    assert told == Counter(call.call_id for call in calls)
    assert ledger(database).keys() == told.keys()


async def test_a_discarded_call_leaves_nothing(tmp_path: Path, database: Path) -> None:
    book = journal(tmp_path, real_writer(database))
    await book.start()
    call = record()
    book.open(call)
    book.discard(call.call_id)
    await book.close()
    assert ledger(database) == {}
    assert files(tmp_path) == []


async def test_what_the_database_did_not_take_is_replayed_at_the_next_start(tmp_path: Path, database: Path) -> None:
    flaky = Flaky(real_writer(database))
    flaky.away = True
    first = journal(tmp_path, flaky)
    await first.start()
    settled, left_open = record(), record()
    for call in (settled, left_open):
        first.open(call)
    first.settle(settled)
    await first.close()
    assert ledger(database) == {}
    second = journal(tmp_path, real_writer(database))
    await second.start()
    await second.close()
    assert ledger(database) == {settled.call_id: "ok", left_open.call_id: "recovered"}
    assert files(tmp_path) == []


async def test_an_absent_database_is_caught_up_with_when_it_is_back(tmp_path: Path, database: Path) -> None:
    flaky = Flaky(real_writer(database))
    book = journal(tmp_path, flaky, flush_seconds=0.01)
    await book.start()
    flaky.away = True
    calls = [record() for _ in range(50)]
    for call in calls:
        book.open(call)
        book.settle(call)
    with pytest.raises(ConnectionError):
        await book.flush()
    assert book.backlog == 50
    flaky.away = False
    await book.flush()
    assert set(ledger(database)) == {call.call_id for call in calls}
    await book.close()


async def test_the_backlog_is_bounded_and_what_is_in_it_is_kept(tmp_path: Path, database: Path) -> None:
    flaky = Flaky(real_writer(database))
    book = journal(tmp_path, flaky, flush_seconds=60, max_calls=3)
    await book.start()
    flaky.away = True
    settled, running = [record(), record()], record()
    for call in settled:
        book.open(call)
        book.settle(call)
    book.open(running)
    assert not book.accepts
    for _ in range(2):
        with pytest.raises(JournalFull):
            book.open(record())
    book.settle(running)
    assert (book.backlog, book.accepts) == (3, False)
    flaky.away = False
    await book.flush()
    assert (book.backlog, book.accepts) == (0, True)
    later = record()
    book.open(later)
    book.settle(later)
    await book.close()
    assert set(ledger(database)) == {call.call_id for call in (*settled, running, later)}


async def test_torn_and_damaged_lines_do_not_hide_the_others(tmp_path: Path, database: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    whole, torn = record(), record()
    line = msgspec.json.encode(("s", whole)) + b"\n"
    (folder / "dead.000000.journal").write_bytes(line + b"{nonsense}\n" + msgspec.json.encode(("s", torn))[:-9])
    book = journal(tmp_path, real_writer(database))
    await book.start()
    await book.close()
    assert set(ledger(database)) == {whole.call_id}
    assert files(tmp_path) == ["dead.bad"]


async def test_replaying_twice_changes_nothing(tmp_path: Path, database: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    call = record(cost=77)
    for turn in range(2):
        (folder / f"dead{turn}.000000.journal").write_bytes(msgspec.json.encode(("s", call)) + b"\n")
        book = journal(tmp_path, real_writer(database))
        await book.start()
        await book.close()
    with sqlite3.connect(database) as connection:
        spent = connection.execute("SELECT DISTINCT spent_nanos FROM budget_spend WHERE subject_id='ada'").fetchall()
    assert spent == [(77,)]


async def test_rotation_removes_what_is_written_and_carries_open_calls_over(tmp_path: Path, database: Path) -> None:
    book = journal(tmp_path, real_writer(database), segment_bytes=2000)
    await book.start()
    staying = record()
    book.open(staying)
    for _ in range(20):
        call = record()
        book.open(call)
        book.settle(call)
    await book.flush()
    names = [name for name in files(tmp_path) if name.endswith(".journal")]
    assert len(names) == 1
    content = (tmp_path / "journal" / names[0]).read_bytes()
    assert staying.call_id.encode() in content
    assert len(content) < 2000
    book.settle(staying)
    await book.close()
    assert len(ledger(database)) == 21


async def test_two_living_processes_leave_each_others_files_alone(tmp_path: Path, database: Path) -> None:
    first, second = journal(tmp_path, real_writer(database)), journal(tmp_path, real_writer(database))
    await first.start()
    call = record()
    first.open(call)
    await second.start()
    assert ledger(database) == {}
    await second.close()
    first.settle(call)
    await first.close()
    assert ledger(database) == {call.call_id: "ok"}


async def test_a_full_disk_stops_new_calls_but_loses_no_settled_one(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = journal(tmp_path, real_writer(database))
    await book.start()
    running = record()
    book.open(running)

    def full(_file: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(JournalUnwritable):
            book.open(record())
        book.settle(running)
        assert not book.accepts
    # Nobody writes a line, and yet the room is noticed.
    async with asyncio.timeout(5):
        while not book.accepts:  # noqa: ASYNC110 - the journal signals nobody
            await asyncio.sleep(0.02)
    await book.close()
    assert ledger(database) == {running.call_id: "ok"}


async def test_figures_are_exact_at_the_instant_they_are_installed(tmp_path: Path, database: Path) -> None:
    """Calls settle all the while; what was installed plus what settled after it must be the truth."""
    book = journal(tmp_path, real_writer(database), flush_seconds=0.001)
    await book.start()
    settled = 0
    loads: list[tuple[int, int]] = []
    stop = False

    async def keep_settling() -> None:
        nonlocal settled
        while not stop:
            call = record(cost=1)
            book.open(call)
            book.settle(call)
            settled += 1
            await asyncio.sleep(0.0005)

    def install(past: PastUse) -> None:
        loads.append((past.spent[Window.DAY], settled))

    running = [asyncio.create_task(keep_settling()) for _ in range(4)]
    periods = {window: period.key for window, period in PeriodClock(UTC).at(CLOCK.now()).items()}
    for _ in range(15):
        await book.load(ADA, periods, install)
        await asyncio.sleep(0.002)
    stop = True
    await asyncio.gather(*running)
    await book.close()
    assert all(installed == truth for installed, truth in loads)
    assert loads[-1][0] > loads[0][0]


CHILD = """
import asyncio, sys
from datetime import UTC
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from journal.test_journal import journal, real_writer, record

async def main():
    book = journal(Path(sys.argv[1]), real_writer(Path(sys.argv[2])), flush_seconds=0.02, segment_bytes=20000)
    await book.start()
    while True:
        call = record()
        book.open(call)
        print("o", call.call_id, flush=True)
        await asyncio.sleep(0)
        book.settle(call)
        print("s", call.call_id, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.4])
async def test_a_killed_process_loses_nothing_it_answered_for(tmp_path: Path, database: Path, seconds: float) -> None:
    root = str(Path(__file__).parents[1])
    child = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", CHILD, str(tmp_path), str(database), root], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    lines = [await asyncio.to_thread(child.stdout.readline)]
    await asyncio.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    lines += (await asyncio.to_thread(child.stdout.read)).splitlines()
    child.wait()
    child.stdout.close()
    said = [line.split() for line in lines if len(line.split()) == 2 and len(line.split()[1]) == 36]
    opened = {call for kind, call in said if kind == "o"}
    settled = {call for kind, call in said if kind == "s"}
    assert settled
    book = journal(tmp_path, real_writer(database))
    await book.start()
    await book.close()
    found = ledger(database)
    assert opened <= found.keys()
    assert all(found[call] == "ok" for call in settled)
    assert len(found) <= len(opened) + 1
    assert files(tmp_path) == []


def test_a_disk_that_is_full_while_a_file_is_changed_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = Segments(tmp_path, 10)
    segments.append(b"first\n")

    def full(file: int, data: bytes) -> int:
        raise OSError(28, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(JournalUnwritable):
            segments.rotate([b"carried\n"], 0)
    segments.append(b"second\n")
    assert [p.read_bytes() for p in tmp_path.glob("*.journal")] == [b"first\nsecond\n"]
    segments.rotate([b"carried\n"], 0)
    segments.drop_old(0)
    assert [p.read_bytes() for p in tmp_path.glob("*.journal")] == [b"carried\n"]
    segments.close(keep=False)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_somebody_took_for_dead_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Path] = []
    flock = fcntl.flock

    def late(lock: int, flags: int) -> None:
        if not taken:
            taken.append(next(tmp_path.glob("*.lock")))
            taken[0].unlink()
        flock(lock, flags)

    monkeypatch.setattr(fcntl, "flock", late)
    segments = Segments(tmp_path, 10)
    assert [p for p in tmp_path.glob("*.lock") if p not in taken]
    assert dead_processes(tmp_path) == []
    segments.close(keep=False)
