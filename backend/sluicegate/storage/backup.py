"""All that a database holds as one file, which any supported database takes, with this release or a later one.

The file is gzip over JSON lines: a head, then for each table one line with its name and columns and one array for each
row, and a last line that counts the rows, so that a file that was cut off is known. Instants are ISO 8601 in UTC;
columns of JSON hold its text, since SQL tells null from JSON's null. Blocking: commands call it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from gzip import BadGzipFile, GzipFile
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    inspect,
    literal,
    select,
    type_coerce,
)
from sqlalchemy import (
    table as table_named,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator, TypeEngine

from sluicegate.kit.errors import AppError
from sluicegate.storage import migrate
from sluicegate.storage.tables.every import METADATA

FORMAT = 1
_CHUNK = 1000
_LONGEST_LINE = 64 * 1024 * 1024
_NOT_WHOLE = "The file is no whole backup: "

_encode = msgspec.json.Encoder().encode


class BackupError(AppError):
    """A restore that is not possible; the database is as it was."""


class BackupUnreadable(BackupError):
    """The file is no backup, or not a whole one; the message says where."""


class RestoreRefused(BackupError):
    """The backup cannot go into this database, or not with this release; the message says what to do."""


class Head(msgspec.Struct, frozen=True):
    """`schema` is the version of the migrations; `key_id` names the key that opens what is stored sealed."""

    format: int
    release: str
    schema: str
    made_at: datetime
    key_id: str


class _TableLine(msgspec.Struct, frozen=True):
    table: str
    columns: list[str]


class _EndLine(msgspec.Struct, frozen=True):
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """`rows` counts by table."""

    head: Head
    rows: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def write(url: str, out: BinaryIO, release: str, made_at: datetime, key_id: str) -> Summary:
    """Writes down one moment of a database, which may be in use meanwhile. Raises SchemaError when its schema is not
    this release's."""
    migrate.check(url)
    head = Head(FORMAT, release, migrate.newest(), made_at, key_id)
    counts: dict[str, int] = {}
    with migrate.snapshot(url) as connection, GzipFile(filename="", mode="wb", fileobj=out, compresslevel=6) as file:
        file.write(_encode(head) + b"\n")
        for table in METADATA.sorted_tables:
            file.write(_encode(_TableLine(str(table.name), [str(column.name) for column in table.columns])) + b"\n")
            counts[str(table.name)] = 0
            for row in _rows(connection, table):
                file.write(_encode(row) + b"\n")
                counts[str(table.name)] += 1
        file.write(_encode(_EndLine(counts)) + b"\n")
    return Summary(head, counts)


def restore(url: str, source: BinaryIO, accept: Callable[[Head], None]) -> Summary:
    """Fills an empty database and brings it to this release's schema: all of it or nothing.

    `accept` sees the head before anything is done and may raise. Raises BackupUnreadable and RestoreRefused.
    """
    with GzipFile(fileobj=source, mode="rb") as file:
        lines = _lines(file)
        head = _head(next(lines, b""))
        accept(head)
        counts: dict[str, int] = {}

        def fill(connection: Connection) -> None:
            _refuse_unless_empty(connection)
            migrate.clear(connection)
            migrate.move_to(connection, head.schema)
            try:
                counts.update(_fill(connection, lines))
            except DBAPIError as error:
                # The lines below the first would show the row.
                said = str(error.orig).partition("\n")[0]
                raise BackupUnreadable(f"The backup does not fit its own schema: {said}") from error
            migrate.move_to(connection, migrate.newest())

        migrate.in_one_transaction(url, fill)
    return Summary(head, counts)


def _rows(connection: Connection, table: Table) -> Iterator[list[Any]]:
    # By plain types: what the database holds, not what the code takes it for.
    plain = [
        cast(column, Text) if isinstance(column.type, JSON) else type_coerce(column, _plain(column.type))
        for column in table.columns
    ]
    times = [index for index, column in enumerate(table.columns) if isinstance(_plain(column.type), DateTime)]
    found = connection.execution_options(yield_per=_CHUNK).execute(select(*plain).order_by(*table.primary_key))
    for row in found:
        values = list(row)
        for index in times:
            if (at := values[index]) is not None:
                values[index] = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        yield values


def _plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return kind


def _lines(file: GzipFile) -> Iterator[bytes]:
    try:
        while line := file.readline(_LONGEST_LINE):
            yield line
    except (BadGzipFile, EOFError, zlib.error) as error:
        raise BackupUnreadable(f"{_NOT_WHOLE}{error}") from error


