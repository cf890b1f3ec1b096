"""A Messages stream to and from the neutral form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sluicegate.domain.catalog import Dialect
from sluicegate.domain.usage import TokenUsage
from sluicegate.gateway.dialects.messages import reading_of, take_in, tells_output
from sluicegate.gateway.reading import NOTHING, Reading, loaded
from sluicegate.gateway.translate.errors import error_object, error_of
from sluicegate.gateway.translate.form import (
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
from sluicegate.gateway.translate.json_text import wrapped
from sluicegate.gateway.translate.messages.answers import REASONS, STOPS
from sluicegate.gateway.translate.sse import named_event
from sluicegate.gateway.translate.usage import messages_usage


class MessagesReader:
    """Turns the data of one event after the other into neutral events."""

    __slots__ = ("_calls", "_told", "_usage")

    def __init__(self) -> None:
        self._usage: Object = {}
        self._told = False
        self._calls: set[int] = set()

    def read(self, data: bytes) -> Iterator[Event]:
        event: Any = loaded(data)
        if not isinstance(event, dict):
            yield Failed(502, "The model's provider sent an event that cannot be read.")
            return
        match event:
            case {"type": "content_block_delta", "index": int(index), "delta": dict(delta)}:
                yield from _delta(index, delta)
            case {"type": "message_start", "message": dict(message)}:
                yield self._used(message.get("usage"), ended=False)
            case {
                "type": "content_block_start",
                "index": int(index),
                "content_block": {"type": "tool_use", "id": str(identity), "name": str(name)},
            }:
                self._calls.add(index)
                yield CallBegin(index, identity, name)
            case {"type": "content_block_stop", "index": int(index)} if index in self._calls:
                yield CallEnd(index)
            case {"type": "message_delta"}:
                yield self._used(event.get("usage"), ended=True)
                yield from _finish(event.get("delta"))
            case {"type": "message_stop"}:
                yield Done()
            case {"type": "error", "error": dict(error)}:
                yield error_of(error)
            case {"type": "ping"}:
                yield Ping()
            case _:
                return

    def _used(self, usage: Any, *, ended: bool) -> Used:
        take_in(self._usage, usage)
        self._told = self._told or (ended and tells_output(usage))
        return Used(reading_of(self._usage, ended=self._told))


def _delta(index: int, delta: Object) -> Iterator[Event]:
    match delta:
        case {"type": "text_delta", "text": str(text)} if text:
            yield TextPiece(text)
        case {"type": "input_json_delta", "partial_json": str(text)} if text:
            yield CallPiece(index, text)
        case {"type": "thinking_delta", "thinking": str(text)} if text:
            yield ThoughtPiece(text)
        case _:
            return


def _finish(delta: Any) -> Iterator[Event]:
    reason = delta.get("stop_reason") if isinstance(delta, dict) else None
    if isinstance(reason, str):
        sequence = delta.get("stop_sequence")
        yield Finish(STOPS.get(reason, Stop.END), sequence if isinstance(sequence, str) else None)


class MessagesWriter:
    """Writes neutral events as blocks, one after the other. The end waits for the usage, which comes last elsewhere."""

    __slots__ = ("_block", "_finish", "_freeform", "_index", "_reading", "_reply", "_size", "_started")

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._index = -1
        # What kind of block is open: "text", "call" or none.
        self._block = ""
        self._freeform = False
        self._finish = Finish(Stop.END)
        self._reading: Reading = NOTHING
        self._size = 0
        self._started = False

    def write(self, event: Event) -> bytes:
        match event:
            case TextPiece(text):
                self._size += len(text.encode())
                opened = b"" if self._block == "text" else self._open("text", {"type": "text", "text": ""})
                return opened + self._delta({"type": "text_delta", "text": text})
            case ThoughtPiece(text):
                # Nobody can sign them for the provider that they would come back to.
                self._size += len(text.encode())
                return self._start()
            case CallBegin():
                self._freeform = event.freeform
                return self._open("call", {"type": "tool_use", "id": event.id, "name": event.name, "input": {}})
            case CallPiece(_, text):
                self._size += len(text.encode())
                shown = wrapped(text) if self._freeform else text
                return self._delta({"type": "input_json_delta", "partial_json": shown})
            case CallEnd():
                return self._close()
            case Used(reading):
                self._reading = reading
                return b""
            case Finish():
                self._finish = event
                return b""
            case Failed():
                return named_event("error", {"error": error_object(event, Dialect.ANTHROPIC)})
            case Ping():
                return self._start() + named_event("ping", {})
            case Done():
                return self._end()

    def _start(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        # Clients show how full the context is by this figure, so it must not be zero.
        usage, _ = self._reading.completed(self._reply.input_estimate, 0)
        first = TokenUsage(usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h, 1)
        message: Object = {
            "id": new_id("msg_"),
            "type": "message",
            "role": "assistant",
            "model": self._reply.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": messages_usage(first),
        }
        return named_event("message_start", {"message": message})

    def _open(self, kind: str, block: Object) -> bytes:
        before = self._start() + self._close()
        self._block = kind
        self._index += 1
        return before + named_event("content_block_start", {"index": self._index, "content_block": block})

    def _delta(self, delta: Object) -> bytes:
        return named_event("content_block_delta", {"index": self._index, "delta": delta})

    def _close(self) -> bytes:
        if not self._block:
            return b""
        self._block = ""
        return named_event("content_block_stop", {"index": self._index})

    def _end(self) -> bytes:
        usage, _ = self._reading.completed(self._reply.input_estimate, self._size)
        ending = {"stop_reason": REASONS[self._finish.stop], "stop_sequence": self._finish.stop_sequence}
        last = named_event("message_delta", {"delta": ending, "usage": messages_usage(usage)})
        return self._start() + self._close() + last + named_event("message_stop", {})
