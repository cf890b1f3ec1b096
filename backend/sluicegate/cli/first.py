"""What the first process of a container has to see to: the kernel drops every signal that would end it by default, so
that it could not be stopped while it starts, nor ended while it hangs. Imported before all that takes long to load."""

from __future__ import annotations

import os
import signal


def let_end(number: int) -> None:
    """Lets a signal end this process, with its number as status, where the default would not; without the interpreter,
    which may be what hangs."""
    if os.getpid() == 1:
        import ctypes

        library = ctypes.CDLL(None)
        library["signal"](number, library["_exit"])


if os.getpid() == 1:
    # The status that a shell tells.
    signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
