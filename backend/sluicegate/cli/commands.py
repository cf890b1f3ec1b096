"""What an operator can do besides serving: migrate, create an administrator or a token, look at a demo, check the
set-up."""

from __future__ import annotations

import asyncio
from difflib import unified_diff
from pathlib import Path
from typing import Annotated

import typer

from sluicegate.cli.backup import add_to as add_backup
from sluicegate.cli.demo import keeps_demo, prepare_demo, print_demo
from sluicegate.cli.doctor import examine
from sluicegate.cli.policy import add_to as add_policy_commands
from sluicegate.cli.prices import prices_app
from sluicegate.cli.reconcile import add_to as add_reconcile
from sluicegate.cli.running import loaded, with_parts
from sluicegate.cli.server import listen
from sluicegate.cli.serving import ABOUT, OPTIONS, serve_forever
from sluicegate.cli.serving import serve as serve_with
from sluicegate.container import Container
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.audit import SYSTEM
from sluicegate.kit.errors import NotFound
from sluicegate.premises import check_database, migrate_database, prepare_database
from sluicegate.services.caller import Caller

_HELP = "What an operator can do: serve, migrate, create an administrator or a token, look at a demo, check the set-up."

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=_HELP)
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


# Listed among the others, and read where it is done.
@app.command(
    help=ABOUT,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def serve(context: typer.Context) -> None:
    serve_with(context.args)


@app.command()
def demo(
    host: Annotated[str | None, typer.Option(help=OPTIONS["host"])] = None,
    port: Annotated[int | None, typer.Option(help=OPTIONS["port"])] = None,
    workers: Annotated[int | None, typer.Option(help=OPTIONS["workers"])] = None,
) -> None:
    """Serves with demo data and the embedded demo provider, and prints what a newcomer needs."""
    settings = loaded(host=host, port=port, workers=workers)
    if keeps_demo(settings):
        migrate_database(settings)
    else:
        # Somebody's own would not come back from the schema of this release.
        prepare_database(settings)
        check_database(settings)
    bound, url = listen(settings)
    facts = asyncio.run(with_parts(settings, lambda container: prepare_demo(container, url)))
    print_demo(facts, url)
    serve_forever(bound, url, settings)


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
    user = asyncio.run(with_parts(settings, lambda c: c.auth.create_admin(email, password, name)))
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
    typer.echo(asyncio.run(with_parts(settings, lambda c: _create_token(c, name, owner, scope))))


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
    count = asyncio.run(with_parts(settings, lambda container: container.rollups.rebuild()))
    typer.echo(f"The sums are those of {count} calls in the ledger now.")


@kek_app.command("rotate")
def rotate_kek() -> None:
    """Moves all that is sealed under SLUICEGATE_KEK_SECONDARY to SLUICEGATE_KEK_PRIMARY. May be interrupted and run
    again; servers may run if they know both keys. Ends with status 1 when something is left that neither key opens."""
    settings = loaded()
    check_database(settings)
    done = asyncio.run(with_parts(settings, lambda container: container.rotation.run()))
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
