"""Ways to hang that are put into servers from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# Interpreters load this before anything else. What a signal is answered with runs in the loop's thread, between two
# steps of whatever is there.
_HOOK = """
import os, re, signal, sys, time

def spin():
    while True:
        pass

def wait():
    time.sleep(3600)

def doze():
    time.sleep(9)

def step():
    sys._getframe().f_trace = lambda *_: None
    time.sleep(3600)

def grip():
    # Tries all ways to split a row of letters, without letting go of the interpreter.
    re.match("(a+)+$", "a" * 100 + "b")

signal.signal(signal.SIGUSR2, lambda *_: globals()[os.environ["HANG"]]())
"""


def hang_on_signal(folder: Path, hang: str) -> dict[str, str]:
    """Variables for a server that hangs at SIGUSR2: in an endless loop (`spin`), a call that does not come back
    (`wait`), for nine seconds (`doze`), under a debugger (`step`), or in one that keeps all threads from running
    (`grip`)."""
    hooks = folder / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "sitecustomize.py").write_text(_HOOK)
    return {"PYTHONPATH": str(hooks), "HANG": hang}


def lines_of(log: Path, begin: str) -> list[dict[str, Any]]:
    """Those of a log whose events begin like that."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
    return [line for line in lines if line["event"].startswith(begin)]
