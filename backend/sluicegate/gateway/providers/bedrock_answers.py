"""Answers of Amazon Bedrock as Anthropic would give them: events in place of binary messages, errors in its form."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NoBase64
from typing import Any

import msgspec
from msgspec import Raw

from sluicegate.gateway import answers
from sluicegate.gateway.headers import value_of
from sluicegate.gateway.providers.bedrock import COUNTING
from sluicegate.gateway.providers.eventstream import BrokenStream, EventStream, Message
from sluicegate.gateway.reading import UNREADABLE, loaded
from sluicegate.gateway.translate.errors import anthropic_type
from sluicegate.ports.upstream import RawHeaders, UpstreamError, UpstreamResponse

_BINARY = b"application/vnd.amazon.eventstream"
_JSON = (b"content-type", b"application/json")
_EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")
# Statuses that only AWS gives, as everybody else gives them: a model that failed, and one that took too long.
_STATUSES = {408: 504, 424: 502}
# What stands in a stream where a status would stand in front of an answer.
_EXCEPTIONS = {
    "internalServerException": 500,
    "modelStreamErrorException": 502,
    "modelTimeoutException": 504,
    "serviceUnavailableException": 503,
    "throttlingException": 429,
    "validationException": 400,
}
_TOO_LONG = "input is too long"
# By these words clients of Anthropic's tell that they have to shorten the conversation.
_TOO_LONG_THERE = "prompt is too long"
_METRICS = "amazon-bedrock-"


class _Piece(msgspec.Struct):
    data: str = msgspec.field(name="bytes", default="")


class _Kind(msgspec.Struct):
    type: str = ""


_decode_piece = msgspec.json.Decoder(_Piece).decode
_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


async def told(response: UpstreamResponse, target: str) -> UpstreamResponse:
    """The answer to a request for `target`. A stream whose first message is an exception is no stream yet, but an error
    with a status. Raises UpstreamError."""
    headers = response.headers
    kept = [(b"request-id", value) for name, value in headers if name == b"x-amzn-requestid"]
    waits = [header for header in headers if header[0] == b"retry-after"]
    if response.status >= 400:
        return await _failed(response, kept + waits)
    if value_of(headers, b"content-type").startswith(_BINARY):
        stream = EventAnswer(answers.readable(response), [_EVENTS, *kept])
        failure = await stream.begin()
        return stream if failure is None else _Whole(response, *failure, kept)
    if target.endswith(COUNTING) and response.status < 300:
        return await _counted(response, kept)
    return _Renamed(response, [header for header in headers if not header[0].startswith(b"x-amz")] + kept)


async def _failed(response: UpstreamResponse, kept: RawHeaders) -> UpstreamResponse:
    status = _STATUSES.get(response.status, response.status)
    try:
        value: Any = loaded(answers.plain(await answers.whole(response), answers.coding_of(response.headers)) or b"")
    except answers.UnfitAnswer:
        value = None
    message = value.get("message") or value.get("Message") if isinstance(value, dict) else None
    if not isinstance(message, str) or not message:
        message = f"Amazon Bedrock answered with status {response.status}."
    return _Whole(response, status, _error(status, message), kept)


async def _counted(response: UpstreamResponse, kept: RawHeaders) -> UpstreamResponse:
    try:
        value: Any = loaded(answers.plain(await answers.whole(response), answers.coding_of(response.headers)) or b"")
    except answers.UnfitAnswer as unfit:
        raise UpstreamError("closed", str(unfit), before_first_byte=False, sent=True) from None
    count = value.get("inputTokens") if isinstance(value, dict) else None
    return _Whole(response, response.status, _encode({"input_tokens": count}) if type(count) is int else b"", kept)


def _error(status: int, message: str) -> bytes:
    if _TOO_LONG in message.lower():
        message = f"{_TOO_LONG_THERE}: {message}"
    return _encode({"type": "error", "error": {"type": anthropic_type(status), "message": message[:4_000]}})


class _Renamed:
    """An answer whose body stays as it is."""

    def __init__(self, response: UpstreamResponse, headers: RawHeaders) -> None:
        self.status = response.status
        self.headers = headers
        self._response = response

    def buffered(self) -> bytes | None:
        return self._response.buffered()

    async def read(self) -> bytes:
        return await self._response.read()

    async def aclose(self) -> None:
        await self._response.aclose()


class _Whole(_Renamed):
    """An answer with another body than the one that came."""

    def __init__(self, response: UpstreamResponse, status: int, body: bytes, kept: RawHeaders) -> None:
        super().__init__(response, [_JSON, *kept])
        self.status = status
        self._body = body

    def buffered(self) -> bytes | None:
        return self._body

    async def read(self) -> bytes:
        body, self._body = self._body, b""
        return body


class EventAnswer:
    """Server-sent events as they come out of the binary stream. Its own failures are told as events; a stream that is
    broken raises UpstreamError when all that came before is read."""

    def __init__(self, response: UpstreamResponse, headers: RawHeaders) -> None:
        self.status = response.status
        self.headers = headers
        self._response = response
        self._stream = EventStream()
        self._ready = b""
        self._broken: str | None = None
        self._begun = False
        self._refused: tuple[int, bytes] | None = None

    async def begin(self) -> tuple[int, bytes] | None:
        """Waits for the first message; gives status and body where that is an exception. A stream that has none has
        not begun, either."""
        self._ready = await self._more()
        if not self._begun and self._refused is None:
            raise UpstreamError("closed", "the event stream is empty", before_first_byte=True, sent=True)
        return self._refused

    def buffered(self) -> bytes | None:
        return None

    async def read(self) -> bytes:
        if self._ready:
            ready, self._ready = self._ready, b""
            return ready
        return await self._more()

    async def aclose(self) -> None:
        await self._response.aclose()

    async def _more(self) -> bytes:
        while True:
            if self._broken is not None:
                raise UpstreamError("protocol", self._broken, before_first_byte=not self._begun, sent=True)
            chunk = await self._response.read()
            if not chunk:
                if self._stream.torn:
                    self._broken = "the event stream ends in the middle of a message"
                    continue
                return b""
            events = self._events(chunk)
            if events or self._refused is not None:
                return events

    def _events(self, chunk: bytes) -> bytes:
        events: list[bytes] = []
        try:
            for message in self._stream.feed(chunk):
                if self._refused is None:
                    events.append(self._event(message))
                self._begun = True
        except BrokenStream as broken:
            self._broken = f"the event stream holds {broken}"
        return b"".join(events)

    def _event(self, message: Message) -> bytes:
        """Raises BrokenStream."""
        kind = message.headers.get(":message-type", "event")
        if kind != "event":
            return self._failure(message)
        if message.headers.get(":event-type") != "chunk":
            return b""
        try:
            data = b64decode(_decode_piece(message.payload).data, validate=True)
            named = _decode_kind(data).type
            if _METRICS.encode() in data:
                data = _without_metrics(data)
        except (NoBase64, *UNREADABLE):
            raise BrokenStream("a chunk that cannot be read") from None
        if not named.replace("_", "").isalnum():
            raise BrokenStream("a chunk that names no event")
        # Strings in JSON hold no raw line breaks, so any stands between values.
        return b"event: %s\ndata: %s\n\n" % (named.encode(), data.replace(b"\n", b" ").replace(b"\r", b" "))

    def _failure(self, message: Message) -> bytes:
        headers = message.headers
        name = headers.get(":exception-type") or headers.get(":error-code") or ""
        value: Any = loaded(message.payload)
        text = value.get("message") if isinstance(value, dict) else headers.get(":error-message")
        status = _EXCEPTIONS.get(name[:1].lower() + name[1:], 500)
        text = text if isinstance(text, str) and text else "Amazon Bedrock broke the answer off."
        body = _error(status, f"{name}: {text}" if name else text)
        if not self._begun:
            self._refused = (status, body)
            return b""
        return b"event: error\ndata: %s\n\n" % body


def _without_metrics(data: bytes) -> bytes:
    """What Bedrock measures goes to its account's owner; callers know their usage from the usage block."""
    return _encode({name: value for name, value in _decode_object(data).items() if not name.startswith(_METRICS)})
