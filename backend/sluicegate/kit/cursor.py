"""Keyset cursors: the sort values of a row, opaque to the caller."""

from __future__ import annotations

import base64
import binascii

import msgspec

from sluicegate.kit.errors import InvalidInput

CursorValues = list[str | int | None]


def encode_cursor(values: CursorValues) -> str:
    """An opaque, URL-safe text that `decode_cursor` turns back into `values`."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def decode_cursor(text: str, length: int) -> CursorValues:
    """The values of a cursor; raises InvalidInput for `after` when it is not one of ours with `length` values."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        values = msgspec.json.decode(raw, type=CursorValues)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        values = []
    if len(values) != length:
        raise InvalidInput("after", "is not a cursor of this list; start again without it")
    return values
