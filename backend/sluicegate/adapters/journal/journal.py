"""Writes calls down before anybody is answered, and moves them to the database in batches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shutil import disk_usage

import msgspec
import structlog

from sluicegate.adapters.journal.segments import JournalUnwritable, Segments, dead_processes, line_of
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.domain.usage import CallRecord, Outcome
from sluicegate.kit.clock import Clock
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import PastUse
from sluicegate.ports.usage import UsageWriter

_RECENT_MS = 60_000
_MAX_BACKOFF = 30.0
_SYNC_SECONDS = 1.0
# After the disk was full: less than this would be full again at once.
_FREE_BYTES = 1_048_576

log = structlog.get_logger()


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
        batch: int = 500,
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
        self._segments: Segments | None = None
        self._open: dict[str, CallRecord] = {}
        self._pending: list[CallRecord] = []
        self._flushing = asyncio.Lock()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._dirty = False
        self._written = 0
        # How many of those that wait `settled` knows.
        self._told = 0
        self._refusing = self._unwritable = False
        self.failures = 0
        # Whose calls dead processes left, by the last start.
        self.recovered: set[Subject] = set()

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
        return not (self._full or self._unwritable)

    @property
    def _full(self) -> bool:
        return len(self._pending) + len(self._open) >= self._max_calls

    async def start(self) -> None:
        """Settles what dead processes left, then begins; raises what the database raises."""
        self._segments = Segments(self._folder, self._segment_bytes)
        await asyncio.to_thread(self._recover)
        self._tasks = [asyncio.create_task(self._flush_always()), asyncio.create_task(self._sync_always())]

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

    # Writing down

    def open(self, record: CallRecord) -> None:
        if self._full:
            if not self._refusing:
                self._refusing = True
                log.error("journal.full", backlog=self.backlog, bound=self._max_calls)
            raise JournalFull("too many calls wait for the database")
        self._append(line_of("o", record))
        self._open[record.call_id] = record

    def settle(self, record: CallRecord) -> None:
        # Memory first: should the disk be full now, the database still gets the call.
        self._open.pop(record.call_id, None)
        self._pending.append(record)
        if len(self._pending) >= self._batch:
            self._wake.set()
        self._append_if_possible(line_of("s", record), record.call_id)

    def discard(self, call_id: str) -> None:
        if self._open.pop(call_id, None) is not None:
            self._append_if_possible(line_of("d", call_id), call_id)

    def _append_if_possible(self, line: bytes, call_id: str) -> None:
        """For what is known already: without its line, a crash before the next flush would count the estimate."""
        try:
            self._append(line)
        except JournalUnwritable as error:
            self.failures += 1
            log.warning("journal.not_written", error=error.strerror, request_id=call_id)

    def _append(self, line: bytes) -> None:
        if self._segments is None:
            raise RuntimeError("the journal is not running")
        try:
            self._segments.append(line)
        except JournalUnwritable:
            self._unwritable = True
            raise
        self._unwritable = False
        self._dirty = True

    # Moving to the database

    async def flush(self) -> None:
        """Writes all that is settled; raises what the database raises, and then nothing is lost."""
        async with self._flushing:
            await self._flush_locked()

    async def _flush_locked(self) -> None:
        # Only what waits now: calls keep coming, and a flush has to end.
        waiting = len(self._pending)
        while waiting > 0:
            records = self._pending[: min(waiting, self._batch)]
            await asyncio.to_thread(self._write, records)
            del self._pending[: len(records)]
            self._told -= len(records)
            self._written += len(records)
            waiting -= len(records)
        if self._refusing and not self._full:
            self._refusing = False
            log.info("journal.room_again", backlog=self.backlog)
        segments = self._segments
        if segments is None:
            return
        segments.drop_old(self._written)
        if segments.full:
            await asyncio.to_thread(segments.sync)
            needed = self._written + len(self._pending)
            segments.rotate([line_of("o", record) for record in self._open.values()], needed)
            segments.drop_old(self._written)

    def _write(self, records: list[CallRecord]) -> None:
        # Also while the database is away: who watches the server is to see that calls go on.
        if new := self._pending[self._told :]:
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
                    error=type(error).__name__,
                )
                await asyncio.sleep(pause)

    async def _sync_always(self) -> None:
        while True:
            await asyncio.sleep(_SYNC_SECONDS)
            # Where nobody sends calls to a server that is not ready, no line would show that there is room again.
            if self._unwritable and disk_usage(self._folder).free >= _FREE_BYTES:
                self._unwritable = False
            if self._dirty and self._segments is not None:
                self._dirty = False
                try:
                    await asyncio.to_thread(self._segments.sync)
                except OSError as error:
                    log.warning("journal.not_synced", error=error.strerror)

    # After a crash

    def _recover(self) -> None:
        for process in dead_processes(self._folder):
            try:
                contents = process.read()
                records = [*contents.settled.values(), *(_recovered(record) for record in contents.open.values())]
                for record in records:
                    self.recovered.update(_subjects_of(record))
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

    # Reading back

    async def load(self, subject: Subject, periods: dict[Window, str], install: Callable[[PastUse], None]) -> None:
        async with self._flushing:
            await self._flush_locked()
            since = int(self._clock.time() * 1000) - _RECENT_MS
            spent, recent = await asyncio.to_thread(self._read, subject, periods, since)
            # From here to `install` nothing may await: no call can be settled in between.
            waiting = [record for record in self._pending if _counts_for(record, subject)]
            for record in waiting:
                then = self._calendar.at_time(record.started_ms / 1000)
                for window, key in periods.items():
                    if then[window].key == key:
                        spent[window] = spent.get(window, 0) + record.cost_nanos
            late = [
                (r.started_ms / 1000, r.usage.limited_input, r.output_tokens) for r in waiting if r.started_ms >= since
            ]
            install(PastUse(spent, [*recent, *late]))

    def _read(
        self, subject: Subject, periods: dict[Window, str], since_ms: int
    ) -> tuple[dict[Window, int], Sequence[tuple[float, int, int]]]:
        return dict(self._writer.spent(subject, periods)), self._writer.recent(subject, since_ms)


def _recovered(record: CallRecord) -> CallRecord:
    """An open call of a dead process counts at its estimate."""
    return msgspec.structs.replace(record, outcome=Outcome.RECOVERED.value, estimated=True)


def _subjects_of(record: CallRecord) -> Iterator[Subject]:
    yield Subject(SubjectKind.USER, record.user_id)
    yield Subject(SubjectKind.KEY, record.key_id)
    for group_id in record.group_ids:
        yield Subject(SubjectKind.POOL, group_id)


def _counts_for(record: CallRecord, subject: Subject) -> bool:
    match subject.kind:
        case SubjectKind.USER:
            return record.user_id == subject.id
        case SubjectKind.KEY:
            return record.key_id == subject.id
        case SubjectKind.POOL:
            return subject.id in record.group_ids
        case SubjectKind.GROUP:
            return False
