"""The parent of several workers: `python -m sluicegate.supervisor LISTENER COUNT SECONDS URL COMMAND …`.

LISTENER is the descriptor of a socket that is bound and does not listen; COMMAND serves on one that it is given. A
worker that says nothing for SECONDS hangs; with 0 none does.
Nothing of the product is loaded here: what runs beside the workers for months takes hardly more memory than an empty
interpreter.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sluicegate.kit.clock import SystemClock

# On the channel between the two: a worker takes calls; it looks after itself, once a second; it is to end once its last
# call has, however long that takes.
UP, BEAT, RETIRE = b"u", b"b", b"r"
# On which a worker writes down where its loop is, as long as it runs at all, and on which where each thread is, to end.
TELL, END = signal.SIGUSR1, signal.SIGPROF
# What the parent is told by.
ANSWERED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOOK_SECONDS = 1.0
_DYING_SECONDS = 3.0
# A worker that lived for so long did not die of its start.
_STEADY_SECONDS = 60.0
_LONGEST_PAUSE = 30.0
_LEVELS = ("debug", "info", "warning", "error")
_LEAST = os.environ.get("SLUICEGATE_LOG_LEVEL", "info").lower()


class Worker:
    """One process, that ends when its channel does: none outlives its parent."""

    def __init__(self, command: Sequence[str], listener: socket.socket) -> None:
        """Raises OSError."""
        self.channel, theirs = socket.socketpair()
        self.channel.setblocking(False)
        self._stacks, their_stacks = os.pipe()
        os.set_blocking(self._stacks, False)
        given = {"--listener": listener.fileno(), "--channel": theirs.fileno(), "--stacks": their_stacks}
        try:
            self.process = subprocess.Popen(  # noqa: S603 - this program once more
                [*command, *(word for name, number in given.items() for word in (name, str(number)))],
                stdin=subprocess.DEVNULL,
                pass_fds=tuple(given.values()),
                # What is typed at a terminal reaches workers by their parent alone, and so once.
                process_group=0,
            )
        except OSError:
            self.close()
            raise
        finally:
            theirs.close()
            os.close(their_stacks)
        self.up = False
        self.since = time.monotonic()
        # For how many seconds it has said nothing, whether it was asked where it is, what it told, and whether it was
        # ended for it; and how many they were at the last of it.
        self.silent, self.asked, self.stack, self.ended = 0.0, False, "", False
        self.told_after = 0.0

    def hear(self) -> bytes | None:
        """What it said; nothing once its end of the channel is closed, None while it is silent."""
        try:
            said = self.channel.recv(4096)
        except OSError:
            return None
        if said:
            self.silent, self.asked, self.stack = 0.0, False, ""
        return said

    def ask(self) -> None:
        """Where it is."""
        self.told()
        self.asked = True
        self.process.send_signal(TELL)

    def told(self) -> str:
        try:
            return os.read(self._stacks, 65_536).decode(errors="replace")
        except OSError:
            return ""

    def retire(self) -> None:
        with suppress(OSError):
            self.channel.send(RETIRE)

    def end(self) -> None:
        """It may still be heard."""
        with suppress(OSError):
            self.channel.shutdown(socket.SHUT_WR)
        if not self.up:
            self.process.terminate()

    def close(self) -> None:
        self.channel.close()
        os.close(self._stacks)


@dataclass
class Slot:
    """The place of one worker, and the socket that whoever takes this place listens on. `heir` is being started to
    replace `worker`; `leaving` has been replaced and ends its calls."""

    number: int
    listener: socket.socket
    worker: Worker | None = None
    heir: Worker | None = None
    leaving: Worker | None = None
    failures: int = 0
    due: float = 0.0

    def workers(self) -> Iterator[Worker]:
        for worker in (self.worker, self.heir, self.leaving):
            if worker is not None:
                yield worker


@dataclass
class Supervisor:
    """Keeps `count` workers running until it is told to end. `address` is bound as long as it lives, so that no other
    server takes the port."""

    address: socket.socket
    count: int
    limit: float
    url: str
    command: Sequence[str]
    _slots: list[Slot] = field(default_factory=list[Slot])
    _signals: deque[int] = field(default_factory=deque[int])
    _rolling: deque[Slot] = field(default_factory=deque[Slot])
    _events: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _serving: bool = False
    _ending: bool = False
    _looked: float = field(default_factory=time.monotonic)
    _status: int = 0

    def run(self) -> int:
        """The status to end with."""
        woken = self._catch_signals()
        self._slots = [Slot(number, self._listener()) for number in range(1, self.count + 1)]
        while True:
            self._obey()
            self._listen_to_workers()
            self._look()
            self._bury()
            self._fill()
            self._roll_on()
            if self._ending and not any(self._workers()):
                return self._status
            self._events.select(self._until_next())
            with suppress(BlockingIOError):
                woken.recv(4096)

    def _catch_signals(self) -> socket.socket:
        """A socket that is readable when one has come."""
        woken, wakes = socket.socketpair()
        for end in (woken, wakes):
            end.setblocking(False)
        self._wakes = wakes
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        for number in ANSWERED:
            signal.signal(number, lambda number, _: self._signals.append(number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ANSWERED)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._events.register(woken, selectors.EVENT_READ)
        return woken

    def _listener(self) -> socket.socket:
        """One more socket at the address. On Linux the kernel gives each of them an equal share of the connections."""
        if sys.platform != "linux":
            return self.address.dup()
        own = socket.socket(self.address.family, socket.SOCK_STREAM)
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            own.setsockopt(socket.SOL_SOCKET, option, 1)
        own.bind(self.address.getsockname())
        return own

    def _workers(self) -> Iterator[Worker]:
        for slot in self._slots:
            yield from slot.workers()

    def _obey(self) -> None:
        while self._signals:
            number = self._signals.popleft()
            if number == signal.SIGHUP:
                self._rolling = deque(self._slots)
            elif not self._ending:
                self._end()
            elif number == signal.SIGINT:
                # Whoever insists does not wait for calls to end.
                for worker in self._workers():
                    worker.process.send_signal(number)

    def _end(self) -> None:
        self._ending = True
        for worker in self._workers():
            worker.end()

    def _listen_to_workers(self) -> None:
        for worker in self._workers():
            said = worker.hear()
            if said == b"":
                # A closed channel would be readable for ever; how the worker ended is told by its status.
                self._forget(worker)
            elif said and UP in said and not worker.up:
                worker.up = True
                if self._serving:
                    _log("info", "worker.up", pid=worker.process.pid)
        if (
            not self._serving
            and not self._ending
            and all(slot.worker is not None and slot.worker.up for slot in self._slots)
        ):
            self._serving = True
            print(f"Sluicegate listens on {self.url} with {self.count} workers", flush=True)

    def _look(self) -> None:
        """Kills workers that cannot look after themselves any more. Before, each has to tell where it is, which one
        that was stopped, or is frozen or starved, cannot; and then it may still go on."""
        now = time.monotonic()
        # While this process stood still itself, perhaps nobody could say anything.
        passed, self._looked = min(now - self._looked, _LOOK_SECONDS), now
        for slot in self._slots if self.limit else ():
            for worker in slot.workers():
                if worker.up:
                    worker.silent += passed
                    self._question(slot, worker)

    def _question(self, slot: Slot, worker: Worker) -> None:
        facts = {"worker": slot.number, "pid": worker.process.pid, "seconds": round(worker.silent, 1)}
        if worker.ended:
            if worker.silent >= worker.told_after + _DYING_SECONDS:
                worker.process.kill()
        elif worker.stack:
            if worker.silent >= worker.told_after + self.limit / 2:
                _log("error", "worker.hung", **facts, stack=worker.stack)
                worker.ended, worker.told_after = True, worker.silent
                worker.process.send_signal(END)
        elif worker.asked:
            worker.stack, worker.told_after = worker.told(), worker.silent
        elif worker.silent >= self.limit:
            _log("warning", "worker.silent", **facts)
            worker.ask()

    def _bury(self) -> None:
        for slot in self._slots:
            for worker in tuple(slot.workers()):
                status = worker.process.poll()
                if status is not None:
                    self._forget(worker)
                    self._ended(slot, worker, status)
                    worker.close()

    def _ended(self, slot: Slot, worker: Worker, status: int) -> None:
        facts: dict[str, Any] = {"worker": slot.number, "pid": worker.process.pid, "status": status}
        if worker.ended:
            facts["stacks"] = worker.told()
        if worker is slot.leaving:
            slot.leaving = None
            if status:
                _log("warning", "worker.died", **facts)
            return
        if worker is slot.heir:
            slot.heir = None
            self._rolling.clear()
            if not self._ending:
                _log("error", "workers.not_restarted", **facts, advice="see why above; the old ones serve on")
            return
        slot.worker, slot.heir = slot.heir, None
        if self._ending:
            return
        if slot.worker is not None:
            _log("warning", "worker.died", **facts)
            return
        if not self._serving:
            print(f"A worker ended with status {status} while it started. Its reason stands above.", file=sys.stderr)
            self._status = max(status, 1)
            self._end()
            return
        pause = self._try_again(slot, lived=time.monotonic() - worker.since)
        _log("warning", "worker.died", **facts, retry_in=pause)

    def _try_again(self, slot: Slot, lived: float) -> float:
        """In how many seconds."""
        slot.failures = 0 if lived > _STEADY_SECONDS else slot.failures + 1
        pause = min(2.0 ** (slot.failures - 2), _LONGEST_PAUSE) if slot.failures > 1 else 0.0
        slot.due = time.monotonic() + pause
        # Callers shall not be sent to a socket that nobody takes them from.
        slot.listener.close()
        slot.listener = self._listener()
        return pause

    def _fill(self) -> None:
        for slot in self._slots:
            if slot.worker is None and not self._ending and slot.due <= time.monotonic():
                try:
                    slot.worker = self._started(slot)
                except OSError as error:
                    pause = self._try_again(slot, lived=0)
                    _log("error", "worker.not_started", worker=slot.number, error=error.strerror, retry_in=pause)

    def _started(self, slot: Slot) -> Worker:
        worker = Worker(self.command, slot.listener)
        self._events.register(worker.channel, selectors.EVENT_READ)
        return worker

    def _forget(self, worker: Worker) -> None:
        with suppress(KeyError, ValueError):
            self._events.unregister(worker.channel)

    def _roll_on(self) -> None:
        """One worker at a time: a new one takes calls from the same socket before the old one leaves it."""
        if self._ending or not self._serving:
            return
        for slot in self._slots:
            if slot.heir is not None and slot.heir.up and slot.worker is not None:
                slot.leaving, slot.worker, slot.heir = slot.worker, slot.heir, None
                slot.leaving.retire()
            if slot.heir is not None or slot.leaving is not None:
                return
        while self._rolling:
            slot = self._rolling.popleft()
            # One that is just being started anew needs no other.
            if slot.worker is not None and slot.worker.up:
                try:
                    slot.heir = self._started(slot)
                except OSError as error:
                    self._rolling.clear()
                    _log("error", "workers.not_restarted", worker=slot.number, error=error.strerror)
                return

    def _until_next(self) -> float | None:
        """Seconds until a worker is due or looked at; None when none waits."""
        waits = [slot.due for slot in self._slots if slot.worker is None and not self._ending]
        if self.limit:
            waits.append(self._looked + _LOOK_SECONDS)
        return max(0.0, min(waits) - time.monotonic()) if waits else None


def _log(level: str, event: str, **facts: Any) -> None:
    """A line as the workers write them."""
    if _LEVELS.index(level) < _LEVELS.index(_LEAST):
        return
    at = SystemClock().now().isoformat().replace("+00:00", "Z")
    with suppress(OSError):
        print(json.dumps({**facts, "event": event, "level": level, "timestamp": at}), file=sys.stderr, flush=True)


def main() -> None:
    listener, count, limit, url, *command = sys.argv[1:]
    sys.exit(Supervisor(socket.socket(fileno=int(listener)), int(count), float(limit), url, command).run())


if __name__ == "__main__":
    main()
