"""The benchmark's provider, and how it is told what to answer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from processes import LOAD_CORE, end, spawn

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Counts:
    """How many calls of either kind were answered."""

    answers: int = 0
    streams: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.answers + other.answers, self.streams + other.streams)

    def __sub__(self, other: Counts) -> Counts:
        return Counts(self.answers - other.answers, self.streams - other.streams)


class BenchProvider:
    """`upstream.c` where there is a compiler, else `upstream.py`; on the load's core."""

    # What each answer and each stream reports as used: input outside the cache, cached input, output.
    ANSWER = (176, 1024, 180)
    STREAM = (1200, 0, 50)

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            command = [sys.executable, str(HERE / "upstream.py")]
        else:
            program = folder / "upstream"
            subprocess.run([compiler, "-O2", "-o", program, HERE / "upstream.c"], check=True)
            command = [str(program)]
        self._process = spawn(command, core=LOAD_CORE, read=True)
        if self._process.stdout is None:
            raise RuntimeError("the provider's output was not caught")
        self.port = int(self._process.stdout.readline())

    def shape_streams(self, events: int, pace_us: int) -> None:
        self._control(f"?events={events}&pace_us={pace_us}")

    def counts(self) -> Counts:
        return Counts(**json.loads(self._control("")))

    def _control(self, query: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/control{query}", timeout=5) as response:
            return response.read()

    def stop(self) -> None:
        end(self._process)
