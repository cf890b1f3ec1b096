"""The parent of several workers, with workers that do as a test tells them: real processes, little in them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_WITHIN = 30
# Writes down that it is there, says so, and ends when its parent lets it; `mood` tells how it fails instead.
_WORKER = """
import faulthandler, os, signal, socket, sys, time
folder = sys.argv[1]
options = dict(zip(sys.argv[2::2], sys.argv[3::2]))
mood = open(folder + "/mood").read()
signal.signal(signal.SIGINT, lambda *_: os._exit(7))
listener = socket.socket(fileno=int(options["--listener"]))
channel = socket.socket(fileno=int(options["--channel"]))
with open(folder + "/log", "a") as log:
    log.write(f"start {os.getpid()} {time.monotonic()}\\n")
if mood == "fail":
    sys.exit(5)
faulthandler.register(signal.SIGUSR1, file=int(options["--stacks"]), all_threads=False)
faulthandler.register(signal.SIGPROF, file=int(options["--stacks"]))
listener.listen()
channel.send(b"u")
if mood == "brief":
    sys.exit(6)
channel.settimeout(0.2 if mood in ("well", "stubborn") else None)
told = None
while told is None and mood != "mute":
    try:
        told = channel.recv(1)
    except TimeoutError:
        channel.send(b"b")
told = told or b""
with open(folder + "/log", "a") as log:
    log.write(f"told {os.getpid()} {told.decode() or 'end'}\\n")
if mood in ("stubborn", "mute"):
    time.sleep(60)
