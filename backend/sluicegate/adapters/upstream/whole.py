"""Answers that come as a whole in one read, which is most of those that are no streams, told without the parser.

Only the plainest form is taken: status 200, one length, nothing about the transfer. All else is the parser's.
"""

from __future__ import annotations

from functools import lru_cache

from sluicegate.adapters.upstream.wire import TOKEN
from sluicegate.ports.upstream import RawHeaders

_START = b"HTTP/1.1 200 OK\r\n"
# Fields that change how an answer or its connection ends.
_SPECIAL = frozenset({b"connection", b"proxy-connection", b"transfer-encoding", b"trailer", b"upgrade"})
_TEXT = bytes(code for code in range(256) if code >= 32 and code != 127) + b"\t"
_DIGITS = 9
_KEPT = 256


def whole_answer(data: bytes, max_head: int) -> tuple[RawHeaders, bytes] | None:
    """Header fields in lower case and body; None for whatever is not for certain one whole answer and no more."""
    end = data.find(b"\r\n\r\n")
    if not data.startswith(_START) or not len(_START) <= end <= max_head:
        return None
    head = data[len(_START) : end]
    lines = head.split(b"\r\n")
    # What is no text is the line breaks, and each of those ends a line.
    if len(head.translate(None, _TEXT)) != 2 * (len(lines) - 1):
        return None
    headers: RawHeaders = []
    length = b""
    for line in lines:
        field = _known_field(line) if len(line) <= _KEPT else _field(line)
        if field is None:
            return None
        if field[0] == b"content-length":
            if length:
                return None
            length = field[1]
        headers.append(field)
    body = data[end + 4 :]
    return (headers, body) if length and len(body) == int(length) else None


def _field(line: bytes) -> tuple[bytes, bytes] | None:
    """Name and value; None for what is no field, or one that says more than the plainest form has."""
    raw, colon, value = line.partition(b":")
    if not colon or not TOKEN.fullmatch(raw):
        return None
    name, value = raw.lower(), value.strip(b" \t")
    if name in _SPECIAL and (name != b"connection" or value.lower() != b"keep-alive"):
        return None
    if name == b"content-length" and (not value.isdigit() or len(value) > _DIGITS):
        return None
    return name, value


# Most lines come again with every answer; long ones are left out, so that what is kept stays small.
_known_field = lru_cache(maxsize=4096)(_field)
