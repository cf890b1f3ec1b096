"""A command as the first process of a container: of a namespace of processes, which needs no engine."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from cli.program import PATIENCE
from namespaces import unshared


def as_first() -> list[str]:
    """What stands before the command, and ends with its status; skips where no namespace may be made."""
    return unshared("--pid", "--fork", "--kill-child")


def tell_first(process: subprocess.Popen[bytes], number: int) -> None:
    """Sends a signal to the command that stands behind `as_first`."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + PATIENCE
    while not (found := children.read_text().split()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(int(found[0]), number)
