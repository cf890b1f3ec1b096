"""The binary event stream of AWS (`application/vnd.amazon.eventstream`), as Bedrock streams with it.

A message is: its length and the length of its headers (4 bytes each, big-endian), CRC-32 of these eight bytes, headers,
payload, CRC-32 of everything before.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_PRELUDE = struct.Struct(">III")
_CHECKSUM = 4
_LEAST = _PRELUDE.size + _CHECKSUM
MAX_MESSAGE = 16 * 1024 * 1024
_STRING = 7
# Bytes that each type of header value takes; the two types of variable length tell theirs in two bytes.
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_VARIABLE = (6, _STRING)


class BrokenStream(Exception):
    """Bytes that are no event stream, or not the ones that were sent."""


@dataclass(frozen=True, slots=True)
class Message:
    """Headers of text type, and the payload."""

    headers: dict[str, str]
    payload: bytes


class EventStream:
    """Takes bytes as they come and yields whole messages."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """Raises BrokenStream."""
        self._held += chunk
        while len(self._held) >= _LEAST:
            total, headers, checksum = _PRELUDE.unpack_from(self._held)
            if zlib.crc32(self._held[:8]) != checksum or not _LEAST + headers <= total <= MAX_MESSAGE:
                raise BrokenStream("a prelude that does not fit its checksum")
            if len(self._held) < total:
                return
            message = bytes(self._held[:total])
            del self._held[:total]
            if zlib.crc32(message[:-_CHECKSUM]) != int.from_bytes(message[-_CHECKSUM:]):
                raise BrokenStream("a message that does not fit its checksum")
            at = _PRELUDE.size
            yield Message(_headers(message[at : at + headers]), message[at + headers : -_CHECKSUM])

    @property
    def torn(self) -> bool:
        """Whether half a message is left over."""
        return bool(self._held)


def _headers(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            end = at + 1 + data[at]
            name, kind = data[at + 1 : end].decode(), data[end]
            at = end + 1
            if kind in _VARIABLE:
                length = int.from_bytes(data[at : at + 2])
                value, at = data[at + 2 : at + 2 + length], at + 2 + length
                if kind == _STRING:
                    found[name] = value.decode()
            else:
                at += _FIXED[kind]
    except (IndexError, KeyError, UnicodeDecodeError):
        raise BrokenStream("headers that cannot be read") from None
    return found


def encoded(headers: dict[str, str], payload: bytes) -> bytes:
    """A message as a provider sends it."""
    block = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _STRING, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    lengths = struct.pack(">II", _LEAST + len(block) + len(payload), len(block))
    message = lengths + zlib.crc32(lengths).to_bytes(4) + block + payload
    return message + zlib.crc32(message).to_bytes(4)
