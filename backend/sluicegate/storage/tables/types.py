"""What all tables have in common: where they are noted, and column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Column, DateTime, Dialect, ForeignKey, Integer, MetaData, String
from sqlalchemy.types import TypeDecorator

METADATA = MetaData(
    # A later migration can only drop or change what has a name.
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
ID = String(36)
# SQLite numbers rows by itself only in a column of this very type.
SERIAL = BigInteger().with_variant(Integer, "sqlite")
E = TypeVar("E", bound=StrEnum)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC instants in and out; SQLite keeps them without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime must not reach the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class InstantOrNever(UtcDateTime):
    """An instant, or None; the database holds a time before all others for None, so that rows sort by it and pages
    continue after it."""

    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return super().process_bind_param(_NEVER if value is None else value, dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        at = super().process_result_value(value, dialect)
        return None if at == _NEVER else at


class EnumText(TypeDecorator[E], Generic[E]):
    """A StrEnum stored as its value."""

    impl = String(32)
    cache_ok = True

    def __init__(self, enum: type[E]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        return None if value is None else self.enum(value)


def belonging(name: str, key: str, **settings: Any) -> Column[str]:
    """The id of something whose end is the row's end, too; `key` is its column, such as `users.id`."""
    return Column(name, ID, ForeignKey(key, ondelete="CASCADE"), **settings)


def number(name: str) -> Column[int]:
    """A sum, or an instant in milliseconds since the epoch."""
    return Column(name, BigInteger, nullable=False)
