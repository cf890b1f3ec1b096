"""Keyset pages: one row more than asked for is read, to learn whether another page follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, tuple_

from sluicegate.kit.cursor import CursorValues, decode_cursor, encode_cursor
from sluicegate.ports.store import Page, PageRequest

T = TypeVar("T")


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
        row, cursor = tuple_(*keys), tuple_(*values)
        statement = statement.where(row < cursor if descending else row > cursor)
    order = [key.desc() if descending else key.asc() for key in keys]
    return statement.order_by(*order).limit(page.first + 1)


def to_page(
    rows: Sequence[Row[Any]], page: PageRequest, value: Callable[[Row[Any]], T], key: Callable[[Row[Any]], CursorValues]
) -> Page[T]:
    """The page that `rows` of a `paged` statement make."""
    items = [(value(row), encode_cursor(key(row))) for row in rows[: page.first]]
    return Page(items, len(rows) > page.first)
