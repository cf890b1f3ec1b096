"""Nothing that a caller was answered may be lost, whatever is full or away."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import pytest

from journal.books import (
    ADA,
    CLOCK,
    FACTS,
    Flaky,
    a_call,
    contents_of,
    files,
    journal,
    ledger,
    real_writer,
)
from sluicegate.adapters.journal import Journal, JournalFull
from sluicegate.adapters.journal.lines import Contents
from sluicegate.adapters.journal.segments import JournalUnwritable, Segments
from sluicegate.domain.policy import Subject, Window
from sluicegate.domain.usage import CallCourse, record_of
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import PastUse
from sluicegate.ports.usage import UsageWriter

pytestmark = pytest.mark.usefixtures("way")


async def test_settled_calls_reach_the_ledger_and_leave_no_files(tmp_path: Path, database: Path) -> None:
    book = journal(tmp_path, real_writer(database))
    await book.start()
    call = a_call()
    book.open(FACTS, call)
    book.settle(FACTS, call)
    await book.close()
    assert ledger(database) == {call.call_id: "ok"}
    assert files(tmp_path) == []


async def test_each_call_is_told_once_even_while_the_database_is_away(tmp_path: Path, database: Path) -> None:
    flaky, told = Flaky(real_writer(database)), Counter[str]()
    book = journal(tmp_path, flaky, batch=2, settled=lambda calls: told.update(call.call_id for call in calls))
    await book.start()
    flaky.away = True
    calls = [a_call() for _ in range(5)]
    for call in calls[:3]:
        book.open(FACTS, call)
        book.settle(FACTS, call)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await book.flush()
    assert told == Counter(call.call_id for call in calls[:3])
    flaky.away = False
    for call in calls[3:]:
        book.open(FACTS, call)
        book.settle(FACTS, call)
    await book.close()
    assert told == Counter(call.call_id for call in calls)
    assert ledger(database).keys() == told.keys()


async def test_a_discarded_call_leaves_nothing(tmp_path: Path, database: Path) -> None:
    book = journal(tmp_path, real_writer(database))
    await book.start()
    call = a_call()
    book.open(FACTS, call)
    book.discard(call.call_id)
    await book.close()
    assert ledger(database) == {}
    assert files(tmp_path) == []


async def test_what_the_database_did_not_take_is_replayed_at_the_next_start(tmp_path: Path, database: Path) -> None:
    flaky = Flaky(real_writer(database))
    flaky.away = True
    first = journal(tmp_path, flaky)
    await first.start()
    settled, left_open = a_call(), a_call()
    for call in (settled, left_open):
        first.open(FACTS, call)
    first.settle(FACTS, settled)
    await first.close()
    assert ledger(database) == {}
    second = journal(tmp_path, real_writer(database))
    await second.start()
    second.told()
    await second.close()
    assert ledger(database) == {settled.call_id: "ok", left_open.call_id: "recovered"}
    assert files(tmp_path) == []


async def test_an_absent_database_is_caught_up_with_when_it_is_back(tmp_path: Path, database: Path) -> None:
    flaky = Flaky(real_writer(database))
    book = journal(tmp_path, flaky, flush_seconds=0.01)
    await book.start()
    flaky.away = True
    calls = [a_call() for _ in range(50)]
    for call in calls:
        book.open(FACTS, call)
        book.settle(FACTS, call)
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
    settled, running = [a_call(), a_call()], a_call()
    for call in settled:
        book.open(FACTS, call)
        book.settle(FACTS, call)
    book.open(FACTS, running)
    assert not book.accepts
    for _ in range(2):
        with pytest.raises(JournalFull):
            book.open(FACTS, a_call())
    book.settle(FACTS, running)
    assert (book.backlog, book.accepts) == (3, False)
    flaky.away = False
    await book.flush()
    assert (book.backlog, book.accepts) == (0, True)
    later = a_call()
    book.open(FACTS, later)
    book.settle(FACTS, later)
    await book.close()
    assert set(ledger(database)) == {call.call_id for call in (*settled, running, later)}


async def test_rotation_removes_what_is_written_and_carries_open_calls_over(tmp_path: Path, database: Path) -> None:
    book = journal(tmp_path, real_writer(database), segment_bytes=2000)
    await book.start()
    staying = a_call()
    book.open(FACTS, staying)
    for _ in range(20):
        call = a_call()
        book.open(FACTS, call)
        book.settle(FACTS, call)
    await book.flush()
    (name,) = [name for name in files(tmp_path) if name.endswith(".journal")]
    content = (tmp_path / "journal" / name).read_bytes().rstrip(b"\0")
    # What it says of the calls can be read without the file that is gone.
    carried = Contents()
    carried.add(content)
    assert carried.open == {staying.call_id: record_of(FACTS, staying)}
    assert len(content) < 2000
    book.settle(FACTS, staying)
    await book.close()
    assert len(ledger(database)) == 21


def full(*_: object) -> int:
    raise OSError(28, "No space left on device")


async def test_a_full_disk_stops_new_calls_but_loses_no_settled_one(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = journal(tmp_path, real_writer(database))
    await book.start()
    running = [a_call()]
    book.open(FACTS, running[0])
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(JournalUnwritable):
            _open_until_refused(book, running)
        for call in running:
            book.settle(FACTS, call)
        assert not book.accepts
    # Nobody writes a line, and yet the room is noticed.
    async with asyncio.timeout(5):
        while not book.accepts:  # noqa: ASYNC110 - the journal signals nobody
            await asyncio.sleep(0.02)
    # The file has not heard of the facts whose line was refused.
    after = a_call()
    book.open(FACTS, after)
    assert after.call_id in contents_of(tmp_path).open
    book.settle(FACTS, after)
    await book.close()
    assert ledger(database) == {call.call_id: "ok" for call in (*running, after)}


def _open_until_refused(book: Journal, running: list[CallCourse]) -> None:
    """Room that was taken before is there still."""
    for _ in range(2000):
        call = a_call()
        book.open(FACTS, call)
        running.append(call)


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
            call = a_call(cost=1)
            book.open(FACTS, call)
            book.settle(FACTS, call)
            settled += 1
            await asyncio.sleep(0.001)

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


class Hanging(Flaky):
    """A writer whose database says nothing until it is let go."""

    def __init__(self, inner: UsageWriter) -> None:
        super().__init__(inner)
        self.answers = threading.Event()

    def spent(
        self, subject: Subject, periods: dict[Window, str], calls: Sequence[str] = ()
    ) -> tuple[dict[Window, int], set[str]]:
        self.answers.wait(30)
        return self.inner.spent(subject, periods, calls)


async def test_callers_who_give_up_on_a_database_that_hangs_take_no_threads_from_others(
    tmp_path: Path, database: Path
) -> None:
    writer = Hanging(real_writer(database))
    kept = journal(tmp_path, writer)
    await kept.start()
    # More than the loop has threads for everything.
    for _ in range(40):
        asking = asyncio.create_task(kept.load(ADA, {Window.MONTH: "2026-11"}, lambda _: None))
        await asyncio.sleep(0.005)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    try:
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(str, 1) == "1"
    finally:
        writer.answers.set()
    found: list[PastUse] = []
    await kept.load(ADA, {Window.MONTH: "2026-11"}, found.append)
    assert [past.spent for past in found] == [{Window.MONTH: 0}]
    await kept.close()


def test_a_disk_that_is_full_while_a_file_is_changed_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def content() -> list[bytes]:
        return [path.read_bytes().rstrip(b"\0") for path in tmp_path.glob("*.journal")]

    files = Segments(tmp_path, 10)
    files.append(b"first")
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        patched.setattr(os, "posix_fallocate", full)
        with pytest.raises(JournalUnwritable):
            files.rotate([b"carried"], 0)
    files.append(b"second")
    assert content() == [b"first\nsecond\n"]
    files.rotate([b"carried", b"too"], 0)
    (old,) = files.outdated(0)
    assert files.outdated(0) == []
    old.unlink()
    assert content() == [b"carried\ntoo\n"]
    files.close(keep=False)
    assert list(tmp_path.iterdir()) == []
