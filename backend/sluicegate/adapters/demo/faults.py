"""What a provider answers when it refuses, before it takes the shape of a dialect."""

from __future__ import annotations


class Fault(Exception):
    """A refusal. `code` and `param` are only shown by dialects that have them."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
