"""Notices when the event loop does not turn any more, says where it hangs, and ends the process when that lasts."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from threading import Event, Thread, get_ident
from traceback import StackSummary, walk_stack
from types import FrameType
from typing import Any

import structlog

HUNG = 70
"""What a process ends with that ended itself because its loop hung."""
_LOOK_SECONDS = 1.0
_SAY_SECONDS = 5.0
# How long a line may take to be written by a process that hangs, perhaps in the midst of writing one.
_PATIENCE_SECONDS = 2.0

_log = structlog.get_logger(__name__)


class LoopWatch:
    """Once a second looks whether the loop of the thread that starts it turns, from a thread of its own.

    When it has not for `limit` seconds the process ends with status `HUNG`; with 0 it never does. `came` gets, of each
    look, the seconds until the loop came to it, on the loop. `beat` is called at each look, whether the loop turns or
    not: as long as it is, whoever watches the process can leave it to itself.
    """

    def __init__(self, limit: float, came: Callable[[float], object], beat: Callable[[], object]) -> None:
        self._limit = limit
        self._say_after = min(_SAY_SECONDS, limit / 2) if limit else _SAY_SECONDS
        self._came = came
        self._beat = beat
        self._over = Event()
        self._turned = Event()

    def start(self) -> None:
        """From the loop itself."""
        self._loop, self._thread = asyncio.get_running_loop(), get_ident()
        self._beat()
        Thread(target=self._watch, name="loop-watch", daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _watch(self) -> None:
        late, said, looked = 0.0, False, time.monotonic()
        self._turned.set()
        while not self._over.wait(_LOOK_SECONDS):
            now = time.monotonic()
            # While this thread did not run either, nothing did: the process was stopped, the machine suspended or
            # without a moment for it.
            passed, looked = min(now - looked, _LOOK_SECONDS), now
            self._beat()
            if self._turned.is_set():
                if said:
                    _log.warning("loop.turns_again", seconds=round(late, 1))
                late, said = 0.0, False
                self._turned.clear()
                try:
                    self._loop.call_soon_threadsafe(self._answer, now)
                except RuntimeError:
                    # It has been closed.
                    return
                continue
            late += passed
            if not said and late >= self._say_after:
                said = True
                self._say("warning", "loop.stalled", late)
            if 0 < self._limit <= late and not _debugged(self._frames()):
                self._say("error", "loop.hung", late, status=HUNG)
                os._exit(HUNG)

    def _answer(self, asked: float) -> None:
        self._turned.set()
        self._came(time.monotonic() - asked)

    def _frames(self) -> list[tuple[FrameType, int]]:
        """Of the loop's thread, the innermost first."""
        return list(walk_stack(sys._current_frames().get(self._thread)))  # pyright: ignore[reportPrivateUsage]

    def _say(self, level: str, event: str, seconds: float, **facts: Any) -> None:
        def write() -> None:
            stack = "".join(StackSummary.extract(iter(reversed(self._frames()))).format())
            getattr(_log, level)(event, seconds=round(seconds, 1), stack=stack, **facts)

        writing = Thread(target=write, daemon=True)
        writing.start()
        writing.join(_PATIENCE_SECONDS)


def _debugged(frames: list[tuple[FrameType, int]]) -> bool:
    """Whether somebody steps through it."""
    return any(frame.f_trace is not None for frame, _ in frames)
