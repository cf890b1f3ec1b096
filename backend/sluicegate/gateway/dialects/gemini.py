"""Google's Gemini API, whose paths name the model and what is asked of it."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Raw

from sluicegate.domain.catalog import Dialect, ModelKind
from sluicegate.domain.usage import TokenUsage
from sluicegate.gateway.asgi import Reply
from sluicegate.gateway.dialects.errors import error_object
from sluicegate.gateway.envelope import Envelope, fields_of
from sluicegate.gateway.reading import NOTHING, UNREADABLE, AbsurdCount, Reading, count, loaded, text_size
from sluicegate.gateway.stream.events import Marks
from sluicegate.gateway.stream.meter import StreamMeter
from sluicegate.policy.refusals import Refusal

_NULL = Raw(b"null")
_ENDS = re.compile(rb'"(?:finishReason|blockReason)"')
_MARKS = ((b'"usageMetadata"', 0), (b'"error"', 0), (b'"finishReason"', 0), (b'"blockReason"', 0))


class _Chunk(msgspec.Struct):
    """The whole of an answer, and a piece of a stream."""

    usage: Raw = msgspec.field(name="usageMetadata", default=_NULL)
    candidates: Raw = _NULL
    feedback: Raw = msgspec.field(name="promptFeedback", default=_NULL)
    error: Raw = _NULL


_encode = msgspec.json.Encoder().encode
_decode_chunk = msgspec.json.Decoder(_Chunk).decode
_decode_chunks = msgspec.json.Decoder(list[_Chunk]).decode


def reading_of(usage: Any, *, ended: bool) -> Reading:
    """What a usage block tells; its output counts once the answer has `ended`. Nothing when it is none or absurd."""
    if not isinstance(usage, dict):
        return NOTHING
    try:
        prompt, cached = count(usage.get("promptTokenCount")), count(usage.get("cachedContentTokenCount"))
        # What tools returned is read like a prompt and counted apart from it; thoughts are not among the candidates.
        tools, thoughts = count(usage.get("toolUsePromptTokenCount")), count(usage.get("thoughtsTokenCount"))
        answers, total = count(usage.get("candidatesTokenCount")), count(usage.get("totalTokenCount"))
    except AbsurdCount:
        return NOTHING
    if prompt == 0 or cached > prompt:
        return NOTHING
    told = "candidatesTokenCount" in usage or total == prompt + tools + thoughts
    used = TokenUsage(input=prompt - cached + tools, cache_read=cached, output=answers + thoughts, reasoning=thoughts)
    return Reading(used, input_known=True, output_known=ended and told)


class GeminiTally:
    """Every piece tells the usage so far. No event says that it is the last one: the stream just ends."""

    __slots__ = ("_ended", "_usage", "failed", "final")

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._ended = False
        self.final = False
        self.failed = False

    def marks(self, block: bytes) -> Marks:
        return _MARKS

    def note(self, data: bytes) -> bool:
        with suppress(*UNREADABLE):
            self.take(_decode_chunk(data))
        return True

    def take(self, chunk: _Chunk) -> None:
        if bytes(chunk.error) != b"null":
            self.failed = self.final = True
        if _ENDS.search(bytes(chunk.candidates)) or _ENDS.search(bytes(chunk.feedback)):
            self._ended = True
        usage: Any = loaded(chunk.usage)
        if isinstance(usage, dict):
            self._usage.update({name: value for name, value in usage.items() if value is not None})

    def finished(self, block: bytes) -> bool:
        return self._ended

    def measure(self, block: bytes) -> int:
        return text_size(block)

    def reading(self) -> Reading:
        return reading_of(self._usage, ended=self._ended)

    def failure(self, refusal: Refusal, request_id: str) -> bytes:
        return b"data: %s\n\n" % msgspec.json.encode({"error": error_object(refusal, Dialect.GEMINI)})


class _Opened(Envelope):
    """A body that need not name the model. One that does must not name another one than the path."""

    __slots__ = ()

    def body_for(self, provider_model: str) -> bytes:
        named = {"model": Raw(_encode(_resource(provider_model)))}
        fields = self._fields | named if "model" in self._fields else dict(self._fields)
        # To count the tokens of a whole request it is put inside another one.
        if inner := fields.get("generateContentRequest"):
            request = fields_of(bytes(inner))
            if "model" in request:
                fields["generateContentRequest"] = Raw(_encode(request | named))
        return _encode(fields)


class GenerateContent:
    """Implements `Wire`."""

    dialect = Dialect.GEMINI
    kind = ModelKind.CHAT
    protocol = None
    bytes_per_token = 4

    def __init__(self, action: str, *, streams: bool = False) -> None:
        self._action = action
        self._streams = streams
        self.path = f"/models/<name>:{action}"
        self.endpoint = "generate_content"

    def open(self, body: bytes, named: str = "") -> Envelope:
        opened = _Opened(body, fields_of(body), named)
        opened.stream = self._streams
        return opened

    def path_to(self, provider_model: str) -> str:
        return f"/{_resource_path(provider_model)}:{self._action}"

    def max_tokens(self, envelope: Envelope) -> int | None:
        settings: Any = envelope.get("generationConfig")
        bound = settings.get("maxOutputTokens") if isinstance(settings, dict) else None
        return bound if type(bound) is int and bound > 0 else None

    def prepare(self, envelope: Envelope) -> bool:
        return False

    def meter(self, *, hide_usage: bool) -> StreamMeter:
        return StreamMeter(GeminiTally())

    def read(self, body: bytes) -> Reading | None:
        """A stream that was not asked for as events is one list of all pieces."""
        tally = GeminiTally()
        try:
            chunks = _decode_chunks(body) if body.lstrip()[:1] == b"[" else [_decode_chunk(body)]
        except UNREADABLE:
            return None
        for chunk in chunks:
            tally.take(chunk)
        return tally.reading()


class CountContent(GenerateContent):
    """Implements `CountingWire`."""

    def __init__(self) -> None:
        super().__init__("countTokens")

    def estimated(self, tokens: int) -> Reply:
        return Reply(200, [(b"content-type", b"application/json")], b'{"totalTokens":%d}' % tokens)


def _resource(provider_model: str) -> str:
    return provider_model if "/" in provider_model else f"models/{provider_model}"


@lru_cache(maxsize=1024)
def _resource_path(provider_model: str) -> str:
    # A name must not lead to another path, let alone to another host.
    return quote(_resource(provider_model), safe="/-._~")
