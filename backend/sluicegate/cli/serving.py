"""Serving, all of what a server loads of the program."""

from __future__ import annotations

import asyncio
from socket import socket
from typing import Annotated

import typer

from sluicegate.cli.running import apart, loaded, with_parts
from sluicegate.cli.server import Parent, listen, serve_on, supervise
from sluicegate.container import Container
from sluicegate.kit.errors import Conflict
from sluicegate.premises import check_database, prepare_database
from sluicegate.settings import Settings

_HELP = "What an operator can do: serve, migrate, create an administrator or a token, look at a demo, check the set-up."

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=_HELP)

HostOption = Annotated[str | None, typer.Option(help="Address to listen on, instead of SLUICEGATE_HOST.")]
PortOption = Annotated[int | None, typer.Option(help="Port to listen on, instead of SLUICEGATE_PORT; 0 takes any.")]
WorkersOption = Annotated[int | None, typer.Option(help="Processes that serve, instead of SLUICEGATE_WORKERS.")]


@app.command()
def serve(host: HostOption = None, port: PortOption = None, workers: WorkersOption = None) -> None:
    """Serves console, GraphQL and gateway. An empty database gets its schema; an older one is refused."""
    settings = loaded(host=host, port=port, workers=workers)
    apart(lambda: _prepare(settings))
    bound, url = listen(settings)
    if settings.workers == 1:
        typer.echo(f"Sluicegate listens on {url}")
    serve_forever(bound, url, settings)


def serve_forever(bound: socket, url: str, settings: Settings) -> None:
    if settings.workers > 1:
        # What one process has to do before all others is done here, so that none of them finds it half done.
        asyncio.run(with_parts(settings, lambda container: container.rollups.ensure()))
        supervise(bound, url, settings)
    serve_on(bound, Container(settings, url))


@app.command(hidden=True)
def worker(
    listener: Annotated[int, typer.Option()],
    channel: Annotated[int, typer.Option()],
    url: Annotated[str, typer.Option()],
    stacks: Annotated[int | None, typer.Option()] = None,
    host: HostOption = None,
    port: PortOption = None,
    workers: WorkersOption = None,
) -> None:
    """One of several processes that serve, started by their parent with a socket and two ways to it."""
    container = Container(loaded(host=host, port=port, workers=workers), url)
    serve_on(socket(fileno=listener), container, Parent(socket(fileno=channel), stacks))


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
