"""Exact money: whole nano-dollars for amounts, whole nano-dollars per million tokens for prices."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import NewType

from sluicegate.kit.errors import InvalidInput

Nanos = NewType("Nanos", int)
"""One billionth of a US dollar."""

NANOS_PER_USD = 1_000_000_000
MAX_USD = Decimal(1_000_000_000)


def parse_usd(text: str, field: str) -> Nanos:
    """Nano-dollars of a decimal string such as `12.5`.

    Raises InvalidInput naming `field` for anything that is not a finite, non-negative decimal with at most nine
    decimals, up to a billion dollars.
    """
    text = text.strip()
    try:
        # Python also reads 1_000 and digits of other scripts, which people may mean differently.
        amount = Decimal(text if text.isascii() and "_" not in text else "?")
    except InvalidOperation:
        raise InvalidInput(field, f"{text[:40]!r} is not an amount in US dollars; write it like 12.50") from None
    if not amount.is_finite():
        raise InvalidInput(field, "must be a finite amount in US dollars")
    if amount < 0:
        raise InvalidInput(field, "must not be negative; 0 blocks, an empty field means no cap")
    if amount > MAX_USD:
        raise InvalidInput(field, f"must be at most {MAX_USD} US dollars")
    nanos = amount * NANOS_PER_USD
    if nanos != nanos.to_integral_value():
        raise InvalidInput(field, "has more than nine decimals")
    return Nanos(int(nanos))


ONE = 1_000_000
"""A factor of one: factors are whole millionths."""

_MAX_FACTOR = 1_000


def parse_factor(text: str, field: str) -> int:
    """Millionths of a decimal string such as `0.85`.

    Raises InvalidInput naming `field` for anything that is not a decimal above 0 and at most 1,000, with at most six
    decimals.
    """
    text = text.strip()
    try:
        factor = Decimal(text if text.isascii() and "_" not in text else "?")
    except InvalidOperation:
        raise InvalidInput(field, f"{text[:40]!r} is not a factor; write it like 0.85") from None
    if not factor.is_finite() or not 0 < factor <= _MAX_FACTOR:
        raise InvalidInput(
            field, f"must lie above 0 and be at most {_MAX_FACTOR}; mark models that cost nothing as free"
        )
    if factor * ONE != int(factor * ONE):
        raise InvalidInput(field, "has more than six decimals")
    return int(factor * ONE)


def format_factor(millionths: int) -> str:
    """The exact decimal string of a factor, without needless zeros: `1`, `0.85`."""
    whole, rest = divmod(millionths, ONE)
    decimals = f"{rest:06d}".rstrip("0")
    return f"{whole}.{decimals}" if decimals else str(whole)


def format_usd(nanos: int) -> str:
    """The exact decimal string of an amount, without needless zeros: `12.5`, `0`, `0.000000075`."""
    sign = "-" if nanos < 0 else ""
    whole, rest = divmod(abs(nanos), NANOS_PER_USD)
    decimals = f"{rest:09d}".rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def format_cents(nanos: int) -> str:
    """A non-negative amount to the cent, half-even, for people: `12.50`, `1,204.00`."""
    whole, cents = divmod(divide_half_even(nanos, NANOS_PER_USD // 100), 100)
    return f"{whole:,}.{cents:02d}"


def divide_half_even(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest whole number, ties to even. Both non-negative, denominator positive."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient
