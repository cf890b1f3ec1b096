"""What is measured: servers that take a chat completion and reach the benchmark's provider."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from load import Endpoint

HERE = Path(__file__).parent
PATH = "/v1/chat/completions"

# One core for the server that is measured, the other for all that surrounds it.
TARGET_CORE = {0}
LOAD_CORE = {max(os.sched_getaffinity(0))}


class Target(Protocol):
    name: str

    def start(self, upstream_port: int) -> Endpoint:
        """Start on `TARGET_CORE` and wait until it answers."""
        ...

    def pid(self) -> int | None:
        """The process whose time and memory count, with its children; None when there is nothing to count."""
        ...

    def stop(self) -> None: ...


class Direct:
    """No gateway at all: what the load and the provider take by themselves."""

    name = "direct"

    def start(self, upstream_port: int) -> Endpoint:
        return Endpoint(upstream_port, PATH)

    def pid(self) -> int | None:
        return None

    def stop(self) -> None:
        return


class Passthrough:
    name = "passthrough"

    def start(self, upstream_port: int) -> Endpoint:
        port = free_port()
        self._process = spawn(
            [sys.executable, str(HERE / "passthrough.py"), f"--port={port}", f"--upstream-port={upstream_port}"]
        )
        wait_for_port(port, self._process)
        return Endpoint(port, PATH)

    def pid(self) -> int | None:
        return self._process.pid

    def stop(self) -> None:
        end(self._process)


def start_upstream(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """The provider, compiled when there is a compiler, on `LOAD_CORE`."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        command = [sys.executable, str(HERE / "upstream.py")]
    else:
        program = folder / "upstream"
        subprocess.run([compiler, "-O2", "-o", program, HERE / "upstream.c"], check=True)
        command = [str(program)]
    process = spawn(command, core=LOAD_CORE, read=True)
    if process.stdout is None:
        raise RuntimeError("the provider's output was not caught")
    return process, int(process.stdout.readline())


def spawn(
    command: list[str], *, core: set[int] = TARGET_CORE, read: bool = False, environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE if read else None,
        env={**os.environ, **(environment or {})},
        text=True,
    )
    os.sched_setaffinity(process.pid, core)
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(10)
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
