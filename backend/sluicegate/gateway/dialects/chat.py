"""OpenAI's Chat Completions."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Raw

from sluicegate.domain.catalog import Dialect, ModelKind, Protocol
from sluicegate.gateway.dialects.errors import error_object
from sluicegate.gateway.dialects.wire import ModelInBody
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.reading import NOTHING, UNREADABLE, Reading, loaded, reading_of_totals, text_size
from sluicegate.gateway.stream.meter import StreamMeter
from sluicegate.policy.refusals import Refusal

_NULL = Raw(b"null")
# With usage asked for, every chunk says `"usage":null` and only the last one has an object.
_USAGE = re.compile(rb'"usage"\s*:\s*[^\sn]')
_FINISHED = re.compile(rb'"finish_reason"\s*:\s*"')


class _Answer(msgspec.Struct):
    usage: Raw = _NULL
    choices: Raw = _NULL
    error: Raw = _NULL


_decode_answer = msgspec.json.Decoder(_Answer).decode


def reading_of(usage: Any) -> Reading:
    """What a usage block tells; nothing when it is none or absurd."""
    return reading_of_totals(usage, "prompt_tokens", "completion_tokens")


class ChatTally:
    """Usage stands in one of the last chunks, for the whole call."""

    __slots__ = ("_hide_usage", "_reading", "failed", "final")

    def __init__(self, *, hide_usage: bool) -> None:
        self._hide_usage = hide_usage
        self._reading = NOTHING
        self.final = False
        self.failed = False

    def interested(self, block: bytes) -> bool:
        return (
            (block.count(b'"usage"') != block.count(b'"usage":null') and _USAGE.search(block) is not None)
            or b"[DONE]" in block
            or b'"error"' in block
        )

    def note(self, data: bytes) -> bool:
        if data.strip() == b"[DONE]":
            self.final = True
            return True
        try:
            chunk = _decode_answer(data)
        except UNREADABLE:
            return True
        if bytes(chunk.error) != b"null":
            self.failed = self.final = True
        if bytes(chunk.usage) == b"null":
            return True
        self._reading = reading_of(loaded(chunk.usage))
        return not (self._hide_usage and b"".join(bytes(chunk.choices).split()) == b"[]")

    def finished(self, block: bytes) -> bool:
        return _FINISHED.search(block) is not None

    def measure(self, block: bytes) -> int:
        return text_size(block)

    def reading(self) -> Reading:
        return self._reading

    def failure(self, refusal: Refusal, request_id: str) -> bytes:
        body = {"error": error_object(refusal, Dialect.OPENAI), "request_id": request_id}
        return b"data: %s\n\n" % msgspec.json.encode(body)


class ChatCompletions(ModelInBody):
    """Implements `Wire`."""

    dialect = Dialect.OPENAI
    kind = ModelKind.CHAT
    protocol: Protocol | None = Protocol.CHAT
    path = "/chat/completions"
    endpoint = "chat.completions"
    bytes_per_token = 4

    def max_tokens(self, envelope: Envelope) -> int | None:
        return envelope.count("max_completion_tokens", "max_tokens")

    def prepare(self, envelope: Envelope) -> bool:
        options = envelope.get("stream_options")
        if not envelope.stream or not (options is None or isinstance(options, dict)):
            return False
        if options and options.get("include_usage") is True:
            return False
        envelope.put("stream_options", {**(options or {}), "include_usage": True})
        return True

    def meter(self, *, hide_usage: bool) -> StreamMeter:
        return StreamMeter(ChatTally(hide_usage=hide_usage))

    def read(self, body: bytes) -> Reading | None:
        try:
            return reading_of(loaded(_decode_answer(body).usage))
        except UNREADABLE:
            return None
