"""Events of a stream as bytes."""

from __future__ import annotations

import msgspec

from sluicegate.gateway.translate.form import Object

_encode = msgspec.json.Encoder().encode
COMMENT = b": ping\n\n"


def data_event(value: Object) -> bytes:
    return b"data: %s\n\n" % _encode(value)


def named_event(kind: str, value: Object) -> bytes:
    """An event whose name stands in its data too, as Anthropic and Responses have it."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), _encode({"type": kind, **value}))
