"""Writes calls down before anybody is answered, and moves them to the database in batches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from shutil import disk_usage
from typing import NoReturn, TypeVar

import msgspec
import structlog

from sluicegate.adapters.journal import untold
from sluicegate.adapters.journal.lines import ADMITTED, ENDED, Script, discarded
from sluicegate.adapters.journal.segments import JournalUnwritable, Segments, dead_processes
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.domain.usage import CallCourse, CallFacts, CallRecord, Outcome, record_of
from sluicegate.kit.clock import Clock
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import PastUse
from sluicegate.ports.usage import UsageWriter

_RECENT_MS = 60_000
_MAX_BACKOFF = 30.0
_SYNC_SECONDS = 1.0
# After the disk was full: less than this would be full again at once.
_FREE_BYTES = 1_048_576

_Entry = tuple[CallFacts, CallCourse]

log = structlog.get_logger()
R = TypeVar("R")


class JournalFull(OSError):
    """Too many calls wait for the database; the call must not go on."""


class Journal:
    """Implements ports.usage.UsageSink and ports.policy.Records.

    A settled call goes to the database after `flush_seconds`, or sooner when `batch` of them wait. When `max_calls` are
    open or wait, because the database is away, no further one is taken. `settled` is told of each call once, soon after
    its end, in a thread.
    """

    def __init__(
        self,
        folder: Path,
        writer: UsageWriter,
        clock: Clock,
        periods: PeriodClock,
        *,
        flush_seconds: float = 0.25,
        batch: int = 2000,
        segment_bytes: int = 8_388_608,
        max_calls: int = 250_000,
        settled: Callable[[Sequence[CallRecord]], None] = lambda records: None,
    ) -> None:
        self._folder = folder
        self._writer = writer
        self._clock = clock
        self._calendar = PeriodClock(periods.zone)
        self._flush_seconds = flush_seconds
        self._batch = batch
        self._segment_bytes = segment_bytes
        self._max_calls = max_calls
        self._tell_settled = settled
        self._tell_saved: Callable[[], None] = lambda: None
        self._segments: Segments | None = None
        self._script = Script()
        self._open: dict[str, _Entry] = {}
        self._pending: list[_Entry] = []
        self._flushing = asyncio.Lock()
        self._wake = asyncio.Event()
        # Of its own: who asks may give up, and a thread that waits for the database cannot. Soon nobody else would get
        # one of those that the loop has for everything.
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="journal")
        self._tasks: list[asyncio.Task[None]] = []
        self._written = 0
        # How many of those that wait `settled` knows.
        self._told = 0
        self._refusing = False
        self.failures = 0
        # Whose calls came to the ledger without Redis having heard of all of them, by the last start.
        self.recovered: set[Subject] = set()
        self._notes: list[Path] = []

    @property
    def backlog(self) -> int:
        """Settled calls that are not in the database yet."""
        return len(self._pending)

    @property
    def settled(self) -> int:
        """Calls that were settled since the start."""
        return self._written + len(self._pending)

    @property
    def saved(self) -> int:
        """Those of them that are in the database."""
        return self._written

    @property
    def accepts(self) -> bool:
        """Whether a further call can be written down."""
        return not (self._full or (self._segments is not None and self._segments.unwritable))

    @property
    def _full(self) -> bool:
        return len(self._pending) + len(self._open) >= self._max_calls

    def listen(self, saved: Callable[[], None]) -> None:
        self._tell_saved = saved

    async def start(self) -> None:
        """Settles what dead processes left, then begins; raises what the database raises."""
        self._segments = Segments(self._folder, self._segment_bytes)
        await self._asked(self._recover)
        self._tasks = [asyncio.create_task(self._flush_always()), asyncio.create_task(self._sync_always())]

    def told(self) -> None:
        """Redis knows that those who were `recovered` have to be read again."""
        for path in self._notes:
            path.unlink(missing_ok=True)
        self._notes = []

    def note_untold(self, subjects: Collection[Subject]) -> None:
        """Leaves these for the next start: Redis has not heard of all of their calls."""
        if not subjects:
            return
        try:
            untold.note(self._folder, subjects)
        except OSError as error:
            log.warning("journal.not_written", error=error.strerror)

    async def close(self) -> None:
        """Moves what it can to the database; what it cannot stays on disk for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        with contextlib.suppress(Exception):
            await self.flush()
        if self._segments is not None:
            self._segments.close(keep=bool(self._pending or self._open))
            self._segments = None

    async def _asked(self, work: Callable[[], R]) -> R:
        """What the database has to say to `work`, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    # Writing down

    def open(self, facts: CallFacts, course: CallCourse) -> None:
        if self._full:
            self._refuse()
        try:
            self._running().append(self._script.line(ADMITTED, facts, course))
        except JournalUnwritable:
            self._script.forget()
            raise
        self._open[course.call_id] = (facts, course)

    def _refuse(self) -> NoReturn:
        if not self._refusing:
            self._refusing = True
            log.error("journal.full", backlog=self.backlog, bound=self._max_calls)
        raise JournalFull("too many calls wait for the database")

    def settle(self, facts: CallFacts, course: CallCourse) -> None:
        # Memory first: should the disk be full now, the database still gets the call.
        self._open.pop(course.call_id, None)
        pending = self._pending
        pending.append((facts, course))
        if len(pending) >= self._batch:
            self._wake.set()
        self._append_if_possible(self._script.line(ENDED, facts, course), course.call_id)

    def discard(self, call_id: str) -> None:
        if self._open.pop(call_id, None) is not None:
            self._append_if_possible(discarded(call_id), call_id)

    def _append_if_possible(self, line: bytes, call_id: str) -> None:
        """For what is known already: without its line, a crash before the next flush would count the estimate."""
        try:
            self._running().append(line)
        except JournalUnwritable as error:
            self._script.forget()
            self.failures += 1
            log.warning("journal.not_written", error=error.strerror, request_id=call_id)

    def _running(self) -> Segments:
        if self._segments is None:
            raise RuntimeError("the journal is not running")
        return self._segments

    # Moving to the database

    async def flush(self) -> None:
        """Writes all that is settled; raises what the database raises, and then nothing is lost."""
        async with self._flushing:
            await self._flush_locked()

    async def _flush_locked(self) -> None:
        # Only what waits now: calls keep coming, and a flush has to end.
        waiting = len(self._pending)
        while waiting > 0:
            entries = self._pending[: min(waiting, self._batch)]
            await self._asked(partial(self._write, entries))
            del self._pending[: len(entries)]
            self._told -= len(entries)
            self._written += len(entries)
            self._tell_saved()
            waiting -= len(entries)
        if self._refusing and not self._full:
            self._refusing = False
            log.info("journal.room_again", backlog=self.backlog)
        segments = self._segments
        if segments is None:
            return
        await self._remove(segments.outdated(self._written))
        if segments.full:
            await asyncio.to_thread(segments.sync)
            needed, script = self._written + len(self._pending), self._script.next()
            segments.rotate([script.line(ADMITTED, *entry) for entry in self._open.values()], needed)
            self._script = script
            await self._remove(segments.outdated(self._written))

    @staticmethod
    async def _remove(files: list[Path]) -> None:
        """In a thread: of a large file it takes milliseconds, for which calls would wait."""
        for file in files:
            await asyncio.to_thread(file.unlink, missing_ok=True)

    def _write(self, entries: list[_Entry]) -> None:
        records = [record_of(*entry) for entry in entries]
        # Also while the database is away: who watches the server is to see that calls go on.
        later = self._pending[max(self._told, len(entries)) :]
        if new := [*records[self._told :], *(record_of(*entry) for entry in later)]:
            self._told += len(new)
            self._tell_settled(new)
        self._writer.write(records)

    async def _flush_always(self) -> None:
        pause = self._flush_seconds
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)
            self._wake.clear()
            try:
                await self.flush()
                pause = self._flush_seconds
            except Exception as error:
                self.failures += 1
                pause = min(max(pause * 2, 1.0), _MAX_BACKOFF)
                log.warning(
                    "usage.not_flushed",
                    backlog=self.backlog,
                    bound=self._max_calls,
                    retry_in=pause,
                    error=type(error.__cause__ or error).__name__,
                )
                await asyncio.sleep(pause)

    async def _sync_always(self) -> None:
        while True:
            await asyncio.sleep(_SYNC_SECONDS)
            segments = self._segments
            if segments is None:
                continue
            # Where nobody sends calls to a server that is not ready, no line would show that there is room again.
            if segments.unwritable and disk_usage(self._folder).free >= _FREE_BYTES:
                segments.unwritable = False
            if segments.unsynced:
                segments.unsynced = False
                try:
                    await asyncio.to_thread(segments.sync)
                except OSError as error:
                    log.warning("journal.not_synced", error=error.strerror)

    # After a crash

    def _recover(self) -> None:
        for process in dead_processes(self._folder):
            try:
                contents = process.read()
                records = [*contents.settled.values(), *(_recovered(record) for record in contents.open.values())]
                if records:
                    # Kept until Redis has heard of it, which may take further starts: the files go before.
                    subjects = {subject for record in records for subject in _subjects_of(record)}
                    self.recovered |= subjects
                    self.note_untold(subjects)
                for start in range(0, len(records), self._batch):
                    self._writer.write(records[start : start + self._batch])
                if contents.damaged:
                    path = process.set_aside(contents.damaged)
                    log.warning("journal.damaged", lines=len(contents.damaged), kept_in=path.name)
                if records:
                    log.info("journal.recovered", settled=len(contents.settled), open=len(contents.open))
                process.remove()
            finally:
                process.release()
        notes = untold.noted(self._folder)
        self._notes = list(notes)
        self.recovered.update(*notes.values())

    # Reading back

    async def load(
        self,
        subject: Subject,
        periods: dict[Window, str],
        install: Callable[[PastUse], None],
        calls: Sequence[str] = (),
    ) -> None:
        async with self._flushing:
            await self._flush_locked()
            since, asked = int(self._clock.time() * 1000) - _RECENT_MS, self._clock.monotonic()
            spent, there, recent = await self._asked(partial(self._read, subject, periods, calls, since))
            # From here to `install` nothing may await: no call can be settled in between.
            waiting = [course for facts, course in self._pending if _counts_for(facts, subject)]
            for course in waiting:
                then = self._calendar.at_time(course.started_ms / 1000)
                for window, key in periods.items():
                    if then[window].key == key:
                        spent[window] = spent.get(window, 0) + course.cost_nanos
            late = [
                (c.started_ms / 1000, c.usage.limited_input, c.output_tokens) for c in waiting if c.started_ms >= since
            ]
            install(PastUse(spent, [*recent, *late], there, asked))

    def _read(
        self, subject: Subject, periods: dict[Window, str], calls: Sequence[str], since_ms: int
    ) -> tuple[dict[Window, int], set[str], Sequence[tuple[float, int, int]]]:
        spent, there = self._writer.spent(subject, periods, calls)
        return spent, there, self._writer.recent(subject, since_ms)


def _recovered(record: CallRecord) -> CallRecord:
    """An open call of a dead process counts at its estimate, which no price list has reckoned."""
    return msgspec.structs.replace(record, outcome=Outcome.RECOVERED.value, estimated=True, price_list_id=None)


def _subjects_of(record: CallRecord) -> Iterator[Subject]:
    yield Subject(SubjectKind.USER, record.user_id)
    yield Subject(SubjectKind.KEY, record.key_id)
    for group_id in record.group_ids:
        yield Subject(SubjectKind.POOL, group_id)


def _counts_for(facts: CallFacts, subject: Subject) -> bool:
    match subject.kind:
        case SubjectKind.USER:
            return facts.user_id == subject.id
        case SubjectKind.KEY:
            return facts.key_id == subject.id
        case SubjectKind.POOL:
            return subject.id in facts.group_ids
        case SubjectKind.GROUP:
            return False
