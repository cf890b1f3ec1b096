"""The parent of several workers: `python -m sluicegate.supervisor LISTENER COUNT URL COMMAND …`.

LISTENER is the descriptor of a socket that is bound and does not listen; COMMAND serves on one that it is given.
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

# On the channel between the two: a worker takes calls; it is to end once its last call has, however long that takes.
UP, RETIRE = b"u", b"r"
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
        with theirs:
            given = (listener.fileno(), theirs.fileno())
            self.process = subprocess.Popen(  # noqa: S603 - this program once more
                [*command, "--listener", str(given[0]), "--channel", str(given[1])],
                stdin=subprocess.DEVNULL,
                pass_fds=given,
                # What is typed at a terminal reaches workers by their parent alone, and so once.
                process_group=0,
            )
        self.up = False
        self.since = time.monotonic()

    def retire(self) -> None:
        with suppress(OSError):
            self.channel.send(RETIRE)

    def end(self) -> None:
        self.channel.close()
        if not self.up:
            self.process.terminate()


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
    url: str
    command: Sequence[str]
    _slots: list[Slot] = field(default_factory=list[Slot])
    _signals: deque[int] = field(default_factory=deque[int])
    _rolling: deque[Slot] = field(default_factory=deque[Slot])
    _events: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _serving: bool = False
    _ending: bool = False
    _status: int = 0

    def run(self) -> int:
        """The status to end with."""
        woken = self._catch_signals()
        self._slots = [Slot(number, self._listener()) for number in range(1, self.count + 1)]
        while True:
            self._obey()
            self._listen_to_workers()
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
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _: self._signals.append(number))
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
            self._forget(worker)
            worker.end()

    def _listen_to_workers(self) -> None:
        for worker in self._workers():
            if not worker.up and not self._ending:
                with suppress(OSError):
                    said = worker.channel.recv(1)
                    worker.up = said == UP
                    # A closed channel would be readable for ever; how the worker ended is told by its status.
                    self._forget(worker)
                    if worker.up and self._serving:
                        _log("info", "worker.up", pid=worker.process.pid)
        if not self._serving and all(slot.worker is not None and slot.worker.up for slot in self._slots):
            self._serving = True
            print(f"Sluicegate listens on {self.url} with {self.count} workers", flush=True)

    def _bury(self) -> None:
        for slot in self._slots:
            for worker in tuple(slot.workers()):
                status = worker.process.poll()
                if status is not None:
                    self._forget(worker)
                    worker.channel.close()
                    self._ended(slot, worker, status)

    def _ended(self, slot: Slot, worker: Worker, status: int) -> None:
        facts = {"worker": slot.number, "pid": worker.process.pid, "status": status}
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
        """Seconds until a worker is due; None when none waits."""
        waits = [slot.due for slot in self._slots if slot.worker is None]
        return max(0.0, min(waits) - time.monotonic()) if waits and not self._ending else None


def _log(level: str, event: str, **facts: Any) -> None:
    """A line as the workers write them."""
    if _LEVELS.index(level) < _LEVELS.index(_LEAST):
        return
    at = SystemClock().now().isoformat().replace("+00:00", "Z")
    with suppress(OSError):
        print(json.dumps({**facts, "event": event, "level": level, "timestamp": at}), file=sys.stderr, flush=True)


def main() -> None:
    listener, count, url, *command = sys.argv[1:]
    sys.exit(Supervisor(socket.socket(fileno=int(listener)), int(count), url, command).run())


if __name__ == "__main__":
    main()
