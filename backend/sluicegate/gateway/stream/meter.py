"""Reads a stream on the side while its bytes pass."""

from __future__ import annotations

from typing import Protocol

from sluicegate.domain.usage import TokenUsage
from sluicegate.gateway.reading import NOTHING, Reading
from sluicegate.gateway.stream.events import EventSplitter, data_of, last_few, middle
from sluicegate.policy.refusals import Refusal

_MAX_KEPT = 16 * 1024


class Tally(Protocol):
    """What one dialect's events have told so far. `final`: the last event was seen; `failed`: it told of an error."""

    final: bool
    failed: bool

    def interested(self, block: bytes) -> bool:
        """Whether any event in the block may matter. Called for every read, so it only looks for substrings; an event
        for which this is False by itself is never noted."""
        ...

    def note(self, data: bytes) -> bool:
        """Takes in one event's data; False when the event is not for the caller."""
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

    __slots__ = ("_finished", "_kept", "_kept_size", "_reading", "_splitter", "_tally", "_text")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._splitter = EventSplitter()
        self._kept: list[bytes] = []
        self._kept_size = 0
        self._text = 0
        self._finished = False
        self._reading = NOTHING

    @property
    def final(self) -> bool:
        return self._tally.final

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
        return self._take(block) if block else block

    def end(self) -> bytes:
        """The provider ended the stream properly: what was held back, if it ends the answer, else nothing."""
        rest = self._splitter.rest()
        if rest:
            rest = self._take(rest)
        if not self._tally.final:
            self._look_at_kept()
            self._tally.final = self._finished
        return rest if self._tally.final else b""

    def usage(self, input_estimate: int) -> tuple[TokenUsage, bool]:
        """Usage to bill for what came so far, and whether it is estimated."""
        reading = self._reading = self._tally.reading()
        if not (reading.input_known and reading.output_known):
            self._look_at_kept()
        return reading.completed(input_estimate, self._text)

    def failure(self, refusal: Refusal, request_id: str) -> bytes:
        """What ends a stream that broke off, in the words of its protocol."""
        return self._tally.failure(refusal, request_id)

    def _take(self, block: bytes) -> bytes:
        self._kept.append(block)
        self._kept_size += len(block)
        if self._kept_size > _MAX_KEPT:
            self._look_at_kept()
        if not self._tally.interested(block):
            return block
        # What matters mostly stands at the end.
        cut = last_few(block)
        return self._inspect_parts(block, cut) if cut else self._inspect(block)

    def _inspect(self, block: bytes) -> bytes:
        """Halves the block down to the few events that matter, so that the many others are never taken apart."""
        cut = middle(block)
        if not cut:
            return block if self._tally.note(data_of(block)) else b""
        return self._inspect_parts(block, cut)

    def _inspect_parts(self, block: bytes, cut: int) -> bytes:
        interested = self._tally.interested
        before, after = block[:cut], block[cut:]
        first = self._inspect(before) if interested(before) else before
        second = self._inspect(after) if interested(after) else after
        return block if first is before and second is after else first + second

    def _look_at_kept(self) -> None:
        data = b"".join(self._kept)
        self._text += self._tally.measure(data)
        self._finished = self._finished or self._tally.finished(data)
        self._kept.clear()
        self._kept_size = 0
