"""The transport below uvicorn's protocol: fewer packets, and answers that reach callers who are still sending."""

from __future__ import annotations

import asyncio
from typing import Any

_HEAD = b"HTTP/1.1 "
# Bytes of a body that are rather copied than sent by a second write.
_COPIED = 64 * 1024
# How long the end of a caller's request is still taken in, and thrown away, once its answer is out.
_LINGER_SECONDS = 2.0
# How long a caller may take nothing of what is left to send when a connection closes.
_STUCK_SECONDS = 30.0


class Joining:
    """Keeps the head of an answer back until the next write, or until the end of the turn. While `unfinished`, which is
    when more of a request is to come, `close` only ends the writing: a socket that is closed with bytes unread resets
    the connection, and the answer with it."""

    __slots__ = ("_head", "_lingering", "_loop", "_stuck", "plain", "unfinished")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.plain = transport
        self.unfinished = False
        self._loop = loop
        self._head = b""
        self._lingering: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None

    def write(self, data: bytes) -> None:
        head = self._head
        if head:
            self._head = b""
            self.write_whole(head, data)
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self.plain.write(data)

    def write_whole(self, head: bytes, data: bytes) -> None:
        """An answer, or its beginning, in one piece."""
        if len(data) < _COPIED:
            self.plain.write(head + data)
        else:
            self.plain.writelines((head, data))

    def close(self) -> None:
        self._flush()
        if not self.unfinished or self._lingering is not None or not self.plain.can_write_eof():
            self._close_plain()
        elif not self.plain.is_closing():
            self.plain.write_eof()
            self.plain.resume_reading()
            self._lingering = self._loop.call_later(_LINGER_SECONDS, self._close_plain)

    def _close_plain(self) -> None:
        self.plain.close()
        left = self.plain.get_write_buffer_size()
        if left:
            self._stuck = self._loop.call_later(_STUCK_SECONDS, self._abort_if_stuck, left)

    def _abort_if_stuck(self, left: int) -> None:
        now_left = self.plain.get_write_buffer_size()
        if now_left >= left:
            self.plain.abort()
        else:
            self._stuck = self._loop.call_later(_STUCK_SECONDS, self._abort_if_stuck, now_left)

    def lost(self) -> None:
        # A transport that is closed takes no bytes; what waits for the end of the turn would be a fault of ours.
        self._head = b""
        for timer in (self._lingering, self._stuck):
            if timer is not None:
                timer.cancel()

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head:
            self.plain.write(head)

    def is_closing(self) -> bool:
        return self._lingering is not None or self.plain.is_closing()

    def pause_reading(self) -> None:
        self.plain.pause_reading()

    def resume_reading(self) -> None:
        self.plain.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.plain.get_extra_info(name, default)
