"""The usage writer's statements as text with positional parameters, for drivers without a mapper on top."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    ColumnElement,
    Dialect,
    Table,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from sluicegate.domain.policy import SubjectKind, Window
from sluicegate.storage.tables.credentials import KEYS
from sluicegate.storage.tables.identity import USERS
from sluicegate.storage.tables.rollups import GROUP_SETS, PENDING
from sluicegate.storage.tables.usage import LEDGER, SPEND
from sluicegate.storage.usage_batch import PENDING_COLUMNS, SPEND_COLUMNS


class UsageStatements:
    """Parameters follow the columns of the table that is written, or the conditions as they are named here."""

    def __init__(self, dialect: Dialect, insert: Callable[[Table], Any]) -> None:
        """`insert` is that of the dialect, which may meet rows that are there already."""
        self._dialect = dialect
        self.insert_call = self._text(insert(LEDGER))
        self.insert_new_call = self._text(insert(LEDGER).on_conflict_do_nothing().returning(LEDGER.c.call_id))
        self.add_pending = self._text(insert(PENDING).values({name: bindparam(name) for name in PENDING_COLUMNS}))
        self.add_set = self._text(insert(GROUP_SETS).on_conflict_do_nothing())
        given = {name: bindparam(name) for name in SPEND_COLUMNS}
        spend = insert(SPEND).values(**given, changed_ms=milliseconds(dialect))
        total = {
            "spent_nanos": SPEND.c.spent_nanos + spend.excluded.spent_nanos,
            "changed_ms": spend.excluded.changed_ms,
        }
        self.add_spend = self._text(spend.on_conflict_do_update(index_elements=_keys(SPEND), set_=total))
        wanted = bindparam("id")
        self.recent = {
            kind: self._text(_recent(condition))
            for kind, condition in (
                (SubjectKind.USER, LEDGER.c.user_id == wanted),
                (SubjectKind.KEY, LEDGER.c.key_id == wanted),
                (SubjectKind.POOL, wanted.in_(select(self._group_ids()))),
            )
        }
        self.be_active = self._text(
            update(USERS)
            .where(USERS.c.id == bindparam("user"), USERS.c.last_active_at < bindparam("before"))
            .values(last_active_at=bindparam("at"))
        )
        self.use_key = self._text(
            update(KEYS)
            .where(
                KEYS.c.id == bindparam("key"),
                or_(KEYS.c.last_used_at.is_(None), KEYS.c.last_used_at < bindparam("before")),
            )
            .values(last_used_at=bindparam("at"), last_used_client=bindparam("client"))
        )

    def insert_calls(self, count: int) -> str:
        """So many at a time, the parameters of one call after those of the other."""
        head, values, row = self.insert_call.rpartition(" VALUES ")
        return head + values + ", ".join([row] * count)

    def spent(self, periods: int = len(Window), calls: int = 0) -> str:
        """By subject kind, subject id, as many periods and as many call ids; calls that are there come as rows of their
        own."""
        sums = select(SPEND.c.period, SPEND.c.spent_nanos).where(
            SPEND.c.subject_kind == bindparam("kind"),
            SPEND.c.subject_id == bindparam("id"),
            _one_of(SPEND.c.period, periods),
        )
        if not calls:
            return self._text(sums)
        there = select(LEDGER.c.call_id, LEDGER.c.cost_nanos).where(_one_of(LEDGER.c.call_id, calls, "call"))
        return self._text(union_all(sums, there))

    def known_calls(self, count: int) -> str:
        """By as many call ids."""
        return self._text(select(LEDGER.c.call_id).where(_one_of(LEDGER.c.call_id, count)))

    def _group_ids(self) -> ColumnElement[str]:
        """Each of the groups that are listed in a row of the ledger."""
        if self._dialect.name == "sqlite":
            return func.json_each(LEDGER.c.group_ids).table_valued("value").c.value
        return func.json_array_elements_text(LEDGER.c.group_ids).column_valued("group_id")

    def _text(self, statement: ClauseElement) -> str:
        return str(statement.compile(dialect=self._dialect))


def _keys(table: Table) -> list[str]:
    return [column.name for column in table.primary_key]


def _one_of(column: ColumnElement[str], count: int, name: str = "value") -> ColumnElement[bool]:
    return column.in_([bindparam(f"{name}_{index}") for index in range(count)])


def milliseconds(dialect: Dialect) -> ColumnElement[int]:
    """The database's time since the epoch; SQLite's in whole seconds."""
    if dialect.name == "sqlite":
        return literal_column("CAST(strftime('%s', 'now') AS INTEGER) * 1000", BigInteger())
    return literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", BigInteger())


def _recent(condition: ColumnElement[bool]) -> ClauseElement:
    limited = LEDGER.c.input_tokens + LEDGER.c.cache_write_5m_tokens + LEDGER.c.cache_write_1h_tokens
    return (
        select(LEDGER.c.started_ms, limited, LEDGER.c.output_tokens)
        .where(condition, LEDGER.c.started_ms >= bindparam("since"))
        .order_by(LEDGER.c.started_ms)
    )
