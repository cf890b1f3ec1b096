"""A Chat Completions stream to and from the neutral form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw

from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.dialects.chat import reading_of
from sluicegate.gateway.reading import NOTHING, UNREADABLE, Reading, loaded
from sluicegate.gateway.translate.chat.answers import REASONS, STOPS, written_call
from sluicegate.gateway.translate.errors import error_object, error_of
from sluicegate.gateway.translate.form import (
    Call,
    CallBegin,
    CallEnd,
    CallPiece,
    Done,
    Event,
    Failed,
    Finish,
    Object,
    Ping,
    Reply,
    Stop,
    TextPiece,
    ThoughtPiece,
    Used,
)
from sluicegate.gateway.translate.ids import new_id
from sluicegate.gateway.translate.sse import COMMENT, data_event
from sluicegate.gateway.translate.usage import chat_usage

_NULL = Raw(b"null")
_DONE = b"data: [DONE]\n\n"


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Raw = _NULL
    error: Raw = _NULL


_decode = msgspec.json.Decoder(_Chunk).decode


class ChatReader:
    """Turns the data of one event after the other into neutral events."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun: set[int] = set()

    def read(self, data: bytes) -> Iterator[Event]:
        if data.strip() == b"[DONE]":
            yield Done()
            return
        try:
            chunk = _decode(data)
        except UNREADABLE:
            yield Failed(502, "The model's provider sent a chunk that cannot be read.")
            return
        error: Any = loaded(chunk.error)
        if error is not None:
            yield error_of(error if isinstance(error, dict) else {"message": str(error)})
            return
        for choice in chunk.choices or ():
            if choice.index == 0:
                yield from self._choice(choice)
        if bytes(chunk.usage) != b"null":
            yield Used(reading_of(loaded(chunk.usage)))

    def _choice(self, choice: _Choice) -> Iterator[Event]:
        delta = choice.delta
        if delta is not None:
            if thought := delta.reasoning_content or delta.reasoning:
                yield ThoughtPiece(thought)
            if text := delta.content or delta.refusal:
                yield TextPiece(text)
            for place, call in enumerate(delta.tool_calls or ()):
                yield from self._call(call, place)
        if choice.finish_reason:
            stop = STOPS.get(choice.finish_reason, Stop.END)
            yield Finish(Stop.TOOL if stop is Stop.END and self._begun else stop)

    def _call(self, call: _Call, place: int) -> Iterator[Event]:
        key, function = place if call.index is None else call.index, call.function
        if function is None:
            return
        if function.name and key not in self._begun:
            self._begun.add(key)
            yield CallBegin(key, call.id or new_id("call_"), function.name)
        if function.arguments:
            yield CallPiece(key, function.arguments)


class ChatWriter:
    """Writes neutral events as chunks."""

    __slots__ = ("_base", "_calls", "_include_usage", "_reading", "_reply", "_size", "_started")

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._base: Object = {
            "id": new_id("chatcmpl-"),
            "object": "chat.completion.chunk",
            "created": reply.created,
            "model": reply.model,
        }
        self._include_usage = not reply.hide_usage
        self._calls: dict[int, CallBegin] = {}
        self._reading: Reading = NOTHING
        self._size = 0
        self._started = False

    def write(self, event: Event) -> bytes:
        match event:
            case TextPiece(text):
                self._size += len(text.encode())
                return self._chunk({"content": text})
            case ThoughtPiece(text):
                self._size += len(text.encode())
                return self._chunk({"reasoning_content": text})
            case CallBegin():
                index = len(self._calls)
                self._calls[event.key] = event
                call = written_call(Call(event.id, event.name, "", freeform=event.freeform))
                return self._chunk({"tool_calls": [{"index": index, **call}]})
            case CallPiece(key, text):
                self._size += len(text.encode())
                return self._piece(key, text)
            case Finish(stop):
                return self._chunk({}, REASONS[stop])
            case Used(reading):
                self._reading = reading
                return b""
            case Failed():
                return data_event({"error": error_object(event, Dialect.OPENAI)})
            case Ping():
                return COMMENT
            case Done():
                return self._usage() + _DONE
            case CallEnd():
                return b""

    def _piece(self, key: int, text: str) -> bytes:
        begun = self._calls.get(key)
        if begun is None:
            return b""
        index = list(self._calls).index(key)
        part: Object = {"custom": {"input": text}} if begun.freeform else {"function": {"arguments": text}}
        return self._chunk({"tool_calls": [{"index": index, **part}]})

    def _chunk(self, delta: Object, finish: str | None = None) -> bytes:
        if not self._started:
            self._started = True
            delta = {"role": "assistant", **delta}
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if self._include_usage else {}
        return data_event({**self._base, "choices": [choice], **usage})

    def _usage(self) -> bytes:
        if not self._include_usage:
            return b""
        usage, _ = self._reading.completed(self._reply.input_estimate, self._size)
        return data_event({**self._base, "choices": [], "usage": chat_usage(usage)})
