"""A Responses stream to and from the neutral form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.dialects.responses import reading_of
from sluicegate.gateway.reading import NOTHING, Reading, loaded
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
from sluicegate.gateway.translate.responses.answers import (
    call_item,
    ending,
    message_item,
    opened,
    reasoning_item,
    stop_of,
    text_part,
)
from sluicegate.gateway.translate.sse import COMMENT, named_event
from sluicegate.gateway.translate.usage import responses_usage

_THOUGHTS = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")


class ResponsesReader:
    """Turns the data of one event after the other into neutral events."""

    __slots__ = ("_calls", "_refused")

    def __init__(self) -> None:
        # How much of each call's arguments has come.
        self._calls: dict[int, int] = {}
        self._refused = False

    def read(self, data: bytes) -> Iterator[Event]:
        event: Any = loaded(data)
        if not isinstance(event, dict):
            yield Failed(502, "The model's provider sent an event that cannot be read.")
            return
        match event:
            case {"type": "response.output_text.delta", "delta": str(text)} if text:
                yield TextPiece(text)
            case {"type": "response.refusal.delta", "delta": str(text)} if text:
                self._refused = True
                yield TextPiece(text)
            case {"type": "response.function_call_arguments.delta", "output_index": int(index), "delta": str(text)}:
                if index in self._calls:
                    self._calls[index] += len(text)
                    yield CallPiece(index, text)
            case {"type": "response.output_item.added", "output_index": int(index), "item": dict(item)}:
                yield from self._begin(index, item)
            case {"type": "response.output_item.done", "output_index": int(index), "item": dict(item)}:
                yield from self._done(index, item)
            case {"type": "response.completed" | "response.incomplete", "response": dict(response)}:
                yield Used(reading_of(response.get("usage")))
                stop = stop_of(response, called=bool(self._calls))
                yield Finish(Stop.REFUSAL if self._refused else stop)
                yield Done()
            case {"type": "response.failed", "response": dict(response)}:
                yield Used(reading_of(response.get("usage")))
                error = response.get("error")
                yield error_of(error if isinstance(error, dict) else {})
            case {"type": "error"}:
                inner = event.get("error")
                yield error_of(inner if isinstance(inner, dict) else event)
            case {"type": str(kind), "delta": str(text)} if kind in _THOUGHTS and text:
                yield ThoughtPiece(text)
            case _:
                return

    def _begin(self, index: int, item: Object) -> Iterator[Event]:
        match item:
            case {"type": "function_call", "call_id": str(identity), "name": str(name)} if index not in self._calls:
                self._calls[index] = 0
                yield CallBegin(index, identity, name)
            case _:
                return

    def _done(self, index: int, item: Object) -> Iterator[Event]:
        """The item is whole now; some providers tell it only here."""
        yield from self._begin(index, item)
        if index not in self._calls:
            return
        arguments = item.get("arguments")
        if isinstance(arguments, str) and self._calls[index] == 0:
            yield CallPiece(index, arguments)
        yield CallEnd(index)


class ResponsesWriter:
    """Writes neutral events as items, one after the other, numbered."""

    __slots__ = (
        "_call",
        "_items",
        "_number",
        "_open",
        "_reading",
        "_reply",
        "_response",
        "_size",
        "_started",
        "_stop",
        "_text",
    )

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._response = opened(reply)
        self._items: list[Object] = []
        # The item that is open, its kind in "type"; and the text that it has so far.
        self._open: Object | None = None
        self._call: Call | None = None
        self._text: list[str] = []
        self._number = -1
        self._size = 0
        self._started = False
        self._stop = Stop.END
        self._reading: Reading = NOTHING

    def write(self, event: Event) -> bytes:
        match event:
            case TextPiece(text):
                return self._open_message() + self._piece(
                    "response.output_text.delta", text, content_index=0, logprobs=[]
                )
            case ThoughtPiece(text):
                return self._open_reasoning() + self._piece(
                    "response.reasoning_summary_text.delta", text, summary_index=0
                )
            case CallBegin():
                return self._open_call(event)
            case CallPiece(_, text):
                custom = self._call is not None and self._call.freeform
                kind = "custom_tool_call_input" if custom else "function_call_arguments"
                return self._piece(f"response.{kind}.delta", text)
            case CallEnd():
                return self._close()
            case Used(reading):
                self._reading = reading
                return b""
            case Finish(stop):
                self._stop = stop
                return b""
            case Failed():
                return self._fail(event)
            case Ping():
                return COMMENT
            case Done():
                return self._end()

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        return named_event(kind, {"sequence_number": self._number, **fields})

    def _start(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        response = self._response
        return self._event("response.created", response=response) + self._event(
            "response.in_progress", response=response
        )

    def _place(self) -> Object:
        identity = self._open["id"] if self._open else ""
        return {"output_index": len(self._items), "item_id": identity}

    def _begin(self, item: Object, shown: Object) -> bytes:
        before = self._start() + self._close()
        self._open = item
        self._text = []
        return before + self._event("response.output_item.added", output_index=len(self._items), item=shown)

    def _piece(self, kind: str, text: str, **fields: Any) -> bytes:
        self._size += len(text.encode())
        self._text.append(text)
        return self._event(kind, **self._place(), **fields, delta=text)

    def _open_message(self) -> bytes:
        if self._open is not None and self._open["type"] == "message":
            return b""
        item = message_item(new_id("msg_"), "", "in_progress")
        added = self._begin(item, item | {"content": []})
        return added + self._event("response.content_part.added", **self._place(), content_index=0, part=text_part(""))

    def _open_reasoning(self) -> bytes:
        if self._open is not None and self._open["type"] == "reasoning":
            return b""
        item = reasoning_item(new_id("rs_"), "")
        added = self._begin(item, item | {"summary": []})
        part = {"type": "summary_text", "text": ""}
        return added + self._event("response.reasoning_summary_part.added", **self._place(), summary_index=0, part=part)

    def _open_call(self, event: CallBegin) -> bytes:
        call = Call(event.id, event.name, "", event.namespace, event.freeform)
        item = call_item(call, "in_progress")
        added = self._begin(item, item)
        self._call = call
        return added

    def _close(self) -> bytes:
        """Says the open item once more as a whole."""
        item, text = self._open, "".join(self._text)
        if item is None:
            return b""
        place = self._place()
        match item["type"]:
            case "message":
                item = message_item(item["id"], text)
                part = item["content"][0]
                said = self._event("response.output_text.done", **place, content_index=0, text=text, logprobs=[])
                said += self._event("response.content_part.done", **place, content_index=0, part=part)
            case "reasoning":
                item = reasoning_item(item["id"], text)
                part = item["summary"][0]
                said = self._event("response.reasoning_summary_text.done", **place, summary_index=0, text=text)
                said += self._event("response.reasoning_summary_part.done", **place, summary_index=0, part=part)
            case "custom_tool_call":
                item = item | {"input": text, "status": "completed"}
                said = self._event("response.custom_tool_call_input.done", **place, input=text)
            case _:
                item = item | {"arguments": text or "{}", "status": "completed"}
                said = self._event("response.function_call_arguments.done", **place, arguments=item["arguments"])
        said += self._event("response.output_item.done", output_index=len(self._items), item=item)
        self._items.append(item)
        self._open = self._call = None
        return said

    def _end(self) -> bytes:
        before = self._start() + self._close()
        usage, _ = self._reading.completed(self._reply.input_estimate, self._size)
        final = self._response | ending(self._stop) | {"output": self._items, "usage": responses_usage(usage)}
        return before + self._event(f"response.{final['status']}", response=final)

    def _fail(self, failed: Failed) -> bytes:
        error = error_object(failed, Dialect.OPENAI)
        told = {"code": failed.code or error["type"], "message": failed.message}
        response = self._response | {"status": "failed", "error": told, "output": self._items}
        return self._start() + self._event("response.failed", response=response)
