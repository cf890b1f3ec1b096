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
        raw, colon, value = line.partition(b":")
        name, value = _name(raw), value.strip(b" \t")
        if not colon or not name:
            return None
        if name in _SPECIAL and (name != b"connection" or value.lower() != b"keep-alive"):
            return None
        if name == b"content-length":
            if length or not value.isdigit() or len(value) > _DIGITS:
                return None
            length = value
        headers.append((name, value))
    body = data[end + 4 :]
    return (headers, body) if length and len(body) == int(length) else None


@lru_cache(maxsize=2048)
def _name(raw: bytes) -> bytes:
    return raw.lower() if TOKEN.fullmatch(raw) else b""
