"""Keyset pages: one row more than asked for is read, to learn whether another page follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, Subquery, TypeDecorator, literal_column, select, tuple_, union_all

from sluicegate.kit.cursor import CursorValues, decode_cursor, encode_cursor
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import Page, PageRequest

T = TypeVar("T")
_MAX_INT = 2**63 - 1
_MOST_PARTS = 200


def paged(
    statement: Select[Any],
    page: PageRequest,
    *keys: ColumnElement[Any],
    descending: bool = False,
    read: Sequence[Callable[[object], Any] | None] = (),
) -> Select[Any]:
    """`statement` in the order of `keys`, the last of them unique, from the page's cursor on. `read` makes a key's
    value of what a cursor holds for it, where they differ."""
    if page.after is not None:
        values: list[Any] = list(decode_cursor(page.after, len(keys)))
        for index, convert in enumerate(read):
            if convert is not None:
                values[index] = convert(values[index])
        if not all(map(_fits, values, keys)):
            raise InvalidInput("after", "is not a cursor of this list; start again without it")
        row, cursor = tuple_(*keys), tuple_(*values)
        statement = statement.where(row < cursor if descending else row > cursor)
    order = [key.desc() if descending else key.asc() for key in keys]
    return statement.order_by(*order).limit(page.first + 1)


def _fits(value: object, key: ColumnElement[Any]) -> bool:
    """Whether a value that came from outside can be compared with a key on every database."""
    kind = key.type.impl_instance if isinstance(key.type, TypeDecorator) else key.type
    if not isinstance(value, kind.python_type):
        return False
    return abs(value) <= _MAX_INT if isinstance(value, int) else "\0" not in str(value)


def parts(statements: Sequence[Select[Any]]) -> Subquery:
    """What several statements give in their first column, as `value`, with the number of the statement as `part`: so
    that pages or totals of many lists take one statement. Databases take some hundreds at once."""
    arms: list[Select[Any, Any]] = []
    for number, statement in enumerate(statements):
        arm = statement.subquery()
        arms.append(select(literal_column(str(number)).label("part"), next(iter(arm.c)).label("value")))
    return union_all(*arms).subquery()


def portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at a time as `parts` takes."""
    return (items[start : start + _MOST_PARTS] for start in range(0, len(items), _MOST_PARTS))


def to_page(
    rows: Sequence[Row[Any]], page: PageRequest, value: Callable[[Row[Any]], T], key: Callable[[Row[Any]], CursorValues]
) -> Page[T]:
    """The page that `rows` of a `paged` statement make."""
    items = [(value(row), encode_cursor(key(row))) for row in rows[: page.first]]
    return Page(items, len(rows) > page.first)
