"""A server whose event loop hangs: real processes, into which a test puts what makes them hang."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from cli.first import as_first, tell_first
from cli.hangs import hang_on_signal, lines_of
from cli.program import PATIENCE, environment
from sluicegate.cli.watch import HUNG
from sluicegate.supervisor import END

pytestmark = pytest.mark.slow
_LIMIT = 4.0


class Server:
    """One process that hangs in the way of `hang` when it is told to."""

    def __init__(self, folder: Path, hang: str, limit: float, before: Sequence[str] = ()) -> None:
        self.log_file, out = folder / "log", folder / "out"
        values = environment({"DATA_DIR": str(folder / "data"), "HANG_SECONDS": str(limit)})
        with self.log_file.open("w") as log, out.open("w") as said:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-P", "-m", "sluicegate", "serve", "--port", "0"],
                env=values | hang_on_signal(folder, hang),
                stdout=said,
                stderr=log,
            )
        self._until(lambda: "http://" in out.read_text())
        self.url = out.read_text().split()[-1]
        self.until_it_answers()

    def _until(self, check: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not check():
            assert time.monotonic() < deadline, self.log_file.read_text()
            assert self.process.poll() is None, self.log_file.read_text()
            time.sleep(0.05)

    def tell(self, number: int) -> None:
        self.process.send_signal(number)

    def events(self) -> list[str]:
        return [line["event"] for line in lines_of(self.log_file, "loop.")]

    def until_it_answers(self) -> None:
        self._until(lambda: _answers(self.url))

    def until_it_says(self, event: str) -> None:
        self._until(lambda: event in self.events())


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=1).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def make(hang: str, limit: float = _LIMIT, before: Sequence[str] = ()) -> Server:
        servers.append(Server(tmp_path, hang, limit, before))
        return servers[-1]

    yield make
    for one in servers:
        one.process.kill()
        one.process.wait()


@pytest.mark.parametrize("hang", ["spin", "wait"])
def test_a_loop_that_hangs_is_shown_and_then_ends_the_process(server: Callable[..., Server], hang: str) -> None:
    one = server(hang)
    one.tell(signal.SIGUSR2)
    assert one.process.wait(PATIENCE) == HUNG
    stalled, hung = lines_of(one.log_file, "loop.")
    assert (stalled["event"], stalled["level"]) == ("loop.stalled", "warning")
    assert (hung["event"], hung["level"], hung["status"]) == ("loop.hung", "error", HUNG)
    assert _LIMIT / 2 <= stalled["seconds"] < _LIMIT <= hung["seconds"]
    for line in (stalled, hung):
        assert f"in {hang}\n" in line["stack"]
        assert line["stack"].index("in serve_on\n") < line["stack"].index(f"in {hang}\n")


def test_one_that_keeps_all_threads_from_running_is_ended_all_the_same(server: Callable[..., Server]) -> None:
    one = server("grip")
    one.tell(signal.SIGUSR2)
    assert one.process.wait(PATIENCE) == -END
    assert " in grip\n" in one.log_file.read_text()
    assert one.events() == []


def test_so_is_the_first_process_of_a_container(server: Callable[..., Server]) -> None:
    """The kernel keeps from it what would end it by default."""
    one = server("grip", before=as_first())
    tell_first(one.process, signal.SIGUSR2)
    assert one.process.wait(PATIENCE) == END
    assert " in grip\n" in one.log_file.read_text()


def test_a_loop_that_turns_again_says_so(server: Callable[..., Server]) -> None:
    one = server("doze", limit=0)
    one.tell(signal.SIGUSR2)
    one.until_it_says("loop.turns_again")
    assert one.events() == ["loop.stalled", "loop.turns_again"]
    one.until_it_answers()
    one.tell(signal.SIGTERM)
    assert one.process.wait(PATIENCE) == 0


def test_one_who_steps_through_it_is_not_disturbed(server: Callable[..., Server]) -> None:
    one = server("step")
    one.tell(signal.SIGUSR2)
    one.until_it_says("loop.stalled")
    time.sleep(2 * _LIMIT)
    assert one.process.poll() is None
    assert one.events() == ["loop.stalled"]


def test_a_process_that_was_stopped_does_not_take_that_for_a_hang(server: Callable[..., Server]) -> None:
    one = server("wait")
    one.tell(signal.SIGSTOP)
    time.sleep(2 * _LIMIT)
    one.tell(signal.SIGCONT)
    time.sleep(_LIMIT)
    assert one.process.poll() is None
    assert one.events() == []
    one.until_it_answers()
    one.tell(signal.SIGTERM)
    assert one.process.wait(PATIENCE) == 0


def test_a_process_that_hardly_ever_runs_does_not_hang(server: Callable[..., Server]) -> None:
    one = server("wait")
    over = time.monotonic() + 3 * _LIMIT
    while time.monotonic() < over:
        one.tell(signal.SIGSTOP)
        time.sleep(0.9)
        one.tell(signal.SIGCONT)
        time.sleep(0.1)
    assert one.process.poll() is None
    assert "loop.hung" not in one.events()
    one.until_it_answers()
