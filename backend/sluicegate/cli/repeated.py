"""Requests that repeat the head of an earlier one on their connection, told without parsing it again."""

from __future__ import annotations

from sluicegate.gateway.direct import Head

_LENGTH_LINE = b"\r\ncontent-length:"


class Repeated:
    """The bytes of a head that the parser took, but for the digits of the length.

    Whatever begins with the same bytes up to the digits, and goes on with the same bytes after them, is the same head
    to every parser; only another length is a difference.
    """

    __slots__ = ("_after", "_before", "head")

    def __init__(self, head: Head, before: bytes, after: bytes) -> None:
        self.head = head
        self._before = before
        self._after = after

    @classmethod
    def learn(cls, head: Head, data: bytes, length: bytes) -> Repeated | None:
        """`data` is one whole request and no more, `length` the value of its length as the parser had it; None where
        that cannot be told apart from the rest for certain."""
        end = data.find(b"\r\n\r\n") + 4
        lower = data[:end].lower()
        line = lower.find(_LENGTH_LINE)
        if line < 0 or lower.find(_LENGTH_LINE, line + 1) >= 0 or len(data) != end + int(length):
            return None
        value_ends = data.find(b"\r\n", line + 2)
        value_begins = value_ends - len(length)
        if data[value_begins:value_ends] != length or data[line + len(_LENGTH_LINE) : value_begins].strip(b" \t"):
            return None
        return cls(head, data[:value_begins], data[value_ends:end])

    def body_of(self, data: bytes, digits: int) -> bytes | None:
        """The body of a request that is here as a whole, with this head and a length of so many digits at most; None
        for all else."""
        before, after = self._before, self._after
        if not data.startswith(before):
            return None
        value_begins = len(before)
        value_ends = data.find(after, value_begins, value_begins + digits + len(after))
        length = data[value_begins:value_ends]
        if value_ends < 0 or not length.isdigit():
            return None
        body_begins = value_ends + len(after)
        return data[body_begins:] if len(data) - body_begins == int(length) else None
