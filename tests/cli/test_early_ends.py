"""Servers that are told to stop before they serve: whoever runs them waits for their end, and kills them in the end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from cli.first import as_first, tell_first
from cli.program import PATIENCE, environment

pytestmark = pytest.mark.slow
_SERVE = ["serve", "--port", "0"]
# Tells a process to stop at the very moment when it calls something.
_TOLD = """
import os, signal, sys
import sluicegate.cli.server as server

def told(call):
    def calling(*given):
        os.kill(os.getpid(), signal.SIGTERM)
        return call(*given)
    return calling

{owner}.{name} = told({owner}.{name})
from sluicegate.cli import main
main()
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []

    def start(*command: str, **values: str) -> subprocess.Popen[bytes]:
        told = environment({"DATA_DIR": str(tmp_path / "data")} | values)
        processes.append(subprocess.Popen([*command, *_SERVE], env=told))
        return processes[-1]

    yield start
    for one in processes:
        one.kill()
        one.wait()


def test_the_first_process_of_a_container_can_be_stopped_while_it_starts(
    started: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    one = started(*as_first(), sys.executable, "-P", "-m", "sluicegate")
    deadline = time.monotonic() + PATIENCE
    # Its database is made in it next.
    while not (tmp_path / "data").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    tell_first(one, signal.SIGTERM)
    assert one.wait(PATIENCE) == 128 + signal.SIGTERM


def test_a_server_that_is_told_to_stop_just_before_it_listens_stops(
    started: Callable[..., subprocess.Popen[bytes]],
) -> None:
    one = started(sys.executable, "-c", _TOLD.format(owner="server", name="held_database"))
    assert one.wait(PATIENCE) == 0


def test_so_does_one_that_becomes_the_parent_of_workers(
    started: Callable[..., subprocess.Popen[bytes]], fresh_postgres_url: str, redis_url: str
) -> None:
    shared = {"DATABASE_URL": fresh_postgres_url, "REDIS_URL": redis_url, "REDIS_PREFIX": f"test-{uuid4().hex}"}
    one = started(sys.executable, "-c", _TOLD.format(owner="os", name="execv"), WORKERS="2", **shared)
    assert one.wait(PATIENCE) == 0
