"""Values read from text as operators write it.

A reader raises ValueError with what the text would have to be, worded to stand behind the name of what it is for. The
readers here repeat the text, so they are not for secrets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, get_args

T = TypeVar("T")
Reader: TypeAlias = Callable[[str], T]
_FLAGS = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}


def whole(least: int, most: int) -> Reader[int]:
    """A whole number within bounds, such as `8080`, `+5` or `1_000`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {text!r}")
        return number

    return read


def number(least: float, most: float, *, above: bool = False) -> Reader[float]:
    """A number within bounds, such as `0.5` or `1e3`; with `above` it must be more than the least."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = None
        if number is None or not least <= number <= most or (above and number == least):
            bounds = f"above {least:g} and at most {most:g}" if above else f"from {least:g} to {most:g}"
            raise ValueError(f"must be a number {bounds}, not {text!r}")
        return number

    return read


def flag(text: str) -> bool:
    """In any case `true` or `false`, `yes` or `no`, `on` or `off`, their first letters, `1` or `0`."""
    value = _FLAGS.get(text.strip().lower())
    if value is None:
        raise ValueError(f"must be true or false, not {text!r}")
    return value


def one_of(literal: Any) -> Reader[Any]:
    """Any of the values of a `Literal` type, written in any case."""
    known = {str(value): value for value in get_args(literal)}

    def read(text: str) -> Any:
        try:
            return known[text.strip().lower()]
        except KeyError:
            *others, last = known
            raise ValueError(f"must be {', '.join(others)} or {last}, not {text!r}") from None

    return read


def optional(reader: Reader[T]) -> Reader[T | None]:
    """None where nothing is written."""
    return lambda text: reader(text) if text else None
