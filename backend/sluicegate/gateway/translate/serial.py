"""Puts the events of a stream into an order that every protocol can write.

Chat Completions may interleave parallel calls, while blocks of Messages and items of Responses stand one after the
other. A call that is open keeps the rest waiting until it is whole; names go back to what the caller gave.
"""

from __future__ import annotations

from collections.abc import Iterator

from sluicegate.gateway.translate.form import (
    CallBegin,
    CallEnd,
    CallPiece,
    Done,
    Event,
    Failed,
    Finish,
    Ping,
    TextPiece,
    ThoughtPiece,
    Used,
)
from sluicegate.gateway.translate.json_text import complete, unwrapped
from sluicegate.gateway.translate.names import Names

# How often an open call is looked at while others wait for it; then they wait until the answer is over.
_MAX_LOOKS = 256
# How many events are looked at again, each time that a call ends, before the rest waits until the answer is over.
_MAX_REPLAYED = 100_000


class Serial:
    """Yields each call as CallBegin, CallPiece and CallEnd, with nothing in between but usage and signs of life."""

    __slots__ = ("_arguments", "_closed", "_looks", "_names", "_open", "_replayed", "_waiting")

    def __init__(self, names: Names) -> None:
        self._names = names
        self._open: CallBegin | None = None
        self._arguments: list[str] = []
        self._waiting: list[Event] = []
        self._closed: set[int] = set()
        self._looks = 0
        self._replayed = 0

    def feed(self, event: Event) -> Iterator[Event]:
        match event:
            case Used() | Ping() | Failed():
                yield event
            case Finish() | Done():
                yield from self._flush()
                yield event
            case CallPiece(key) | CallEnd(key) if key in self._closed:
                return
            case CallPiece(key) if self._open is not None and self._open.key == key:
                yield from self._piece(event)
            case CallEnd(key) if self._open is not None and self._open.key == key and self._replayed <= _MAX_REPLAYED:
                yield from self._close()
                yield from self._replay()
            case _ if self._open is None:
                yield from self._free(event)
            case _ if self._whole():
                yield from self._close()
                yield from self._replay()
                yield from self.feed(event)
            case _:
                self._waiting.append(event)

    def _free(self, event: Event) -> Iterator[Event]:
        match event:
            case CallBegin():
                yield self._begin(event)
            case TextPiece() | ThoughtPiece():
                yield event
            case _:
                # A piece of a call that never began.
                return

    def _begin(self, event: CallBegin) -> CallBegin:
        tool = self._names.tool(event.name)
        self._open = CallBegin(event.key, event.id, tool.name, tool.namespace, tool.freeform)
        self._arguments = []
        self._looks = 0
        return self._open

    def _piece(self, event: CallPiece) -> Iterator[Event]:
        if not event.text:
            return
        self._arguments.append(event.text)
        if self._open is not None and not self._open.freeform:
            yield event
        if self._waiting and event.text.rstrip().endswith("}") and self._whole():
            yield from self._close()
            yield from self._replay()

    def _whole(self) -> bool:
        self._looks += 1
        if self._looks > _MAX_LOOKS or self._replayed > _MAX_REPLAYED:
            return False
        return complete("".join(self._arguments))

    def _close(self) -> Iterator[Event]:
        opened = self._open
        if opened is None:
            return
        self._open = None
        self._closed.add(opened.key)
        if opened.freeform:
            yield CallPiece(opened.key, unwrapped("".join(self._arguments)))
        yield CallEnd(opened.key)

    def _replay(self) -> Iterator[Event]:
        waiting, self._waiting = self._waiting, []
        self._replayed += len(waiting)
        for event in waiting:
            yield from self.feed(event)

    def _flush(self) -> Iterator[Event]:
        """Nothing more will come: what waits is put in order once, however many calls there are."""
        yield from self._close()
        waiting, self._waiting = self._waiting, []
        for group in _grouped(waiting):
            for event in group:
                if event is not None:
                    yield from self.feed(event)
                elif self._open is not None and self._whole():
                    yield from self._close()
            yield from self._close()


_Group = list[Event | None]


def _grouped(events: list[Event]) -> list[_Group]:
    """Each call with its pieces, at the place where it begins; None stands where others came in between."""
    groups: list[_Group] = []
    calls: dict[int, _Group] = {}
    last: _Group | None = None
    group: _Group
    for event in events:
        match event:
            case CallBegin(key):
                group = calls[key] = [event]
                groups.append(group)
            case CallPiece(key) | CallEnd(key):
                group = calls.setdefault(key, [])
                if last is not group:
                    group.append(None)
                group.append(event)
            case _:
                group = [event]
                groups.append(group)
        last = group
    return groups
