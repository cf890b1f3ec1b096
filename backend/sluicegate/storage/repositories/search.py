"""Text anywhere inside of what rows are called.

PostgreSQL finds by itself whether the index of trigrams or an order is the shorter way. SQLite keeps the trigrams in a
table of their own, which is asked first: few that match are looked up one by one, many are met soon on the way
through the order of a list. Where there are no trigrams, and for text too short to have one, every row is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, literal, literal_column, or_, select, table, text
from sqlalchemy.sql import column

from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.text import composed
from sluicegate.storage.connections import AsyncConnection

# A page of fifty rows out of so many among 100,000 is found within ten thousand of them.
FEW = 500
_MAX_SEARCH = 300
_TRIGRAM = 3


def like_pattern(search: str) -> str:
    """A LIKE pattern (escape character `\\`) for text anywhere inside, lower-cased, with wildcards taken literally.

    Raises InvalidInput for more text than any name has.
    """
    escaped = _term(search).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def named_like(
    connection: AsyncConnection, search: str | None, *columns: ColumnElement[str]
) -> list[ColumnElement[bool]]:
    """The condition that one of `columns`, lowered by the database or by us, has the text in it; none for blank
    text."""
    if not search or not search.strip():
        return []
    if _lowers_too_little(connection, search):
        return [or_(*(_alike(c, f"*{_either_case(_term(search))}*") for c in columns))]
    pattern = like_pattern(search)
    return [or_(*(c.like(pattern, escape="\\") for c in columns))]


def same_name(connection: AsyncConnection, column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """The condition that a name differs in upper and lower case at most."""
    # Both sides through the database's lower(), so that this look-up and the unique index agree.
    same = func.lower(column) == func.lower(name)
    return or_(same, _alike(column, _either_case(name.lower()))) if _lowers_too_little(connection, name) else same


def _lowers_too_little(connection: AsyncConnection, text: str) -> bool:
    """SQLite's lower() knows no other letters than those of ASCII."""
    return is_sqlite(connection) and not text.isascii()


def _alike(column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    return column.op("GLOB", is_comparison=True)(pattern)


def _either_case(lowered: str) -> str:
    """For SQLite's GLOB: a class for each letter, with both its cases in it, and so nothing that stands for others."""
    cases = ({letter, letter.upper()} for letter in lowered)
    classes = (f"[{''.join(sorted(case for case in both if len(case) == 1))}]" for both in cases)
    # These two have a meaning of their own inside of a class, and none outside.
    return "".join(classes).replace("[]]", "]").replace("[^]", "^")


@dataclass(frozen=True, slots=True)
class Trigrams:
    """What the migration `trigrams` keeps of one table: the name of SQLite's full-text table, the table's key, and what
    is searched, in lower case."""

    name: str
    key: ColumnElement[str]
    columns: tuple[ColumnElement[str], ...]

    async def few(self, connection: AsyncConnection, search: str | None) -> list[ColumnElement[bool]] | None:
        """The condition that gives those who match by their keys, if they are few and SQLite knows them; else None."""
        if not is_sqlite(connection) or not search or len(_term(search)) < _TRIGRAM:
            return None
        if not await connection.scalar(text("SELECT 1 FROM sqlite_master WHERE name = :name"), {"name": self.name}):
            return None
        numbers = self._numbers(_term(search))
        if await is_many(connection, numbers):
            return None
        rows = table(f"{self.name}_rows", column("number"), column("id"))
        return [self.key.in_(select(rows.c.id).where(rows.c.number.in_(numbers)))]

    def _numbers(self, term: str) -> Select[tuple[int]]:
        phrase = literal('"' + term.replace('"', '""') + '"')
        found = table(self.name, column("rowid"))
        return select(found.c.rowid).where(literal_column(self.name).op("MATCH")(phrase))


def is_sqlite(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "sqlite"


async def is_many(connection: AsyncConnection, keys: Select[tuple[str]] | Select[tuple[int]]) -> bool:
    """Whether a statement finds `FEW` rows or more."""
    some = select(func.count()).select_from(keys.limit(FEW).subquery())
    return (await connection.scalar(some) or 0) >= FEW


def _term(search: str) -> str:
    if len(search) > _MAX_SEARCH:
        raise InvalidInput("search", f"must have at most {_MAX_SEARCH} characters")
    return composed(search).lower()
