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


Marks = tuple[tuple[bytes, int], ...]
"""What is looked for in a block, each with the place before which it does not stand."""


def marked(block: bytes, marks: Marks) -> list[tuple[int, int]]:
    """Where the events that hold one of the marks begin and end. Knows only lines that end with a line feed."""
    spans: set[tuple[int, int]] = set()
    for mark, first in marks:
        at = block.rfind(mark, first)
        while at >= 0:
            begin, end = block.rfind(b"\n\n", 0, at), block.find(b"\n\n", at)
            begin = begin + 2 if begin >= 0 else 0
            spans.add((begin, end + 2 if end >= 0 else len(block)))
            at = block.rfind(mark, first, begin)
    return sorted(spans)


def without(block: bytes, spans: list[tuple[int, int]]) -> bytes:
    kept: list[bytes] = []
    at = 0
    for begin, end in spans:
        kept.append(block[at:begin])
        at = end
    kept.append(block[at:])
    return b"".join(kept)


def data_of(event: bytes) -> bytes:
    """The event's data lines, joined as the standard says."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2 and b"\r" not in event:
        return event[6:-2]
    parts = [_field(line) for line in _LINE_BREAK.split(event) if line.startswith(b"data:")]
    return b"\n".join(parts)


def _field(line: bytes) -> bytes:
    value = line[5:]
    return value[1:] if value.startswith(b" ") else value
