"""The ledger's writer on PostgreSQL: rows by COPY, sums by statements that are sent together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from typing import Any

import psycopg
from sqlalchemy.dialects import postgresql

from sluicegate.domain.usage import CallRecord
from sluicegate.storage.last_use import Use, active_lines, lines_for
from sluicegate.storage.tables.rollups import PENDING
from sluicegate.storage.tables.usage import LEDGER
from sluicegate.storage.usage_batch import (
    LEDGER_COLUMNS,
    PENDING_COLUMNS,
    Line,
    ledger_lines,
    pending_lines,
    spend_lines,
)
from sluicegate.storage.usage_sql import UsageStatements
from sluicegate.storage.usage_writer import SqlUsageWriter

_CONNECT_SECONDS = 10

Postgres = psycopg.Connection[tuple[Any, ...]]


class PostgresUsageWriter(SqlUsageWriter[Postgres]):
    sql = UsageStatements(postgresql.dialect(paramstyle="format"), postgresql.insert)
    unfit = (psycopg.IntegrityError, psycopg.DataError, OverflowError, UnicodeEncodeError)
    ended = (psycopg.OperationalError,)
    away = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)

    def __init__(self, conninfo: str, zone: tzinfo) -> None:
        super().__init__(lambda: psycopg.connect(conninfo, autocommit=True, connect_timeout=_CONNECT_SECONDS), zone)

    def _write(
        self,
        connection: Postgres,
        batch: list[CallRecord],
        uses: dict[str, Use],
        insert: Callable[[Postgres, list[CallRecord]], list[CallRecord]],
    ) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            new = insert(connection, batch)
            cursor.executemany(self.sql.add_set.encode(), self._new_sets(new))
            _copy(cursor, PENDING.name, PENDING_COLUMNS, pending_lines(new, self._spans))
            cursor.executemany(self.sql.add_spend.encode(), spend_lines(new, self._periods))
            cursor.executemany(self.sql.be_active.encode(), active_lines(batch, uses, sqlite=False))
            cursor.executemany(self.sql.use_key.encode(), lines_for(uses, sqlite=False))

    def _insert_all(self, connection: Postgres, batch: list[CallRecord]) -> list[CallRecord]:
        with connection.cursor() as cursor:
            _copy(cursor, LEDGER.name, LEDGER_COLUMNS, ledger_lines(batch))
        return batch

    def _insert_new(self, connection: Postgres, batch: list[CallRecord]) -> list[CallRecord]:
        with connection.cursor() as cursor:
            cursor.executemany(self.sql.insert_new_call.encode(), ledger_lines(batch), returning=True)
            new = {row[0] for result in cursor.results() for row in result}
        return [record for record in batch if record.call_id in new]

    def _rows(self, connection: Postgres, statement: str, parameters: Sequence[str | int]) -> list[Any]:
        return connection.execute(statement.encode(), parameters).fetchall()


def _copy(cursor: psycopg.Cursor[Any], table: str, columns: Iterable[str], lines: Iterable[Line]) -> None:
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as copy:
        for line in lines:
            copy.write_row(line)
