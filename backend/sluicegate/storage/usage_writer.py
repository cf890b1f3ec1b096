"""Moves call records into the ledger and everything that is summed from it, exactly once.

Mapper and async engine stay out: this runs in a thread, on own connections, thousands of rows a second. A batch is
first inserted as if every call were new. Only when the database refuses, because a call is there already or a value
does not fit, the batch is taken again with a look at each row.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from itertools import chain
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL

from sluicegate.domain.policy import Subject, Window
from sluicegate.domain.usage import CallRecord
from sluicegate.policy.windows import PeriodClock
from sluicegate.storage.away import sqlite_is_away, unavailable
from sluicegate.storage.last_use import LastUse, Use, active_lines, lines_for
from sluicegate.storage.turns import turns_of_file
from sluicegate.storage.usage_batch import (
    LEDGER_COLUMNS,
    Line,
    Spans,
    distinct,
    fitted,
    ledger_lines,
    pending_lines,
    set_lines,
    spend_lines,
)
from sluicegate.storage.usage_sql import UsageStatements

_BUSY_SECONDS = 5
# Ids looked up by one statement: well below what the driver takes as parameters.
_CHUNK = 500
_REMEMBERED_SETS = 100_000
# Calls in one statement, where SQLite takes as many parameters; before its version 3.32 it does not.
_ROWS = 100


class _Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=_Closable)
R = TypeVar("R")


class _Wire(Generic[C]):
    """One connection for one thread at a time, opened when first needed and again after a failure."""

    def __init__(self, connect: Callable[[], C]) -> None:
        self._connect = connect
        self._connection: C | None = None
        self._lock = Lock()

    def run(self, work: Callable[[C], R], again: tuple[type[Exception], ...] = ()) -> R:
        """Work that fails with one of `again` over a connection that was open before is done once more over a new
        one."""
        with self._lock:
            old = self._connection is not None
            try:
                return self._run(work)
            except again:
                if not old:
                    raise
            return self._run(work)

    def _run(self, work: Callable[[C], R]) -> R:
        if self._connection is None:
            self._connection = self._connect()
        try:
            return work(self._connection)
        except BaseException:
            # Closing rolls back, whatever state the failure left.
            self._drop()
            raise

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class SqlUsageWriter(ABC, Generic[C]):
    """Implements ports.usage.UsageWriter over a driver. Reads have their own connection, so that a batch that waits
    for the database keeps nobody from being admitted."""

    sql: UsageStatements
    unfit: tuple[type[Exception], ...]
    """What the driver raises when a batch repeats a call or holds a value that no column takes."""
    ended: tuple[type[Exception], ...] = ()
    """What it raises when the database, or something on the way, has ended a connection since it was used last."""
    away: tuple[type[Exception], ...] = ()
    """What it raises when the database does not answer, or takes no changes; others get Unavailable for it."""

    def __init__(self, connect: Callable[[], C], zone: tzinfo) -> None:
        self._writing = _Wire(connect)
        self._reading = _Wire(connect)
        self._periods = PeriodClock(zone)
        self._spans = Spans(PeriodClock(zone))
        self._last_use = LastUse()
        self._stored_sets: set[str] = set()

    def _is_away(self, error: Exception) -> bool:
        return isinstance(error, self.away)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Raises Unavailable where the database is away."""
        try:
            yield
        except Exception as error:
            if self._is_away(error):
                raise unavailable() from error
            raise

    def write(self, records: Sequence[CallRecord]) -> None:
        with self._answering():
            self._write_all(records)

    def _write_all(self, records: Sequence[CallRecord]) -> None:
        batch = distinct(records)
        if not batch:
            return
        uses = self._last_use.due(batch)
        try:
            self._writing.run(lambda connection: self._write(connection, batch, uses, self._insert_all))
        except self.unfit:
            batch = distinct(fitted(batch))
            uses = self._last_use.due(batch)
            self._writing.run(lambda connection: self._write(connection, batch, uses, self._insert_new))
        self._last_use.stored(uses)
        if len(self._stored_sets) > _REMEMBERED_SETS:
            self._stored_sets.clear()
        self._stored_sets.update(set_lines(batch))

    def _new_sets(self, batch: list[CallRecord]) -> list[Line]:
        return [line for name, lines in set_lines(batch).items() if name not in self._stored_sets for line in lines]

    def spent(
        self, subject: Subject, periods: dict[Window, str], calls: Sequence[str] = ()
    ) -> tuple[dict[Window, int], set[str]]:
        # One statement sees one moment. Of more calls than it takes the first are told as not there.
        asked = calls[-_CHUNK:]
        statement = self.sql.spent(len(periods), len(asked))
        rows = dict(self._read(statement, (subject.kind.value, subject.id, *periods.values(), *asked)))
        found = {window: rows.get(key) or 0 for window, key in periods.items()}
        return found, rows.keys() & set(asked)

    def recent(self, subject: Subject, since_ms: int) -> Sequence[tuple[float, int, int]]:
        statement = self.sql.recent.get(subject.kind)
        if statement is None:
            return ()
        rows = self._read(statement, (subject.id, since_ms))
        return [(started_ms / 1000, input_tokens, output_tokens) for started_ms, input_tokens, output_tokens in rows]

    def _read(self, statement: str, parameters: Sequence[str | int]) -> list[Any]:
        # Somebody waits to be let in, who would be refused for a database that is there.
        with self._answering():
            return self._reading.run(lambda connection: self._rows(connection, statement, parameters), self.ended)

    def close(self) -> None:
        self._writing.close()
        self._reading.close()

    @abstractmethod
    def _write(
        self,
        connection: C,
        batch: list[CallRecord],
        uses: dict[str, Use],
        insert: Callable[[C, list[CallRecord]], list[CallRecord]],
    ) -> None:
        """One transaction: `insert` gives the records that were new, and those are added to the sums."""

    @abstractmethod
    def _insert_all(self, connection: C, batch: list[CallRecord]) -> list[CallRecord]:
        """Fails as a whole when one is there already."""

    @abstractmethod
    def _insert_new(self, connection: C, batch: list[CallRecord]) -> list[CallRecord]: ...

    @abstractmethod
    def _rows(self, connection: C, statement: str, parameters: Sequence[str | int]) -> list[tuple[Any, ...]]: ...


