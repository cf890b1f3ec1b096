"""Serving, all of what a server loads of the program. What typer loads to read a command line would take an eighth of a
server's memory, so these two commands are read by argparse."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from collections.abc import Sequence
from socket import socket

from sluicegate.cli.running import apart, loaded, with_parts
from sluicegate.cli.server import Parent, listen, serve_on, supervise
from sluicegate.container import Container
from sluicegate.kit.errors import Conflict
from sluicegate.premises import check_database, prepare_database
from sluicegate.settings import Settings

ABOUT = "Serves console, GraphQL and gateway. An empty database gets its schema; an older one is refused."
# What overrides which setting.
OPTIONS = {
    "host": "Address to listen on, instead of SLUICEGATE_HOST.",
    "port": "Port to listen on, instead of SLUICEGATE_PORT; 0 takes any.",
    "workers": "Processes that serve, instead of SLUICEGATE_WORKERS.",
}


def serve(words: Sequence[str]) -> None:
    """With these words of the command line behind its name."""
    settings = loaded(**vars(_parser("serve", ABOUT).parse_args(words)))
    apart(lambda: _prepare(settings))
    bound, url = listen(settings)
    if settings.workers == 1:
        print(f"Sluicegate listens on {url}", flush=True)
    serve_forever(bound, url, settings)


def serve_forever(bound: socket, url: str, settings: Settings) -> None:
    if settings.workers > 1:
        # What one process has to do before all others is done here, so that none of them finds it half done.
        asyncio.run(with_parts(settings, lambda container: container.rollups.ensure()))
        supervise(bound, url, settings)
    serve_on(bound, Container(settings, url))


def worker(words: Sequence[str]) -> None:
    """One of several processes that serve, started by their parent with a socket and two ways to it."""
    parser = _parser("worker", "Serves beside others, started by their parent.")
    for name in ("listener", "channel"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--stacks", type=int)
    given = parser.parse_args(words)
    container = Container(loaded(**{name: getattr(given, name) for name in OPTIONS}), given.url)
    serve_on(socket(fileno=given.listener), container, Parent(socket(fileno=given.channel), given.stacks))


def _parser(command: str, about: str) -> ArgumentParser:
    parser = ArgumentParser(f"sluicegate {command}", description=about, allow_abbrev=False)
    for name, what in OPTIONS.items():
        parser.add_argument(f"--{name}", help=what)
    return parser


def _prepare(settings: Settings) -> None:
    prepare_database(settings)
    check_database(settings)
    asyncio.run(_first_admin(settings))


async def _first_admin(settings: Settings) -> None:
    if settings.admin_email is None or settings.admin_password is None:
        return
    email, password = settings.admin_email, settings.admin_password.reveal()

    async def create(container: Container) -> None:
        auth = container.auth
        try:
            if not await auth.has_admin():
                await auth.create_admin(email, password, "Administrator")
        except Conflict:
            # Unless another server, started at the same time, was first.
            if not await auth.has_admin():
                raise

    await with_parts(settings, create)
