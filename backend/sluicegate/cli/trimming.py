"""Gives back to the system what large bodies leave behind. What of the C library's heap is free but not at its end
stays resident as long as anything lies above it: 7 MB after two thousand bodies of 200 KB."""

from __future__ import annotations

import asyncio
import ctypes

_EVERY_SECONDS = 60.0


class Trimming:
    """Once a minute, on the loop, which takes it half a millisecond; from `start` to `stop`."""

    def __init__(self) -> None:
        # Only glibc has it.
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """From the loop itself."""
        if self._trim is not None:
            self._next = asyncio.get_running_loop().call_later(_EVERY_SECONDS, self._due)

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()

    def trim(self) -> None:
        """At once."""
        if self._trim is not None:
            self._trim(0)

    def _due(self) -> None:
        self.trim()
        self.start()
