"""Listening and serving."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
import time
from contextlib import suppress

import uvicorn

from sluicegate.app import Dispatcher, create_app
from sluicegate.cli.protocol import LeanProtocol, RequestBounds
from sluicegate.container import Container, held_database
from sluicegate.settings import Settings

_BACKLOG = 2048
# Long enough for most streams to end by themselves at a restart.
GRACE_SECONDS = 30
# Longer than proxies keep connections for further calls, mostly a minute: one that closes while a call is on its way
# loses that call.
_IDLE_SECONDS = 75
_TICK_SECONDS = 0.1
# Objects that come and stay before the collector looks for cycles among them.
_COLLECT_AFTER = 10_000


def listen(settings: Settings) -> tuple[socket.socket, str]:
    """A bound socket and the public address that goes with it; raises OSError naming what could not be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise OSError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Set SLUICEGATE_PORT to another port."
        ) from error
    bound.listen(_BACKLOG)
    return bound, settings.url_at(bound.getsockname()[1])


def serve_on(bound: socket.socket, container: Container) -> None:
    """Serves until the process is told to stop, then lets calls in flight end.

    Raises AlreadyServed; ends the process with status 3 when the start fails.
    """
    settings = container.settings
    bounds = RequestBounds(grace=settings.body_grace_seconds, bytes_per_second=settings.body_bytes_per_second)
    _allow_all_files()
    app = create_app(container)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=LeanProtocol.within(bounds, container.gateway.direct),
        lifespan="on",
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    # The server repeats the signal once it has shut down: by then all is done, and no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    with held_database(settings):
        _Server(config, app, container).run(sockets=[bound])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: Dispatcher, container: Container) -> None:
        super().__init__(config)
        self._app = app
        self._container = container

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # Modules, schema and compiled statements stay for ever, and calls leave no cycles behind: looking through all
        # of it again and again would find nothing.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)

    async def main_loop(self) -> None:
        await super().main_loop()
        # A load balancer that has not noticed yet would send calls to a closed port, or down a connection that closes.
        self._container.leaving = True
        over = time.monotonic() + self._container.settings.drain_seconds
        while time.monotonic() < over and not self.force_exit:  # noqa: ASYNC110 - its signals wake nobody
            await asyncio.sleep(_TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Who watches would go on for ever, and calls in flight are what is waited for.
        self._app.live.close()
        await super().shutdown(sockets)


def _allow_all_files() -> None:
    """Every stream takes two sockets, and a shell's usual limit is a thousand files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
