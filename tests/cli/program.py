"""The command as an operator runs it: a process of its own, with an environment of its own.

Loading the program takes longer than most of what it does, so processes are forked from one that has loaded it.
`test_program.py` starts the installed command itself.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

# Starting takes a moment alone, and far longer where many tests run.
PATIENCE = 90
EMAIL, PASSWORD = "ada@example.com", "correct horse battery"

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["__main__", "cli.program", "sluicegate.cli", "sluicegate.cli.commands"])


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    errors: str


@dataclass
class Server:
    """A server that runs. `log` is its standard error, one JSON object a line."""

    process: BaseProcess
    url: str
    log_file: Path

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]

    def workers(self) -> set[int]:
        """The processes of its workers, where it has several."""
        pid = self.process.pid
        try:
            return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
        except OSError:
            return set()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The status that it ends with."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)
        return _status(self.process)


def environment(values: dict[str, str]) -> dict[str, str]:
    """What a developer has set for a server of their own is not handed on."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLUICEGATE_")}
    return inherited | {f"SLUICEGATE_{name}": value for name, value in values.items()}


def run(*arguments: str, typed: str = "", **values: str) -> Done:
    """A command that ends by itself; `values` are settings without their prefix."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").write_text(typed)
        process = _start(arguments, values, folder / "in", folder / "out", folder / "err")
        status = _status(process)
        return Done(status, (folder / "out").read_text(), (folder / "err").read_text())


@contextmanager
def serving(folder: Path, command: str = "serve", *, skew: float = 0.0, **values: str) -> Iterator[Server]:
    """`sluicegate serve` or `demo` on a port of its choice, once it answers; its clock is `skew` seconds ahead."""
    out, log = folder.with_suffix(".out"), folder.with_suffix(".log")
    arguments = (command, "--port", "0")
    process = _start(arguments, {"DATA_DIR": str(folder)} | values, Path(os.devnull), out, log, skew=skew)
    try:
        yield Server(process, _url_when_healthy(process, out, log), log)
    finally:
        process.kill()
        process.join()


def sign_in(url: str, email: str = EMAIL, password: str = PASSWORD) -> httpx.Response:
    return httpx.post(f"{url}/auth/sign-in", json={"email": email, "password": password})


def graphql(url: str, token: str, query: str) -> Any:
    headers = {"authorization": f"Bearer {token}"}
    # The first query of a server loads what answers it.
    answer = httpx.post(f"{url}/graphql", json={"query": query}, headers=headers, timeout=30)
    return answer.json()


def _start(arguments: Sequence[str], values: dict[str, str], *files: Path, skew: float = 0.0) -> BaseProcess:
    process = _FORKS.Process(
        target=_run_main, args=(list(arguments), environment(values), skew, *map(str, files)), daemon=True
    )
    process.start()
    return process


def _run_main(arguments: list[str], variables: dict[str, str], skew: float, *files: str) -> None:
    os.environ.clear()
    os.environ.update(variables)
    for number, name in enumerate(files):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(name, flags), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - multiprocessing has closed the inherited one
    sys.argv = ["sluicegate", *arguments]
    from sluicegate.cli import main
    from sluicegate.kit.clock import SystemClock

    if skew:
        # Nothing else reads the time of day.
        setattr(SystemClock, "time", staticmethod(lambda: time.time() + skew))  # noqa: B010
        setattr(SystemClock, "now", lambda _: datetime.now(UTC) + timedelta(seconds=skew))  # noqa: B010

    main()


def _status(process: BaseProcess) -> int:
    process.join(PATIENCE)
    if process.exitcode is None:
        process.kill()
        raise AssertionError("the command did not end")
    return process.exitcode


def _url_when_healthy(process: BaseProcess, out: Path, log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.exitcode is None:
        words = out.read_text().split() if out.exists() else []
        url = next((word for word in words if word.startswith("http://")), None)
        try:
            if url is not None and httpx.get(f"{url}/healthz").is_success:
                return url
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    raise AssertionError(f"status {process.exitcode}: {out.read_text()}{log.read_text()}")
