"""Event streams (WHATWG HTML, section 9.2): where events end, and what data they carry."""

from __future__ import annotations

import re

# Responses repeats the whole answer in its last event, pictures included.
MAX_EVENT = 8 * 1024 * 1024
# A carriage return counts alone only once the byte after it is known: it may be the first half of a pair.
_END_OF_LINE = rb"(?:\r\n|\n|\r(?=[^\n]))"
_END_OF_EVENT = re.compile(_END_OF_LINE + _END_OF_LINE)
_LINE_BREAK = re.compile(rb"\r\n|\n|\r")


class EventSplitter:
    """Holds back the bytes of an event until it is whole: half an event is of no use to anyone, and where the provider
    breaks off nothing torn must stand before our own last word."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> bytes:
        """All whole events so far that were not given yet, byte for byte."""
        held = self._held
        if not held and chunk.endswith(b"\n\n"):
            return chunk
        searched = max(0, len(held) - 3)
        held += chunk
        end = _last_end(held, searched)
        if not end and (len(held) > MAX_EVENT or (held.startswith(b":") and held.endswith(b"\n"))):
            # Comments keep a connection alive and must not wait; an event without end must not fill the memory.
            end = len(held)
        block = bytes(held[:end])
        del held[:end]
        return block

    def rest(self) -> bytes:
        """What is held back."""
        return bytes(self._held)


def _last_end(data: bytearray, start: int) -> int:
    if b"\r" not in data:
        at = data.rfind(b"\n\n", start)
        return at + 2 if at >= 0 else 0
    end = 0
    for match in _END_OF_EVENT.finditer(data, start):
        end = match.end()
    return end


def split_events(block: bytes) -> list[bytes]:
    """Each event of a block with the empty line that ends it; joined they are the block again."""
    events: list[bytes] = []
    start = 0
    for match in _END_OF_EVENT.finditer(block):
        events.append(block[start : match.end()])
        start = match.end()
    if start < len(block):
        events.append(block[start:])
    return events


def middle(block: bytes) -> int:
    """Where one of the block's events ends, near its middle; 0 when it holds a single event."""
    if b"\r" in block:
        events = split_events(block)
        return len(b"".join(events[: len(events) // 2]))
    half = len(block) // 2
    end = block.find(b"\n\n", half) + 2
    if end < 2 or end == len(block):
        end = block.rfind(b"\n\n", 0, half + 1) + 2
    return end if 2 <= end < len(block) else 0


def last_few(block: bytes) -> int:
    """Where the last three of a block's events begin; 0 when it has no others, or lines that end in another way."""
    at = len(block) if b"\r" not in block else 0
    for _ in range(4):
        at = block.rfind(b"\n\n", 0, max(0, at))
    return at + 2 if at > 0 else 0


def data_of(event: bytes) -> bytes:
    """The event's data lines, joined as the standard says."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2 and b"\r" not in event:
        return event[6:-2]
    parts = [_field(line) for line in _LINE_BREAK.split(event) if line.startswith(b"data:")]
    return b"\n".join(parts)


def _field(line: bytes) -> bytes:
    value = line[5:]
    return value[1:] if value.startswith(b" ") else value
