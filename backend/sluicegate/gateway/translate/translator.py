"""One call between a caller of one protocol and a provider of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from typing import Protocol as Shape

import msgspec

from sluicegate.domain.catalog import Dialect, Protocol
from sluicegate.gateway.reading import loaded
from sluicegate.gateway.stream.events import data_of, split_events
from sluicegate.gateway.translate import chat, messages, responses
from sluicegate.gateway.translate.errors import error_object, read_error
from sluicegate.gateway.translate.form import Answer, Ask, Call, Done, Event, Failed, Object, Ping, Reply, Target
from sluicegate.gateway.translate.json_text import unwrapped
from sluicegate.gateway.translate.names import Names, names_of
from sluicegate.gateway.translate.serial import Serial
from sluicegate.policy.refusals import invalid_request

_encode = msgspec.json.Encoder().encode
_FREED_AT_ONCE = 1_000


class Reader(Shape):
    def read(self, data: bytes) -> Iterator[Event]: ...


class Writer(Shape):
    def write(self, event: Event) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Speech:
    """How one protocol is read and written."""

    dialect: Dialect
    read_request: Callable[[Object], Ask]
    write_request: Callable[[Ask, Target, Names], Object]
    read_answer: Callable[[Object], Answer | None]
    write_answer: Callable[[Answer, Reply], Object]
    reader: Callable[[], Reader]
    writer: Callable[[Reply], Writer]


def _speech(dialect: Dialect, package: Any, reader: Callable[[], Reader], writer: Callable[[Reply], Writer]) -> _Speech:
    return _Speech(
        dialect,
        package.read_request,
        package.write_request,
        package.read_answer,
        package.write_answer,
        reader,
        writer,
    )


_SPEECHES = {
    Protocol.CHAT: _speech(Dialect.OPENAI, chat, chat.ChatReader, chat.ChatWriter),
    Protocol.MESSAGES: _speech(Dialect.ANTHROPIC, messages, messages.MessagesReader, messages.MessagesWriter),
    Protocol.RESPONSES: _speech(Dialect.OPENAI, responses, responses.ResponsesReader, responses.ResponsesWriter),
}


class Translator:
    """Made once per call; asked once per backend that is tried.

    `written` is how the caller's request reads, `answered` how it wants its answer: Cursor writes Responses to the
    path of Chat Completions and expects chunks back. `created` is in seconds since the epoch; `hide_usage` keeps a
    stream's usage from a caller that did not ask for it.
    """

    __slots__ = ("_answered", "_ask", "_names", "_reply")

    def __init__(
        self,
        body: Object,
        written: Protocol,
        answered: Protocol,
        *,
        model: str,
        created: int,
        input_estimate: int,
        hide_usage: bool = False,
    ) -> None:
        """Raises Refusal `invalid_request` for a body that does not read as `written`."""
        self._ask = _SPEECHES[written].read_request(body)
        self._answered = _SPEECHES[answered]
        self._names = names_of(self._ask)
        self._reply = Reply(self._ask, model, created, input_estimate, hide_usage)

    def request(self, provider: Protocol, target: Target) -> bytes:
        """The body for a backend; raises Refusal for what it cannot be told."""
        try:
            return _encode(_SPEECHES[provider].write_request(self._ask, target, self._names))
        except RecursionError:
            # It was not too deep to be read, and stands a little deeper now.
            raise invalid_request("The request body is nested too deeply.") from None

    def shed(self) -> None:
        """Forgets the conversation, which no answer needs; `request` has nothing to write after that."""
        turns = self._ask.turns
        while turns:
            # By and by, since the interpreter does nothing else while it frees many at once.
            del turns[-_FREED_AT_ONCE:]

    def answer(self, provider: Protocol, body: bytes) -> bytes | None:
        """A whole answer in the caller's protocol; None when the provider's is none."""
        value: Any = loaded(body)
        answer = _SPEECHES[provider].read_answer(value) if isinstance(value, dict) else None
        if answer is None:
            return None
        answer.parts = [self._restored(part) if isinstance(part, Call) else part for part in answer.parts]
        return _encode(self._answered.write_answer(answer, self._reply))

    def _restored(self, call: Call) -> Call:
        tool = self._names.tool(call.name)
        arguments = unwrapped(call.arguments) if tool.freeform else call.arguments
        return replace(call, name=tool.name, namespace=tool.namespace, freeform=tool.freeform, arguments=arguments)

    def error(self, status: int, body: bytes, request_id: str) -> bytes:
        """A provider's error answer in the caller's protocol."""
        error = error_object(read_error(body, status), self._answered.dialect)
        if self._answered.dialect is Dialect.ANTHROPIC:
            return _encode({"type": "error", "error": error, "request_id": request_id})
        return _encode({"error": error})

    def stream(self, provider: Protocol) -> StreamTranslator:
        return StreamTranslator(_SPEECHES[provider].reader(), Serial(self._names), self._answered.writer(self._reply))


class StreamTranslator:
    """Takes whole events of the provider's stream and gives the caller's, each as soon as it can be said."""

    __slots__ = ("_ended", "_reader", "_serial", "_writer")

    def __init__(self, reader: Reader, serial: Serial, writer: Writer) -> None:
        self._reader = reader
        self._serial = serial
        self._writer = writer
        self._ended = False

    def feed(self, block: bytes) -> bytes:
        return b"".join(self._events(block))

    def _events(self, block: bytes) -> Iterator[bytes]:
        for event in split_events(block):
            data = data_of(event)
            if data:
                for read in self._reader.read(data):
                    yield from self._write(read)
            elif event.startswith(b":"):
                yield from self._write(Ping())

    def _write(self, event: Event) -> Iterator[bytes]:
        if self._ended:
            return
        for ordered in self._serial.feed(event):
            yield self._writer.write(ordered)
        self._ended = isinstance(event, Done | Failed)

    def end(self) -> bytes:
        """The proper end of a stream whose last event its provider left out."""
        return b"".join(self._write(Done()))

    def fail(self, status: int, message: str, code: str | None = None) -> bytes:
        """The last word in a stream that its provider broke off."""
        return b"".join(self._write(Failed(status, message, code)))
