"""Drops the usage event that was asked of the provider on behalf of a caller who did not ask."""

from __future__ import annotations

import re

import msgspec

_EVENT_END = re.compile(rb"\r?\n\r?\n")


class _Chunk(msgspec.Struct):
    choices: list[msgspec.Raw] | None = None
    usage: dict[str, msgspec.Raw] | None = None


class UnaskedUsage:
    """Passes whole events on; the part of an event that has come is held until the rest is there."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        data = self._held + chunk
        passed: list[bytes] = []
        start = 0
        for match in _EVENT_END.finditer(data):
            event = data[start : match.end()]
            start = match.end()
            if not (b'"usage"' in event and _only_usage(event)):
                passed.append(event)
        self._held = data[start:]
        return b"".join(passed)

    def rest(self) -> bytes:
        """What is left when the stream has ended inside an event."""
        rest, self._held = self._held, b""
        return rest


def _only_usage(event: bytes) -> bool:
    text = event.strip().partition(b":")[2]
    try:
        chunk = msgspec.json.decode(text, type=_Chunk)
    except msgspec.DecodeError:
        return False
    return not chunk.choices and chunk.usage is not None
