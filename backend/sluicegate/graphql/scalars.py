"""Scalars: instants, days, exact money, whole numbers beyond 32 bits."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, NewType

import strawberry
from graphql import ValueNode
from graphql.language import IntValueNode

from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import format_usd, parse_usd

Usd = NewType("Usd", int)
"""Nano-dollars inside, a decimal string outside."""

Json = NewType("Json", object)
"""Any value that JSON can hold."""

BigInt = NewType("BigInt", int)
"""JavaScript reads JSON numbers exactly up to 2^53."""

_MAX_SAFE = 2**53


def _parse_datetime(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            parsed = None
        if parsed is not None and parsed.tzinfo is not None and 1970 <= parsed.year <= 9998:
            return parsed.astimezone(UTC)
    raise InvalidInput("value", "must be an instant with its zone, like 2026-11-24T09:30:00Z")


def _format_datetime(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parse_date(value: Any) -> date:
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise InvalidInput("value", "must be a day, like 2026-11-24")


def _parse_usd(value: Any) -> int:
    if isinstance(value, str):
        return parse_usd(value, "value")
    raise InvalidInput("value", 'must be an amount in US dollars as text, like "12.50"')


def _parse_big_int(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_SAFE:
        return value
    raise InvalidInput("value", "must be a whole number up to 2^53")


def _big_int_literal(node: ValueNode, _variables: Any = None) -> int:
    return _parse_big_int(int(node.value) if isinstance(node, IntValueNode) else None)


SCALARS = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in UTC, RFC 3339.",
        serialize=_format_datetime,
        parse_value=_parse_datetime,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day, YYYY-MM-DD, in the deployment's time zone.",
        serialize=date.isoformat,
        parse_value=_parse_date,
    ),
    Usd: strawberry.scalar(
        name="Usd",
        description='US dollars as an exact decimal string, at most nine decimals, for example "12.5".',
        serialize=format_usd,
        parse_value=_parse_usd,
    ),
    Json: strawberry.scalar(
        name="Json",
        description="Any JSON value; only ever an answer.",
        serialize=lambda value: value,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number up to 2^53.",
        serialize=int,
        parse_value=_parse_big_int,
        parse_literal=_big_int_literal,
    ),
}
