"""What an operator can do: serve, migrate, create an administrator or a token, look at a demo, check the set-up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from difflib import unified_diff
from pathlib import Path
from socket import socket
from typing import Annotated, TypeVar

import typer

from sluicegate.cli.backup import add_to as add_backup
from sluicegate.cli.demo import prepare_demo, print_demo
from sluicegate.cli.doctor import examine
from sluicegate.cli.policy import add_to as add_policy_commands
from sluicegate.cli.prices import prices_app
from sluicegate.cli.reconcile import add_to as add_reconcile
from sluicegate.cli.running import loaded, opened
from sluicegate.cli.server import Parent, listen, serve_on, supervise
from sluicegate.container import Container
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.audit import SYSTEM
from sluicegate.kit.errors import Conflict, NotFound
from sluicegate.premises import check_database, migrate_database, prepare_database
from sluicegate.services.caller import Caller
from sluicegate.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
token_app = typer.Typer(no_args_is_help=True, help="Automation tokens.")
app.add_typer(token_app, name="token")
schema_app = typer.Typer(no_args_is_help=True, help="The GraphQL schema.")
app.add_typer(schema_app, name="schema")
rollups_app = typer.Typer(no_args_is_help=True, help="Sums of what was used.")
app.add_typer(rollups_app, name="rollups")
add_policy_commands(app)
add_reconcile(app)
add_backup(app)
app.add_typer(prices_app, name="prices")
kek_app = typer.Typer(no_args_is_help=True, help="The key that wraps what is stored sealed.")
app.add_typer(kek_app, name="kek")
T = TypeVar("T")

HostOption = Annotated[str | None, typer.Option(help="Address to listen on, instead of SLUICEGATE_HOST.")]
PortOption = Annotated[int | None, typer.Option(help="Port to listen on, instead of SLUICEGATE_PORT; 0 takes any.")]
WorkersOption = Annotated[int | None, typer.Option(help="Processes that serve, instead of SLUICEGATE_WORKERS.")]


@app.command()
def serve(host: HostOption = None, port: PortOption = None, workers: WorkersOption = None) -> None:
    """Serves console, GraphQL and gateway. An empty database gets its schema; an older one is refused."""
    settings = loaded(host=host, port=port, workers=workers)
    prepare_database(settings)
    check_database(settings)
    asyncio.run(_first_admin(settings))
    bound, url = listen(settings)
    if settings.workers == 1:
        typer.echo(f"Sluicegate listens on {url}")
    _serve(bound, url, settings)


@app.command()
def demo(host: HostOption = None, port: PortOption = None, workers: WorkersOption = None) -> None:
    """Serves with demo data and the embedded demo provider, and prints what a newcomer needs."""
    settings = loaded(host=host, port=port, workers=workers)
    migrate_database(settings)
    bound, url = listen(settings)
    facts = asyncio.run(_with(settings, lambda container: prepare_demo(container, url)))
    print_demo(facts, url)
    _serve(bound, url, settings)


def _serve(bound: socket, url: str, settings: Settings) -> None:
    if settings.workers > 1:
        # What one process has to do before all others is done here, so that none of them finds it half done.
        asyncio.run(_with(settings, lambda container: container.rollups.ensure()))
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


@app.command()
def migrate() -> None:
    """Brings the database to the schema of this release; safe to run twice, and at the same time."""
    typer.echo(f"The database is at version {migrate_database(loaded())}.")


@app.command("create-admin")
def create_admin(
    email: Annotated[str, typer.Option(prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    name: Annotated[str, typer.Option()] = "Administrator",
) -> None:
    """Creates an administrator who can sign in to the console."""
    settings = loaded()
    prepare_database(settings)
    check_database(settings)
    user = asyncio.run(_with(settings, lambda c: c.auth.create_admin(email, password, name)))
    typer.echo(f"{user.email} is an administrator now.")


@token_app.command("create")
def create_token(
    name: Annotated[str, typer.Option(help="What the token is for.")],
    owner: Annotated[str, typer.Option(help="E-mail of the user who owns it; the token can do no more than they.")],
    scope: Annotated[list[TokenScope], typer.Option(help="May be given several times.")],
) -> None:
    """Creates an automation token for GraphQL and prints it once."""
    settings = loaded()
    check_database(settings)
    typer.echo(asyncio.run(_with(settings, lambda c: _create_token(c, name, owner, scope))))


async def _create_token(container: Container, name: str, owner: str, scopes: list[TokenScope]) -> str:
    async with container.store.read() as tx:
        user = await tx.users.by_email(owner.strip().lower())
    if user is None:
        raise NotFound("user", field="owner")
    _, text = await container.services.tokens.create(Caller(user, SYSTEM), name, scopes, None)
    return text.reveal()


@schema_app.command("export")
def export_schema(
    file: Annotated[Path, typer.Argument(help="Where the schema goes.")],
    check: Annotated[
        bool, typer.Option("--check", help="Only compare; status 1 when the file is not current.")
    ] = False,
) -> None:
    """Writes the GraphQL schema as code has it."""
    # A server that is started by the same program need not have it.
    from sluicegate.graphql.schema import build_schema

    text = build_schema().as_str() + "\n"
    if not check:
        file.write_text(text)
        return
    written = file.read_text() if file.exists() else ""
    if written != text:
        diff = unified_diff(written.splitlines(), text.splitlines(), str(file), "code", lineterm="", n=1)
        typer.echo("\n".join(diff))
        typer.echo(f"{file} is not current; run: sluicegate schema export {file}")
        raise typer.Exit(1)


@rollups_app.command("rebuild")
def rebuild_rollups() -> None:
    """Makes all sums anew from the ledger. Servers may run: their calls wait in the journal until this is through."""
    settings = loaded()
    check_database(settings)
    count = asyncio.run(_with(settings, lambda container: container.rollups.rebuild()))
    typer.echo(f"The sums are those of {count} calls in the ledger now.")


@kek_app.command("rotate")
def rotate_kek() -> None:
    """Moves all that is sealed under SLUICEGATE_KEK_SECONDARY to SLUICEGATE_KEK_PRIMARY. May be interrupted and run
    again; servers may run if they know both keys. Ends with status 1 when something is left that neither key opens."""
    settings = loaded()
    check_database(settings)
    done = asyncio.run(_with(settings, lambda container: container.rotation.run()))
    typer.echo(f"{done.moved} moved; {done.current} in all are sealed under the primary key now.")
    for place in done.unreadable:
        typer.echo(f"No key at hand opens {place}: give the key that it was sealed under, or enter the secret again.")
    if done.unreadable:
        raise typer.Exit(1)
    typer.echo("SLUICEGATE_KEK_SECONDARY is not needed any more.")


@app.command()
def doctor() -> None:
    """Checks settings, database, keys and providers; ends with status 1 when something is wrong."""
    settings = loaded()
    findings = asyncio.run(examine(settings))
    for finding in findings:
        mark = typer.style("ok   ", fg="green") if finding.fine else typer.style("wrong", fg="red")
        typer.echo(f"{mark} {finding.what}: {finding.detail}")
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)


async def _first_admin(settings: Settings) -> None:
    if settings.admin_email is None or settings.admin_password is None:
        return
    email, password = settings.admin_email, settings.admin_password.get_secret_value()

    async def create(container: Container) -> None:
        auth = container.auth
        try:
            if not await auth.has_admin():
                await auth.create_admin(email, password, "Administrator")
        except Conflict:
            # Unless another server, started at the same time, was first.
            if not await auth.has_admin():
                raise

    await _with(settings, create)


async def _with(settings: Settings, work: Callable[[Container], Awaitable[T]]) -> T:
    async with opened(settings) as container:
        return await work(container)
