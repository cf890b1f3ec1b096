"""What was freed is given back, also from below what is still in use."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import asyncio, gc
from pathlib import Path
from sluicegate.cli import trimming
from sluicegate.cli.trimming import Trimming

def resident():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024

async def main():
    ours = Trimming()
    # Small enough for the heap; the last one lies above all others.
    bodies = [bytes(100_000) for _ in range(1_000)]
    last, much = bytearray(100_000), resident()
    bodies.clear()
    before = resident()
    ours.start()
    await asyncio.sleep(0.5)
    after = resident()
    ours.stop()
    more = [bytes(100_000) for _ in range(1_000)]
    keep = bytearray(100_000)
    more.clear()
    kept = resident()
    await asyncio.sleep(0.5)
    print(much, before, after, kept, resident(), len(last) + len(keep))

trimming._EVERY_SECONDS = 0.1
asyncio.run(main())
"""


def test_what_lies_below_the_end_of_the_heap_is_given_back_every_so_often_until_it_is_stopped() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    much, before, after, kept, later, _ = map(int, done.stdout.split())
    assert before > much - 20
    assert after < before - 60
    assert kept == later > after + 60