class SqliteUsageWriter(SqlUsageWriter[sqlite3.Connection]):
    sql = UsageStatements(sqlite.dialect(paramstyle="qmark"), sqlite.insert)
    unfit = (sqlite3.IntegrityError, OverflowError, UnicodeEncodeError)

    def __init__(self, path: str, zone: tzinfo) -> None:
        super().__init__(lambda: _open_sqlite(path), zone)
        self._turns = turns_of_file(path)

    def _is_away(self, error: Exception) -> bool:
        return sqlite_is_away(error)

    def _write(
        self,
        connection: sqlite3.Connection,
        batch: list[CallRecord],
        uses: dict[str, Use],
        insert: Callable[[sqlite3.Connection, list[CallRecord]], list[CallRecord]],
    ) -> None:
        with self._turns.turn():
            connection.execute("BEGIN IMMEDIATE")
            new = insert(connection, batch)
            connection.executemany(self.sql.add_set, self._new_sets(new))
            connection.executemany(self.sql.add_pending, pending_lines(new, self._spans))
            connection.executemany(self.sql.add_spend, spend_lines(new, self._periods))
            # People before their keys, as whoever deletes a person locks them.
            connection.executemany(self.sql.be_active, active_lines(batch, uses, sqlite=True))
            connection.executemany(self.sql.use_key, lines_for(uses, sqlite=True))
            connection.execute("COMMIT")

    def _insert_all(self, connection: sqlite3.Connection, batch: list[CallRecord]) -> list[CallRecord]:
        # The driver lets go of the interpreter for each statement, and has to wait for it again.
        count = min(_ROWS, connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(LEDGER_COLUMNS))
        lines = ledger_lines(batch)
        whole = len(lines) // count * count
        if whole:
            statement = self.sql.insert_calls(count)
            for start in range(0, whole, count):
                connection.execute(statement, tuple(chain.from_iterable(lines[start : start + count])))
        connection.executemany(self.sql.insert_call, lines[whole:])
        return batch

    def _insert_new(self, connection: sqlite3.Connection, batch: list[CallRecord]) -> list[CallRecord]:
        # The write lock is held already: nobody can add one of them between look-up and insert.
        known: set[str] = set()
        for part in _chunks([record.call_id for record in batch], _CHUNK):
            known |= {row[0] for row in connection.execute(self.sql.known_calls(len(part)), part)}
        return self._insert_all(connection, [record for record in batch if record.call_id not in known])

    def _rows(self, connection: sqlite3.Connection, statement: str, parameters: Sequence[str | int]) -> list[Any]:
        return connection.execute(statement, parameters).fetchall()


def _open_sqlite(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    # The journal forgets a batch once it is committed: from then on it must outlive a power cut here.
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _chunks(items: list[str], size: int) -> Iterable[list[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def make_usage_writer(url: URL, zone: tzinfo) -> SqlUsageWriter[Any]:
    """The writer for the database at `url`; budget periods are those of `zone`."""
    if url.get_backend_name() == "sqlite":
        return SqliteUsageWriter(url.database or "", zone)
    # A server on SQLite does without the driver.
    from sluicegate.storage.conninfo import conninfo
    from sluicegate.storage.usage_postgres import PostgresUsageWriter

    return PostgresUsageWriter(conninfo(url), zone)
