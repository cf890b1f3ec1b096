"""uvicorn's HTTP/1.1 protocol with two costs less for each answer: a packet for the head alone, and a timer.

It builds on methods of uvicorn that are not documented; tests/cli/test_protocol.py tells when a release changes them.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD = b"HTTP/1.1 "
_COPIED = 64 * 1024


class LeanProtocol(HttpToolsProtocol):
    """The head of an answer leaves with the first part of its body when that follows in the same turn of the loop.
    The timer of an idle connection runs on while requests come, and looks for itself what it has to do."""

    _idle_since = inf

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(cast("asyncio.Transport", _Joining(transport, self.loop)))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def handle_websocket_upgrade(self) -> None:
        self.transport = cast("_Joining", self.transport).plain
        super().handle_websocket_upgrade()

    def _unset_keepalive_if_required(self) -> None:
        # Called with every byte that comes: whatever the timer finds from now on is no idle connection.
        self._idle_since = inf

    def on_response_complete(self) -> None:
        goes_on = bool(self.pipeline)
        if goes_on or self.timeout_keep_alive_task is None:
            super().on_response_complete()
        else:
            self.server_state.total_requests += 1
            self.flow.resume_reading()
        self._idle_since = inf if goes_on else self.loop.time()

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            super().timeout_keep_alive_handler()
        elif left < inf:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)


class _Joining:
    """A transport that keeps the head of an answer back until the next write, or until the end of the turn."""

    __slots__ = ("_head", "_loop", "plain")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.plain = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        head = self._head
        if head:
            self._head = b""
            if len(data) < _COPIED:
                self.plain.write(head + data)
            else:
                self.plain.writelines((head, data))
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self.plain.write(data)

    def close(self) -> None:
        self._flush()
        self.plain.close()

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head:
            self.plain.write(head)

    def is_closing(self) -> bool:
        return self.plain.is_closing()

    def pause_reading(self) -> None:
        self.plain.pause_reading()

    def resume_reading(self) -> None:
        self.plain.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.plain.get_extra_info(name, default)
