"""Listening and serving."""

from __future__ import annotations

import asyncio
import errno
import faulthandler
import gc
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

import uvicorn

from sluicegate.app import Dispatcher, create_app
from sluicegate.cli.first import let_end
from sluicegate.cli.protocol import LeanProtocol, RequestBounds
from sluicegate.cli.trimming import Trimming
from sluicegate.cli.watch import LoopWatch
from sluicegate.container import Container
from sluicegate.premises import held_database
from sluicegate.settings import Settings
from sluicegate.supervisor import ANSWERED, BEAT, END, RETIRE, TELL, UP

_BACKLOG = 2048
# Long enough for most streams to end by themselves at a restart.
GRACE_SECONDS = 30
# Longer than proxies keep connections for further calls, mostly a minute: one that closes while a call is on its way
# loses that call.
IDLE_SECONDS = 75
_TICK_SECONDS = 0.1
# Objects that come and stay before the collector looks for cycles among them.
_COLLECT_AFTER = 10_000


@dataclass(frozen=True)
class Parent:
    """Who keeps this worker running. `stacks` is a descriptor that takes where it hangs, as text; one of an earlier
    release does not ask."""

    channel: socket.socket
    stacks: int | None


def listen(settings: Settings) -> tuple[socket.socket, str]:
    """A bound socket and the public address that goes with it; raises OSError naming what could not be had. With
    several workers it only keeps the address, and each listens on a socket of its own."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        of_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
        advice = "SLUICEGATE_PORT to another port" if of_port else "SLUICEGATE_HOST to an address of this machine"
        raise OSError(f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Set {advice}.") from error
    if settings.workers == 1:
        bound.listen(_BACKLOG)
    elif sys.platform == "linux":
        # Only now: an address that somebody else listens on would be shared with them.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return bound, settings.url_at(bound.getsockname()[1])


def supervise(bound: socket.socket, url: str, settings: Settings) -> NoReturn:
    """Becomes the parent of `settings.workers` processes, under the same process id; raises OSError."""
    python: Sequence[str] = (sys.executable, "-P", "-m")
    options = ("--host", settings.host, "--port", str(settings.port), "--workers", str(settings.workers), "--url", url)
    os.set_inheritable(bound.fileno(), True)
    facts = (str(bound.fileno()), str(settings.workers), str(settings.hang_seconds), url)
    parent = (*python, "sluicegate.supervisor", *facts)
    # Between two programs nobody answers them: they wait until the parent does.
    signal.pthread_sigmask(signal.SIG_BLOCK, ANSWERED)
    os.execv(sys.executable, [*parent, *python, "sluicegate", "worker", *options])  # noqa: S606 - needs no shell


def serve_on(bound: socket.socket, container: Container, parent: Parent | None = None) -> None:
    """Serves until the process is told to stop, then lets calls in flight end.

    Raises AlreadyServed; ends the process with status 3 when the start fails, and with that of a hung loop.
    """
    settings = container.settings
    bounds = RequestBounds(grace=settings.body_grace_seconds, bytes_per_second=settings.body_bytes_per_second)
    _allow_all_files()
    app = create_app(container)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        # Who asks for a WebSocket is answered by plain HTTP.
        ws="none",
        http=LeanProtocol.within(bounds, container.gateway.direct),
        lifespan="on",
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config, app, container, parent)
    # Whoever is told to stop while it starts stops once it has. The server repeats the signal when it has shut down: by
    # then all is done, and no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    with held_database(settings):
        try:
            server.run(sockets=[bound])
        finally:
            server.watch.stop()
            server.trimming.stop()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: Dispatcher, container: Container, parent: Parent | None) -> None:
        super().__init__(config)
        self._app = app
        self._container = container
        self._parent = parent
        self._patient = False
        self.trimming = Trimming()
        self.watch = LoopWatch(container.settings.hang_seconds, container.metrics.looked, self._beat)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # Modules, schema and compiled statements stay for ever, and calls leave no cycles behind: looking through all
        # of it again and again would find nothing.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)
        if self._parent is not None:
            channel = self._parent.channel
            channel.setblocking(False)
            asyncio.get_running_loop().add_reader(channel, self._hear_parent, channel)
            if self._parent.stacks is not None:
                os.set_blocking(self._parent.stacks, False)
                faulthandler.register(TELL, file=self._parent.stacks, all_threads=False)
                faulthandler.register(END, file=self._parent.stacks, chain=True)
            with suppress(OSError):
                channel.send(UP)
        else:
            let_end(END)
            faulthandler.register(END, chain=True)
        self.watch.start()
        self.trimming.start()

    def _beat(self) -> None:
        """Puts off the end that comes to a process in which no thread of Python runs any more."""
        limit = self._container.settings.hang_seconds
        if self._parent is not None:
            with suppress(OSError):
                self._parent.channel.send(BEAT)
        elif limit:
            # Brings END after so many seconds of the processor, of which a process that stands still takes none.
            signal.setitimer(signal.ITIMER_PROF, limit)

    def _hear_parent(self, parent: socket.socket) -> None:
        try:
            self._patient = parent.recv(1) == RETIRE
        except OSError:
            self._patient = False
        if not self._patient:
            # It is gone, or in a hurry.
            asyncio.get_running_loop().remove_reader(parent)
        self.should_exit = True

    async def main_loop(self) -> None:
        await super().main_loop()
        if self._patient:
            # The server stays, with another worker.
            return
        # A load balancer that has not noticed yet would send calls to a closed port, or down a connection that closes.
        self._container.leaving = True
        over = time.monotonic() + self._container.settings.drain_seconds
        while time.monotonic() < over and not self.force_exit:  # noqa: ASYNC110 - its signals wake nobody
            await asyncio.sleep(_TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Who watches would go on for ever, and calls in flight are what is waited for.
        self._app.live.close()
        for listening in self.servers:
            listening.close()
        # What was accepted just now is a connection only then.
        await asyncio.sleep(_TICK_SECONDS)
        if self._patient:
            await self._outlast()
        await super().shutdown(sockets)

    async def _outlast(self) -> None:
        """Until the last call has ended by itself: another worker has taken the place of this one."""
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self._patient and self.server_state.connections and not self.force_exit:  # noqa: ASYNC110 - as uvicorn waits
            await asyncio.sleep(_TICK_SECONDS)


def _allow_all_files() -> None:
    """Every stream takes two sockets, and a shell's usual limit is a thousand files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
