"""Reads a stream on the side while its bytes pass."""

from __future__ import annotations

from typing import Protocol

from sluicegate.domain.usage import TokenUsage
from sluicegate.gateway.reading import NOTHING, Reading
from sluicegate.gateway.stream.events import EventSplitter, Marks, data_of, marked, split_events, without
from sluicegate.policy.refusals import Refusal

_MAX_KEPT = 16 * 1024


class Tally(Protocol):
    """What one dialect's events have told so far. `final`: the last event was seen; `failed`: it told of an error."""

    final: bool
    failed: bool

    def marks(self, block: bytes) -> Marks:
        """Any event in the block that matters holds one of these. Called once for every read."""
        ...

    def note(self, data: bytes) -> bool:
        """Takes in one event's data, which need not matter; False when the event is not for the caller."""
        ...

    def finished(self, block: bytes) -> bool:
        """Whether the answer in the block came to its end, though the last event may be missing."""
        ...

    def measure(self, block: bytes) -> int:
        """Bytes of generated text in the block."""
        ...

    def reading(self) -> Reading: ...
    def failure(self, refusal: Refusal, request_id: str) -> bytes:
        """The event that tells, inside a stream that began well, that it has failed."""
        ...


class StreamMeter:
    """Passes whole events on and keeps the tally.

    Text is measured only where usage is missing, so blocks are kept for a while and looked at when they grow.
    """

    __slots__ = ("_finished", "_kept", "_kept_size", "_reading", "_splitter", "_tally", "_text", "final")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._splitter = EventSplitter()
        self._kept: list[bytes] = []
        self._kept_size = 0
        self._text = 0
        self._finished = False
        self._reading = NOTHING
        # Whether the last event was seen.
        self.final = False

    @property
    def failed(self) -> bool:
        return self._tally.failed

    @property
    def stored(self) -> tuple[str, ...]:
        """The ids under which the provider keeps the answer, as far as `usage` has come upon any."""
        return self._reading.stored

    def feed(self, chunk: bytes) -> bytes:
        """What of the stream may go to the caller now that `chunk` has come."""
        block = self._splitter.feed(chunk)
        if not block:
            return block
        self._kept.append(block)
        self._kept_size += len(block)
        if self._kept_size > _MAX_KEPT:
            self._look_at_kept()
        marks = self._tally.marks(block)
        # From its end on a block is searched in half the time.
        for mark, first in marks:
            if block.rfind(mark, first) >= 0:
                return self._inspect(block, marks)
        return block

    def end(self) -> bytes:
        """The provider ended the stream properly: what was held back, if it ends the answer, else nothing."""
        rest = self._splitter.rest()
        if rest:
            self._kept.append(rest)
            rest = self._inspect(rest, self._tally.marks(rest))
        if not self._tally.final:
            self._look_at_kept()
            self.final = self._tally.final = self._finished
        return rest if self.final else b""

    def usage(self, input_estimate: int) -> tuple[TokenUsage, bool]:
        """Usage to bill for what came so far, and whether it is estimated."""
        reading = self._reading = self._tally.reading()
        if not (reading.input_known and reading.output_known):
            self._look_at_kept()
        return reading.completed(input_estimate, self._text)

    def failure(self, refusal: Refusal, request_id: str) -> bytes:
        """What ends a stream that broke off, in the words of its protocol."""
        return self._tally.failure(refusal, request_id)

    def _inspect(self, block: bytes, marks: Marks) -> bytes:
        """Takes apart the few events that matter, and none of the many others."""
        tally = self._tally
        note = tally.note
        if b"\r" in block:
            events = split_events(block)
            passed = [event for event in events if note(data_of(event))]
            left = block if len(passed) == len(events) else b"".join(passed)
        else:
            spans = [span for span in marked(block, marks) if not note(data_of(block[span[0] : span[1]]))]
            left = without(block, spans) if spans else block
        self.final = tally.final
        return left

    def _look_at_kept(self) -> None:
        data = b"".join(self._kept)
        self._text += self._tally.measure(data)
        self._finished = self._finished or self._tally.finished(data)
        self._kept.clear()
        self._kept_size = 0
