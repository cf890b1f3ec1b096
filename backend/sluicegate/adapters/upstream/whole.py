"""Answers that come as a whole in one read, which is most of those that are no streams, told without the parser.

Only the plainest form is taken: status 200, one length, nothing about the transfer. All else is the parser's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from sluicegate.adapters.upstream.wire import TOKEN
from sluicegate.ports.upstream import RawHeaders

_START = b"HTTP/1.1 200 OK\r\n"
_BEGINS = len(_START)
# Fields that change how an answer or its connection ends.
_SPECIAL = frozenset({b"connection", b"proxy-connection", b"transfer-encoding", b"trailer", b"upgrade"})
_TEXT = bytes(code for code in range(256) if code >= 32 and code != 127) + b"\t"
_LENGTH = b"content-length"
_DIGITS = 9
# Bytes of a head whose lines are kept.
_KEPT = 2_048


def whole_answer(data: bytes, max_head: int) -> tuple[RawHeaders, bytes] | None:
    """Header fields in lower case and body; None for whatever is not for certain one whole answer and no more."""
    end = data.find(b"\r\n\r\n")
    if not data.startswith(_START) or not _BEGINS <= end <= max_head:
        return None
    head, body = data[_BEGINS:end], data[end + 4 :]
    fields = [*map(_known_field if end <= _KEPT else _field, head.split(b"\r\n"))]
    # Where the length stands in its field and is named nowhere else, there is no second one that differs.
    if None in fields or (_LENGTH, b"%d" % len(body)) not in fields or head.lower().count(_LENGTH) != 1:
        return None
    return cast("RawHeaders", fields), body


def _field(line: bytes) -> tuple[bytes, bytes] | None:
    """Name and value; None for what is no field, or one that says more than the plainest form has."""
    raw, colon, value = line.partition(b":")
    if not colon or not TOKEN.fullmatch(raw) or value.translate(None, _TEXT):
        return None
    name, value = raw.lower(), value.strip(b" \t")
    if name in _SPECIAL and (name != b"connection" or value.lower() != b"keep-alive"):
        return None
    if name == _LENGTH and (not value.isdigit() or len(value) > _DIGITS):
        return None
    return name, value


# Most lines come again with every answer.
_known_field = lru_cache(maxsize=4096)(_field)