def _head(line: bytes) -> Head:
    try:
        head = msgspec.json.decode(line, type=Head)
    except msgspec.MsgspecError as error:
        raise BackupUnreadable(f"The file is no backup: {error}") from error
    if head.format != FORMAT:
        raise RestoreRefused(f"The backup is of format {head.format}, this release reads format {FORMAT}.")
    if head.schema not in migrate.known():
        raise RestoreRefused(
            f"The backup is of release {head.release}, whose schema {head.schema} this release does not know. "
            "Restore it with that release or a later one."
        )
    return head


def _refuse_unless_empty(connection: Connection) -> None:
    there = inspect(connection)
    # The last one for what a policy file made before there was anybody.
    for name in ("users", "usage_ledger", "audit_events"):
        any_row = select(literal(1)).select_from(table_named(name)).limit(1)
        if there.has_table(name) and connection.execute(any_row).first() is not None:
            raise RestoreRefused("The database is in use. A backup goes into an empty one only: name another database.")
    if migrate.version_of(connection) is None and there.get_table_names():
        raise RestoreRefused("The database holds tables of something else. Name an empty one.")


def _fill(connection: Connection, lines: Iterator[bytes]) -> dict[str, int]:
    counts: dict[str, int] = {}
    filling: _Filling | None = None
    for number, line in enumerate(lines, start=2):
        try:
            # Rows are by far the most.
            if line.startswith(b"["):
                if filling is None:
                    raise ValueError("a row before the first table")
                filling.add(msgspec.json.decode(line, type=list[Any]))
                continue
            if filling is not None:
                counts[filling.table.name] = filling.end()
            if line.startswith(b'{"rows"'):
                end = msgspec.json.decode(line, type=_EndLine)
                if end.rows != counts:
                    raise ValueError("the rows are not as many as its end says")
                # Only what reads up to the end of the file compares its checksum.
                if next(lines, None) is not None:
                    raise ValueError("more behind its end")
                return counts
            table = msgspec.json.decode(line, type=_TableLine)
            if table.table in counts:
                raise ValueError(f"{table.table} for the second time")
            filling = _Filling(connection, table)
        except (msgspec.MsgspecError, ValueError) as error:
            raise BackupUnreadable(f"{_NOT_WHOLE}line {number}: {error}") from error
    raise BackupUnreadable(f"{_NOT_WHOLE}it ends in the middle.")


class _Filling:
    """One table, as the schema of the backup has it."""

    def __init__(self, connection: Connection, line: _TableLine) -> None:
        if not inspect(connection).has_table(line.table):
            raise ValueError(f"there is no table {line.table}")
        self._connection = connection
        key = inspect(connection).get_pk_constraint(line.table)["constrained_columns"]
        found = inspect(connection).get_columns(line.table)
        self.table = Table(
            line.table, MetaData(), *(Column(c["name"], c["type"], primary_key=c["name"] in key) for c in found)
        )
        if set(line.columns) != set(self.table.columns.keys()):
            raise ValueError(f"the columns of {line.table} are others")
        self._columns = line.columns
        columns = [self.table.columns[name] for name in line.columns]
        self._times = [index for index, column in enumerate(columns) if isinstance(column.type, DateTime)]
        self._aware = connection.dialect.name == "postgresql"
        self._insert = insert(self.table).values({column: _given(column, aware=self._aware) for column in columns})
        self._rows: list[dict[str, Any]] = []
        self._count = 0
        # A new schema comes with a few rows of its own.
        connection.execute(delete(self.table))

    def add(self, row: list[Any]) -> None:
        if len(row) != len(self._columns):
            raise ValueError(f"{len(row)} values for {len(self._columns)} columns of {self.table.name}")
        for index in self._times:
            if row[index] is not None:
                at = datetime.fromisoformat(row[index]).astimezone(UTC)
                row[index] = at if self._aware else at.replace(tzinfo=None)
        self._rows.append(dict(zip(self._columns, row, strict=True)))
        if len(self._rows) == _CHUNK:
            self._flush()

    def end(self) -> int:
        self._flush()
        key = self.table.autoincrement_column
        if self._aware and key is not None and isinstance(key.type, Integer) and self._count:
            sequence = func.pg_get_serial_sequence(self.table.name, key.name)
            self._connection.execute(select(func.setval(sequence, select(func.max(key)).scalar_subquery())))
        return self._count

    def _flush(self) -> None:
        if self._rows:
            self._connection.execute(self._insert, self._rows)
            self._count += len(self._rows)
            self._rows.clear()


def _given(column: Column[Any], *, aware: bool) -> Any:
    if isinstance(column.type, JSON):
        text = bindparam(column.name, type_=Text())
        return cast(text, column.type) if aware else text
    return bindparam(column.name, type_=column.type)
