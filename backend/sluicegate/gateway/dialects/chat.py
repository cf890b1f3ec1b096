"""OpenAI's Chat Completions."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Raw

from sluicegate.domain.catalog import Dialect, ModelKind, Protocol
from sluicegate.domain.usage import TokenUsage
from sluicegate.gateway.dialects.errors import error_object
from sluicegate.gateway.dialects.wire import ModelInBody
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.reading import NOTHING, UNREADABLE, Count, Reading, loaded, reading_of_totals, text_size
from sluicegate.gateway.stream.events import Marks
from sluicegate.gateway.stream.meter import StreamMeter
from sluicegate.policy.refusals import Refusal

_NULL = Raw(b"null")
# With usage asked for, every chunk says `"usage":null` and only the last one has an object. Without its first quote the
# pattern begins with a rarer byte, and is found sooner.
_USAGE = re.compile(rb'usage"\s*:\s*[^\sn]')
_USED = b'usage"'
_MARKS = ((b"[DONE]", 0), (b'"error"', 0))
_FINISHED = re.compile(rb'"finish_reason"\s*:\s*"')


class _Answer(msgspec.Struct):
    usage: Raw = _NULL
    choices: Raw = _NULL
    error: Raw = _NULL


class _InputDetails(msgspec.Struct):
    cached_tokens: Count | None = None
    cache_write_tokens: Count | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: Count | None = None


class _PlainUsage(msgspec.Struct):
    prompt_tokens: Count
    completion_tokens: Count
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None


class _PlainAnswer(msgspec.Struct):
    usage: _PlainUsage


class _PlainChunk(_PlainAnswer):
    choices: Raw = _NULL
    error: Raw = _NULL


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_plain = msgspec.json.Decoder(_PlainAnswer).decode
_decode_plain_chunk = msgspec.json.Decoder(_PlainChunk).decode


def _plain_reading(usage: _PlainUsage) -> Reading | None:
    """What `reading_of` makes of the usual form of a usage block; None for one that it has to look at."""
    details, reasoned = usage.prompt_tokens_details, usage.completion_tokens_details
    total, output = usage.prompt_tokens, usage.completion_tokens
    cached = 0
    if details is not None:
        cached = details.cached_tokens or 0
        if details.cache_write_tokens or cached > total:
            return None
    reasoning = 0 if reasoned is None else reasoned.reasoning_tokens or 0
    if not total or reasoning > output:
        return None
    return Reading(TokenUsage(total - cached, cached, 0, 0, output, reasoning), True, True)


def reading_of(usage: Any) -> Reading:
    """What a usage block tells; nothing when it is none or absurd."""
    return reading_of_totals(usage, "prompt_tokens", "completion_tokens")


def _is_empty(choices: Raw) -> bool:
    return b"".join(bytes(choices).split()) == b"[]"


class ChatTally:
    """Usage stands in one of the last chunks, for the whole call."""

    __slots__ = ("_hide_usage", "_reading", "failed", "final")

    def __init__(self, *, hide_usage: bool) -> None:
        self._hide_usage = hide_usage
        self._reading = NOTHING
        self.final = False
        self.failed = False

    def marks(self, block: bytes) -> Marks:
        last = block.rfind(_USED)
        if last < 0:
            return _MARKS
        # One alone, as most providers send it, needs no search from the beginning.
        used = _USAGE.search(block, 0 if block.rfind(_USED, 0, last) >= 0 else last)
        return _MARKS if used is None else (*_MARKS, (_USED, used.start()))

    def note(self, data: bytes) -> bool:
        if data.strip() == b"[DONE]":
            self.final = True
            return True
        try:
            last = _decode_plain_chunk(data)
            reading = _plain_reading(last.usage) if last.error is _NULL else None
        except UNREADABLE:
            pass
        else:
            if reading is not None:
                self._reading = reading
                return not (self._hide_usage and _is_empty(last.choices))
        try:
            chunk = _decode_answer(data)
        except UNREADABLE:
            return True
        if bytes(chunk.error) != b"null":
            self.failed = self.final = True
        if bytes(chunk.usage) == b"null":
            return True
        self._reading = reading_of(loaded(chunk.usage))
        return not (self._hide_usage and _is_empty(chunk.choices))

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
        if not envelope.stream:
            return False
        options = envelope.get("stream_options")
        if not (options is None or isinstance(options, dict)):
            return False
        if options and options.get("include_usage") is True:
            return False
        envelope.put("stream_options", {**(options or {}), "include_usage": True})
        return True

    def meter(self, *, hide_usage: bool) -> StreamMeter:
        return StreamMeter(ChatTally(hide_usage=hide_usage))

    def read(self, body: bytes) -> Reading | None:
        try:
            reading = _plain_reading(_decode_plain(body).usage)
        except UNREADABLE:
            reading = None
        if reading is not None:
            return reading
        try:
            return reading_of(loaded(_decode_answer(body).usage))
        except UNREADABLE:
            return None
