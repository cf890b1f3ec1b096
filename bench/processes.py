"""Starting and ending what is measured, each on its core, and reading what it used."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

# One core for the server that is measured, the other for all that surrounds it.
TARGET_CORE = {0}
LOAD_CORE = {max(os.sched_getaffinity(0))}

_TICKS = os.sysconf("SC_CLK_TCK")


def spawn(
    command: list[str], *, core: set[int] = TARGET_CORE, read: bool = False, environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE if read else subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    os.sched_setaffinity(process.pid, core)
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen[str], *, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nothing listened on port {port} within {seconds:.0f} seconds")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its living descendants."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS + sum(map(cpu_seconds, _children(pid)))


def resident_mb(pid: int) -> float:
    """Its share of memory, with that of its descendants; what several of them share counts once."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024 + sum(map(resident_mb, _children(pid)))
    return 0.0


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
