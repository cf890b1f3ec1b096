"""Anthropic's Messages."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from sluicegate.domain.catalog import Dialect, ModelKind, Protocol
from sluicegate.domain.usage import TokenUsage
from sluicegate.gateway.asgi import Reply
from sluicegate.gateway.dialects.errors import error_object
from sluicegate.gateway.dialects.wire import ModelInBody
from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.reading import NOTHING, UNREADABLE, AbsurdCount, Reading, count, loaded, part, text_size
from sluicegate.gateway.stream.events import Marks
from sluicegate.gateway.stream.meter import StreamMeter
from sluicegate.policy.refusals import Refusal

_NULL = Raw(b"null")
_MARKS = ((b'"message_stop"', 0), (b'"usage"', 0), (b'"error"', 0))
_INPUT_COUNTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_INPUT_FIELDS = (*_INPUT_COUNTS, "cache_creation")


class _Message(msgspec.Struct):
    usage: Raw = _NULL


class _Event(msgspec.Struct):
    type: str = ""
    message: _Message | None = None
    usage: Raw = _NULL


_decode_message = msgspec.json.Decoder(_Message).decode
_decode_event = msgspec.json.Decoder(_Event).decode


def _usage_of(usage: dict[str, Any]) -> TokenUsage:
    """Raises AbsurdCount. The input of a call lies outside the cache; reads and writes come on top of it."""
    rounds = usage.get("iterations")
    if isinstance(rounds, list) and rounds:
        # After a compaction the totals leave the earlier rounds out.
        return _sum([_one(r) for r in rounds])
    return _one(usage)


def _one(usage: Any) -> TokenUsage:
    if not isinstance(usage, dict):
        raise AbsurdCount
    written = count(usage.get("cache_creation_input_tokens"))
    short = part(usage.get("cache_creation"), "ephemeral_5m_input_tokens")
    long = part(usage.get("cache_creation"), "ephemeral_1h_input_tokens")
    # The split refines the total and must not exceed it; without it, writes are short-lived ones.
    total = max(written, short + long)
    output = count(usage.get("output_tokens"))
    return TokenUsage(
        input=count(usage.get("input_tokens")),
        cache_read=count(usage.get("cache_read_input_tokens")),
        cache_write_5m=total - long,
        cache_write_1h=long,
        output=output,
        reasoning=min(output, part(usage.get("output_tokens_details"), "thinking_tokens")),
    )


def _sum(rounds: list[TokenUsage]) -> TokenUsage:
    return TokenUsage(
        input=sum(r.input for r in rounds),
        cache_read=sum(r.cache_read for r in rounds),
        cache_write_5m=sum(r.cache_write_5m for r in rounds),
        cache_write_1h=sum(r.cache_write_1h for r in rounds),
        output=sum(r.output for r in rounds),
        reasoning=sum(r.reasoning for r in rounds),
    )


def take_in(kept: dict[str, Any], usage: Any) -> None:
    """Brings the figures of one event of a stream into those that are `kept` of the events before it."""
    if not isinstance(usage, dict):
        return
    told = {name: value for name, value in usage.items() if value is not None}
    if not any(told.get(name) for name in _INPUT_COUNTS):
        # Some end with zeros for what they have counted in the beginning.
        told = {name: value for name, value in told.items() if name not in _INPUT_FIELDS}
    kept.update(told)


def tells_output(usage: Any) -> bool:
    """Whether the usage at the end of a stream says how much was written; at its beginning it only holds the place."""
    return isinstance(usage, dict) and bool(usage.get("output_tokens"))


def reading_of(usage: Any, *, ended: bool) -> Reading:
    """What a usage block tells; its output counts once the answer has `ended`. Nothing when it is none or absurd."""
    if not isinstance(usage, dict):
        return NOTHING
    try:
        counted = _usage_of(usage)
    except AbsurdCount:
        return _without_absurd(usage)
    # No call is without a prompt or an answer, so a zero means that nothing was counted.
    return Reading(counted, input_known=counted.total_input > 0, output_known=ended and counted.output > 0)


def _without_absurd(usage: dict[str, Any]) -> Reading:
    """The input side alone, when only the output is absurd."""
    try:
        counted = _one({name: usage.get(name) for name in _INPUT_FIELDS})
    except AbsurdCount:
        return NOTHING
    return Reading(counted, input_known=counted.total_input > 0, output_known=False)


class MessagesTally:
    """Input comes with the first event, output with the last but one, which may correct the input too."""

    __slots__ = ("_told", "_usage", "failed", "final")

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._told = False
        self.final = False
        self.failed = False

    def marks(self, block: bytes) -> Marks:
        return _MARKS

    def note(self, data: bytes) -> bool:
        try:
            event = _decode_event(data)
        except UNREADABLE:
            return True
        match event.type:
            case "message_start":
                if event.message is not None:
                    take_in(self._usage, loaded(event.message.usage))
            case "message_delta":
                usage = loaded(event.usage)
                take_in(self._usage, usage)
                self._told = self._told or tells_output(usage)
            case "message_stop":
                self.final = True
            case "error":
                self.failed = self.final = True
            case _:
                pass
        return True

    def finished(self, block: bytes) -> bool:
        return False

    def measure(self, block: bytes) -> int:
        return text_size(block)

    def reading(self) -> Reading:
        return reading_of(self._usage, ended=self._told)

    def failure(self, refusal: Refusal, request_id: str) -> bytes:
        body = {"type": "error", "error": error_object(refusal, Dialect.ANTHROPIC), "request_id": request_id}
        return b"event: error\ndata: %s\n\n" % msgspec.json.encode(body)


class Messages(ModelInBody):
    """Implements `Wire`."""

    dialect = Dialect.ANTHROPIC
    kind = ModelKind.CHAT
    protocol: Protocol | None = Protocol.MESSAGES
    path = "/messages"
    endpoint = "messages"
    # Its tokenizer cuts finer than the four bytes a token that hold elsewhere.
    bytes_per_token = 3

    def max_tokens(self, envelope: Envelope) -> int | None:
        return envelope.count("max_tokens")

    def prepare(self, envelope: Envelope) -> bool:
        return False

    def meter(self, *, hide_usage: bool) -> StreamMeter:
        return StreamMeter(MessagesTally())

    def read(self, body: bytes) -> Reading | None:
        try:
            return reading_of(loaded(_decode_message(body).usage), ended=True)
        except UNREADABLE:
            return None


class CountTokens(Messages):
    """Anthropic's token count: forwarded like a message, but no call in the ledger's sense."""

    protocol = None
    path = "/messages/count_tokens"
    endpoint = "messages.count_tokens"

    @staticmethod
    def estimated(tokens: int) -> Reply:
        return Reply(200, [(b"content-type", b"application/json")], b'{"input_tokens":%d}' % tokens)
