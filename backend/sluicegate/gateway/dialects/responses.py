"""OpenAI's Responses."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from sluicegate.domain.catalog import Dialect, ModelKind, Protocol
from sluicegate.gateway.dialects.errors import error_object
from sluicegate.gateway.dialects.wire import ModelInBody
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.kept import stored_ids
from sluicegate.gateway.reading import NOTHING, UNREADABLE, Reading, loaded, reading_of_totals
from sluicegate.gateway.stream.events import Marks
from sluicegate.gateway.stream.meter import StreamMeter
from sluicegate.policy.refusals import Refusal, invalid_request

_NULL = Raw(b"null")
_LAST = re.compile(rb'"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed)|error)"')
_MARKS = ((b'response.completed"', 0), (b'response.incomplete"', 0), (b'response.failed"', 0), (b'"error"', 0))
# Every piece is told again by the events that end its part, its item and the answer: only the pieces count.
_DELTA = re.compile(rb'"delta"\s*:\s*"([^"\\]*+(?:\\.[^"\\]*+)*+)')
_ID = re.compile(rb'"id"\s*:\s*"([^"\\]{1,200})"')
_NUMBER = re.compile(rb'"sequence_number"\s*:\s*(\d{1,15})')
# Events begin with the names of their fields; the first one goes on with all that the caller had sent.
_BEGINNING = 1_024


def reading_of(usage: Any) -> Reading:
    """What a usage block tells; nothing when it is none or absurd."""
    return reading_of_totals(usage, "input_tokens", "output_tokens")


class _Response(msgspec.Struct):
    usage: Raw = _NULL
    id: Raw = _NULL
    output: Raw = _NULL
    store: Raw = _NULL

    def reading(self) -> Reading:
        told = reading_of(loaded(self.usage))
        stored = stored_ids(self.id, self.output, self.store)
        return replace(told, stored=stored) if stored else told


class _Event(msgspec.Struct):
    type: str = ""
    response: _Response | None = None


_decode_response = msgspec.json.Decoder(_Response).decode
_decode_event = msgspec.json.Decoder(_Event).decode


class ResponsesTally:
    """Usage stands in the last event, inside the whole answer that this one repeats."""

    __slots__ = ("_beginning", "_newest", "_reading", "failed", "final")

    def __init__(self) -> None:
        self._beginning = b""
        self._newest = b""
        self._reading = NOTHING
        self.final = False
        self.failed = False

    def marks(self, block: bytes) -> Marks:
        if not self._beginning:
            self._beginning = block[:_BEGINNING]
        if block.rfind(b'"sequence_number"') >= 0:
            self._newest = block
        return _MARKS

    def note(self, data: bytes) -> bool:
        if _LAST.search(data) is None:
            return True
        try:
            event = _decode_event(data)
        except UNREADABLE:
            return True
        match event.type:
            case "response.completed" | "response.incomplete" | "response.failed":
                self.final = True
                self.failed = self.failed or event.type == "response.failed"
                if event.response is not None:
                    self._reading = event.response.reading()
            case "error":
                self.failed = self.final = True
            case _:
                pass
        return True

    def finished(self, block: bytes) -> bool:
        # A last event that is too large to be held is passed on in parts, and its usage goes unread.
        return _LAST.search(block) is not None

    def measure(self, block: bytes) -> int:
        return sum(len(text) for text in _DELTA.findall(block))

    def reading(self) -> Reading:
        return self._reading

    def failure(self, refusal: Refusal, request_id: str) -> bytes:
        """Goes on where the provider stopped: with its name for the answer, and its count of events."""
        name = _ID.search(self._beginning)
        numbers = _NUMBER.findall(self._newest)
        response = {
            "id": name[1].decode("utf-8", "replace") if name else f"resp_{request_id}",
            "object": "response",
            "status": "failed",
            "error": error_object(refusal, Dialect.OPENAI),
            "incomplete_details": None,
            "output": [],
            "usage": None,
        }
        number = int(numbers[-1]) + 1 if numbers else 0
        event = {"type": "response.failed", "sequence_number": number, "response": response}
        return b"event: response.failed\ndata: %s\n\n" % msgspec.json.encode(event)


class Responses(ModelInBody):
    """Implements `Wire`."""

    dialect = Dialect.OPENAI
    kind = ModelKind.CHAT
    protocol = Protocol.RESPONSES
    path = "/responses"
    endpoint = "responses"
    bytes_per_token = 4

    def max_tokens(self, envelope: Envelope) -> int | None:
        return envelope.count("max_output_tokens")

    def prepare(self, envelope: Envelope) -> bool:
        if envelope.get("background") is True:
            # The answer would come by another call, and what it used would never be known.
            raise invalid_request(
                "Background responses are not served here; leave 'background' out.", field="background"
            )
        return False

    def meter(self, *, hide_usage: bool) -> StreamMeter:
        return StreamMeter(ResponsesTally())

    def read(self, body: bytes) -> Reading | None:
        try:
            return _decode_response(body).reading()
        except UNREADABLE:
            return None