"""


class Family:
    def __init__(self, folder: Path, mood: str, count: int = 2, limit: float = 0) -> None:
        self.folder = folder
        self.mood = mood
        (folder / "log").touch()
        self.address = socket.socket()
        self.address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.address.bind(("127.0.0.1", 0))
        number = self.address.fileno()
        command = [
            sys.executable,
            "-P",
            "-m",
            "sluicegate.supervisor",
            str(number),
            str(count),
            str(limit),
            "http://here",
        ]
        with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
            self.process = subprocess.Popen(
                [*command, sys.executable, "-c", _WORKER, str(folder)], pass_fds=[number], stdout=out, stderr=err
            )

    @property
    def mood(self) -> str:
        return (self.folder / "mood").read_text()

    @mood.setter
    def mood(self, value: str) -> None:
        (self.folder / "mood").write_text(value)

    def lines(self, kind: str) -> list[list[str]]:
        return [line.split()[1:] for line in (self.folder / "log").read_text().splitlines() if line.startswith(kind)]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "err").read_text().splitlines() if line.startswith("{")]

    def says(self) -> str:
        return (self.folder / "out").read_text()

    def tell(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        return self.process.wait(_WITHIN)


def until(check: Callable[[], Any]) -> None:
    deadline = time.monotonic() + _WITHIN
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Callable[..., Family]]:
    families: list[Family] = []

    def make(mood: str, limit: float = 0) -> Family:
        families.append(Family(tmp_path, mood, limit=limit))
        return families[-1]

    yield make
    for one in families:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        one.address.close()


def test_it_says_that_it_is_up_when_all_are_and_ends_with_them(family: Callable[..., Family]) -> None:
    one = family("well")
    until(one.says)
    assert one.says() == "Sluicegate listens on http://here with 2 workers\n"
    assert len(one.lines("start")) == 2
    one.tell(signal.SIGTERM)
    assert one.ended() == 0
    assert [said for _, said in one.lines("told")] == ["end", "end"]
    assert one.events() == []


def test_a_start_that_fails_is_the_end_with_its_status(family: Callable[..., Family]) -> None:
    one = family("fail")
    assert one.ended() == 5
    assert one.says() == ""
    assert "A worker ended with status 5 while it started." in (one.folder / "err").read_text()


def test_workers_that_die_again_and_again_are_started_ever_more_seldom(family: Callable[..., Family]) -> None:
    one = family("well")
    until(one.says)
    one.mood = "brief"
    for pid, _ in one.lines("start"):
        subprocess.run(["kill", "-9", pid], check=True)
    until(lambda: len(one.events()) >= 8)
    pauses: dict[int, list[float]] = {1: [], 2: []}
    for event in one.events():
        if event["event"] == "worker.died":
            pauses[event["worker"]].append(event["retry_in"])
    for slot in pauses.values():
        assert slot == [0.0, 1.0, 2.0, 4.0, 8.0][: len(slot)]
    # One that is well again stays.
    one.mood = "well"
    until(lambda: _serve_both(one))
    one.tell(signal.SIGINT)
    assert one.ended() == 0


def _serve_both(one: Family) -> bool:
    children = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children").read_text().split()
    return len(children) == 2


def test_workers_are_replaced_one_after_the_other(family: Callable[..., Family]) -> None:
    one = family("well")
    until(one.says)
    old = [pid for pid, _ in one.lines("start")]
    one.tell(signal.SIGHUP)
    until(lambda: len(one.lines("told")) == 2)
    kinds = [line.split()[0] for line in (one.folder / "log").read_text().splitlines()]
    assert kinds == ["start", "start", "start", "told", "start", "told"]
    told = one.lines("told")
    assert {pid for pid, _ in told} == set(old)
    assert [said for _, said in told] == ["r", "r"]
    one.tell(signal.SIGTERM)
    assert one.ended() == 0


def test_a_worker_that_cannot_be_replaced_stays(family: Callable[..., Family]) -> None:
    one = family("well")
    until(one.says)
    one.mood = "fail"
    one.tell(signal.SIGHUP)
    until(one.events)
    (event,) = one.events()
    assert (event["event"], event["level"], event["status"]) == ("workers.not_restarted", "error", 5)
    assert one.lines("told") == []
    one.mood = "well"
    one.tell(signal.SIGHUP)
    until(lambda: len(one.lines("told")) == 2)
    one.tell(signal.SIGTERM)
    assert one.ended() == 0


def test_whoever_insists_by_keyboard_does_not_wait(family: Callable[..., Family]) -> None:
    one = family("stubborn")
    until(one.says)
    one.tell(signal.SIGINT)
    until(lambda: len(one.lines("told")) == 2)
    one.tell(signal.SIGTERM)
    time.sleep(0.3)
    assert one.process.poll() is None
    one.tell(signal.SIGINT)
    assert one.ended() == 0


@pytest.mark.slow
def test_one_that_says_nothing_is_replaced_once_it_has_told_where_it_is(family: Callable[..., Family]) -> None:
    one = family("mute", limit=1)
    until(one.says)
    one.mood = "well"
    until(lambda: _serve_both(one) and len(one.lines("start")) == 4)
    events = one.events()
    for pid, _ in one.lines("start")[:2]:
        silent, hung, died = (event for event in events if str(event["pid"]) == pid)
        assert [event["event"] for event in (silent, hung, died)] == ["worker.silent", "worker.hung", "worker.died"]
        assert 'File "<string>", line ' in hung["stack"]
        assert 1 <= silent["seconds"] < hung["seconds"]
        # Even if it does not end by itself.
        assert (died["status"], 'File "<string>", line ' in died["stacks"]) == (-signal.SIGKILL, True)
    # Those that speak stay, for longer than they may be silent.
    time.sleep(3)
    assert (len(one.lines("start")), len([event for event in one.events() if event["level"] != "info"])) == (4, 6)
    one.tell(signal.SIGTERM)
    assert one.ended() == 0


def test_one_that_says_nothing_does_not_hold_up_the_end(family: Callable[..., Family]) -> None:
    one = family("stubborn", limit=1)
    until(one.says)
    one.tell(signal.SIGTERM)
    assert one.ended() == 0
    assert sorted(event["event"] for event in one.events() if event["event"] == "worker.hung") == ["worker.hung"] * 2


@pytest.mark.slow
def test_one_that_is_stopped_is_waited_for(family: Callable[..., Family]) -> None:
    one = family("well", limit=2)
    until(one.says)
    stopped = int(one.lines("start")[0][0])
    os.kill(stopped, signal.SIGSTOP)
    until(one.events)
    time.sleep(6)
    os.kill(stopped, signal.SIGCONT)
    # Then all of them.
    pids = [one.process.pid, *(int(pid) for pid, _ in one.lines("start"))]
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in pids:
            os.kill(pid, number)
        time.sleep(6)
    assert [(event["event"], event["pid"]) for event in one.events()] == [("worker.silent", stopped)]
    assert len(one.lines("start")) == 2
    one.tell(signal.SIGTERM)
    assert one.ended() == 0
