"""What processes leave behind when they die is found by the next."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from journal.books import (
    ADA,
    FACTS,
    Flaky,
    a_call,
    files,
    journal,
    ledger,
    lines,
    real_writer,
    record,
)
from sluicegate.adapters.journal.segments import Segments, dead_processes
from sluicegate.domain.policy import Subject, SubjectKind

pytestmark = pytest.mark.usefixtures("way")


async def test_torn_and_damaged_lines_do_not_hide_the_others(tmp_path: Path, database: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    first, second, torn = a_call(), a_call(), a_call()
    bad = b'{nonsense}\n["e",8,' + msgspec.json.encode(a_call()) + b']\n["x"]\n["e",7,17]\n[]\n'
    good = lines(("f", 7, FACTS), ("e", 7, first)), lines(("e", 7, second))
    end = msgspec.json.encode(("e", 7, torn))[:-1] + b"\0" * 5000
    (folder / "dead.000000.journal").write_bytes(good[0] + bad + good[1] + end)
    book = journal(tmp_path, real_writer(database))
    await book.start()
    book.told()
    await book.close()
    assert set(ledger(database)) == {first.call_id, second.call_id}
    assert files(tmp_path) == ["dead.bad"]
    assert (folder / "dead.bad").read_bytes() == bad


async def test_whose_calls_were_recovered_is_known_until_redis_has_heard_of_it(tmp_path: Path, database: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "dead.000000.journal").write_bytes(lines(("f", 7, FACTS), ("e", 7, a_call())))
    (folder / "damaged.untold").write_bytes(b"[nonsense")
    ada, bob = {ADA, Subject(SubjectKind.KEY, "k1"), Subject(SubjectKind.POOL, "g1")}, Subject(SubjectKind.USER, "bob")
    # The first start does not find Redis; the second is stopped while it is away.
    for noted, known in ((set[Subject](), ada), ({bob}, ada), (set[Subject](), {*ada, bob})):
        book = journal(tmp_path, real_writer(database))
        await book.start()
        assert book.recovered == known
        book.note_untold(noted)
        await book.close()
    book = journal(tmp_path, real_writer(database))
    await book.start()
    book.told()
    await book.close()
    assert files(tmp_path) == ["damaged.untold"]


async def test_what_an_earlier_release_left_is_read(tmp_path: Path, database: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    begun, ended, nothing = record(), record(cost=77), record()
    told = [("o", begun), ("o", ended), ("s", ended), ("o", nothing), ("d", nothing.call_id)]
    (folder / "dead.000000.journal").write_bytes(lines(*told))
    book = journal(tmp_path, real_writer(database))
    await book.start()
    book.told()
    await book.close()
    assert ledger(database) == {begun.call_id: "recovered", ended.call_id: "ok"}
    assert files(tmp_path) == []


async def test_replaying_twice_changes_nothing(tmp_path: Path, database: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    call = a_call(cost=77)
    for turn in range(2):
        (folder / f"dead{turn}.000000.journal").write_bytes(lines(("f", 1, FACTS), ("e", 1, call)))
        book = journal(tmp_path, real_writer(database))
        await book.start()
        await book.close()
    with sqlite3.connect(database) as connection:
        spent = connection.execute("SELECT DISTINCT spent_nanos FROM budget_spend WHERE subject_id='ada'").fetchall()
    assert spent == [(77,)]


async def test_what_two_files_say_together_is_recovered(tmp_path: Path, database: Path) -> None:
    flaky = Flaky(real_writer(database))
    book = journal(tmp_path, flaky, segment_bytes=10)
    await book.start()
    others = msgspec.structs.replace(FACTS, user_id="bob")
    staying, late = a_call(), a_call()
    book.open(FACTS, staying)
    await book.flush()
    book.open(others, late)
    book.settle(FACTS, staying)
    flaky.away = True
    await book.close()
    again = journal(tmp_path, real_writer(database))
    await again.start()
    await again.close()
    assert ledger(database) == {staying.call_id: "ok", late.call_id: "recovered"}
    with sqlite3.connect(database) as connection:
        users = dict(connection.execute("SELECT call_id, user_id FROM usage_ledger").fetchall())
    assert users == {staying.call_id: "ada", late.call_id: "bob"}


async def test_two_living_processes_leave_each_others_files_alone(tmp_path: Path, database: Path) -> None:
    first, second = journal(tmp_path, real_writer(database)), journal(tmp_path, real_writer(database))
    await first.start()
    call = a_call()
    first.open(FACTS, call)
    await second.start()
    assert ledger(database) == {}
    await second.close()
    first.settle(FACTS, call)
    await first.close()
    assert ledger(database) == {call.call_id: "ok"}


CHILD = """
import asyncio, sys
from datetime import UTC
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from sluicegate.adapters.journal import segments
segments.can_be_mapped = lambda _folder: sys.argv[4] == "mapped"
from journal.books import FACTS, a_call, journal, real_writer

async def main():
    book = journal(Path(sys.argv[1]), real_writer(Path(sys.argv[2])), flush_seconds=0.02, segment_bytes=20000)
    await book.start()
    while True:
        call = a_call()
        book.open(FACTS, call)
        print("o", call.call_id, flush=True)
        await asyncio.sleep(0)
        book.settle(FACTS, call)
        print("s", call.call_id, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.4])
async def test_a_killed_process_loses_nothing_it_answered_for(
    tmp_path: Path, database: Path, way: str, seconds: float
) -> None:
    root = str(Path(__file__).parents[1])
    child = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", CHILD, str(tmp_path), str(database), root, way], stdout=subprocess.PIPE, text=True
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
    book.told()
    await book.close()
    found = ledger(database)
    assert opened <= found.keys()
    assert all(found[call] == "ok" for call in settled)
    assert len(found) <= len(opened) + 1
    assert files(tmp_path) == []


def test_a_name_that_somebody_took_for_dead_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Path] = []
    flock = fcntl.flock

    def late(lock: int, flags: int) -> None:
        if not taken:
            taken.append(next(tmp_path.glob("*.lock")))
            taken[0].unlink()
        flock(lock, flags)

    monkeypatch.setattr(fcntl, "flock", late)
    files = Segments(tmp_path, 10)
    assert [p for p in tmp_path.glob("*.lock") if p not in taken]
    assert dead_processes(tmp_path) == []
    files.close(keep=False)
