"""What a provider answers when it refuses, before it takes the shape of a dialect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# Over these trips whoever takes a body for what it mostly is. Every field may hold anything.
_TRIPPED = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError)


class Fault(Exception):
    """A refusal. `code` and `param` are only shown by dialects that have them."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param


@contextmanager
def senders_fault() -> Iterator[None]:
    """Answers a body that is not of the shape which the code inside counts on, as a provider would."""
    try:
        yield
    except _TRIPPED:
        raise Fault(400, "Invalid request body: a field holds something of another type than it takes.") from None
