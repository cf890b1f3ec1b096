"""The policy as a file: applying, planning, exporting, here or at a server elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, Protocol, cast

import typer
from typer.core import TyperCommand

from sluicegate.cli.running import bytes_of, loaded, opened
from sluicegate.container import RemoteRefusal, RemoteServer
from sluicegate.kit.errors import AppError, Conflict, InvalidInput
from sluicegate.kit.secret import Secret
from sluicegate.premises import AlreadyServed, SchemaError, check_database, sole_server
from sluicegate.services.caller import operator
from sluicegate.services.policy_file.nodes import Fault, InvalidDocument
from sluicegate.services.policy_file.schema import json_schema
from sluicegate.settings import ConfigurationError, Settings

FAULT, DIFFERS = 1, 2
_PLAN = "{ id changes { kind name action fields { field action before after } } }"
_SIGNS = {"add": ("+", "green"), "change": ("~", "yellow"), "delete": ("-", "red")}
_DONE = {"add": "added", "change": "changed", "delete": "deleted"}

FileArgument = Annotated[Path, typer.Argument(help="The policy file; - reads what is typed or piped in.")]
UrlOption = Annotated[
    str | None,
    typer.Option(envvar="SLUICEGATE_URL", help="A server's address; without it the database of the settings is used."),
]
TokenOption = Annotated[
    str | None,
    typer.Option(envvar="SLUICEGATE_TOKEN", help="An automation token for --url; better given by the variable."),
]


class _Command(TyperCommand):
    """Ends with 1 when it was called wrongly, since 2 says that a plan has changes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            error.exit_code = FAULT
            raise


class _Door(Protocol):
    """A way to where the policy is; plans are as JSON has them."""

    async def plan(self, text: str, *, prune: bool) -> dict[str, Any]: ...
    async def apply(self, text: str, *, prune: bool, expected: str | None) -> dict[str, Any]: ...
    async def export(self, *, members: bool, users: bool) -> str: ...


class _Database:
    """The database of the settings. Reading it is safe beside a server that runs; changing it is not, because the
    server would go on deciding by what it knows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def plan(self, text: str, *, prune: bool) -> dict[str, Any]:
        async with opened(self._settings) as container:
            plan = await container.services.policy_file.plan(operator(), text, prune=prune)
        return {"id": plan.id, "changes": plan.told()}

    async def apply(self, text: str, *, prune: bool, expected: str | None) -> dict[str, Any]:
        try:
            with sole_server(self._settings.database):
                async with opened(self._settings) as container:
                    service = container.services.policy_file
                    plan = await service.apply(operator(), text, prune=prune, expected_plan=expected)
        except AlreadyServed:
            raise Conflict(
                "A server runs on this database, and would go on deciding by the old policy. Apply through it: "
                "--url ADDRESS, with an automation token in SLUICEGATE_TOKEN. Or stop it first."
            ) from None
        return {"id": plan.id, "changes": plan.told()}

    async def export(self, *, members: bool, users: bool) -> str:
        async with opened(self._settings) as container:
            return await container.services.policy_file.export(operator(), members=members, users=users)


class _Remote:
    def __init__(self, server: RemoteServer) -> None:
        self._server = server

    async def plan(self, text: str, *, prune: bool) -> dict[str, Any]:
        query = (
            f"query ($document: String!, $prune: Boolean!) {{ planPolicy(document: $document, prune: $prune) {_PLAN} }}"
        )
        return _lowered((await self._server.ask(query, document=text, prune=prune))["planPolicy"])

    async def apply(self, text: str, *, prune: bool, expected: str | None) -> dict[str, Any]:
        query = f"mutation ($input: ApplyPolicyInput!) {{ applyPolicy(input: $input) {{ plan {_PLAN} }} }}"
        given = {"document": text, "prune": prune, "expectedPlan": expected}
        return _lowered((await self._server.ask(query, input=given))["applyPolicy"]["plan"])

    async def export(self, *, members: bool, users: bool) -> str:
        query = (
            "query ($members: Boolean!, $users: Boolean!) "
            "{ exportPolicy(members: $members, users: $users) { document } }"
        )
        return str((await self._server.ask(query, members=members, users=users))["exportPolicy"]["document"])


def _lowered(plan: dict[str, Any]) -> dict[str, Any]:
    """With actions in the case that plans made here have."""
    for change in plan["changes"]:
        for part in (change, *change["fields"]):
            part["action"] = part["action"].lower()
    return plan


def apply(
    file: FileArgument,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only tell what would change; status 2 when something would.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also delete what the file manages and does not name.")
    ] = False,
    expect: Annotated[
        str | None, typer.Option(help="The id of a plan; refused when something else would be done by now.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Makes models, groups and what is set for people what a policy file says, in one step. Ends with 0, 1 for a fault,
    2 for a plan that has changes."""
    with _faults(str(file), as_json=as_json):
        text, door = _read(file), _door(url, token)
        made = asyncio.run(door.plan(text, prune=prune) if plan else door.apply(text, prune=prune, expected=expect))
    changes = made["changes"]
    if as_json:
        typer.echo(json.dumps({"plan": made["id"], "applied": not plan, "changes": changes}, indent=2))
    else:
        _print(changes, made["id"] if plan else None)
    if plan and changes:
        raise typer.Exit(DIFFERS)


def export(
    output: Annotated[Path | None, typer.Option(help="Where the file goes, instead of standard output.")] = None,
    members: Annotated[bool, typer.Option("--members", help="Also who is in each group, by e-mail address.")] = False,
    users: Annotated[
        bool, typer.Option("--users", help="Also what is set for people alone, by e-mail address.")
    ] = False,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Writes models and groups, and with --users what is set for people, as a policy file. Applied, it changes
    nothing."""
    with _faults(str(output or "-"), as_json=False):
        text = asyncio.run(_door(url, token).export(members=members, users=users))
        if output is not None:
            output.write_text(text, encoding="utf-8")
        else:
            typer.echo(text, nl=False)


def print_schema() -> None:
    """Prints the JSON Schema of policy files, for editors."""
    typer.echo(json.dumps(json_schema(), indent=2))


def add_to(app: typer.Typer) -> None:
    app.command("apply", cls=_Command)(apply)
    app.command("export", cls=_Command)(export)
    policy = typer.Typer(no_args_is_help=True, help="Policy files.")
    policy.command("schema")(print_schema)
    app.add_typer(policy, name="policy")


def _door(url: str | None, token: str | None) -> _Door:
    if url is not None:
        if not token:
            raise InvalidInput("token", "must be given with --url; best in the variable SLUICEGATE_TOKEN")
        return _Remote(RemoteServer(url, Secret(token)))
    settings = loaded()
    check_database(settings)
    return _Database(settings)


def _read(file: Path) -> str:
    content = bytes_of(file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidDocument([Fault(line, "", "is not text in UTF-8")]) from None


@contextmanager
def _faults(file: str, *, as_json: bool) -> Iterator[None]:
    """Tells expected faults on standard error, each with its line, and ends with the status that stands for them."""
    try:
        yield
    except ConfigurationError as error:
        _fail("configuration", ["The settings cannot be taken:", *error.faults], [], as_json)
    except AppError as error:
        faults = _faults_of(error)
        lines = [_located(file, fault) for fault in faults] or [
            f"{error.field}: {error.message}" if error.field else error.message
        ]
        _fail(error.code, lines, faults, as_json)
    except (SchemaError, OSError) as error:
        _fail("unavailable", [str(error)], [], as_json)


def _faults_of(error: AppError) -> list[Fault]:
    if isinstance(error, InvalidDocument):
        return error.faults
    given = error.extensions.get("faults", []) if isinstance(error, RemoteRefusal) else []
    with suppress(TypeError, KeyError):
        return [Fault(fault["line"], fault["path"], fault["message"]) for fault in given]
    return []


def _located(file: str, fault: Fault) -> str:
    """As compilers write it, so that editors and CI find the place."""
    place = f"{file}:{fault.line}" if fault.line else file
    return f"{place}: {fault.path}: {fault.message}" if fault.path else f"{place}: {fault.message}"


def _fail(code: str, lines: Sequence[str], faults: Sequence[Fault], as_json: bool) -> None:
    if as_json:
        told = [{"line": fault.line, "path": fault.path, "message": fault.message} for fault in faults]
        typer.echo(json.dumps({"error": {"code": code, "message": "\n".join(lines), "faults": told}}, indent=2))
    for line in lines:
        print(line, file=sys.stderr)
    raise typer.Exit(FAULT)


def _print(changes: list[dict[str, Any]], planned: str | None) -> None:
    """What changes, for people; `planned` is the id of a plan that was not carried out."""
    if not changes:
        typer.echo("No changes.")
        return
    for change in changes:
        _line(change["action"], f"{change['kind']} {_shown(change['name'])}", bold=True)
        for one in change["fields"]:
            before, after = (_shown_value(one["field"], one[side]) for side in ("before", "after"))
            value = {"add": after, "delete": before}.get(one["action"], f"{before} → {after}")
            _line(one["action"], f"{one['field']}: {value}", indent=4)
    counts = [(action, sum(change["action"] == action for change in changes)) for action in _SIGNS]
    if planned is None:
        typer.echo("Done: " + ", ".join(f"{count} {_DONE[action]}" for action, count in counts) + ".")
    else:
        typer.echo("Plan: " + ", ".join(f"{count} to {action}" for action, count in counts) + ".")
        typer.echo(f"To apply this and nothing else: --expect {planned}")


def _line(action: str, text: str, *, indent: int = 0, bold: bool = False) -> None:
    sign, colour = _SIGNS[action]
    # Colours are left out by themselves where the output is no terminal.
    plain = False if os.environ.get("NO_COLOR") else None
    typer.echo(" " * indent + typer.style(f"{sign} {text}", fg=colour, bold=bold), color=plain)


def _shown_value(field: str, value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, str) and ".budget." in f".{field}":
        return f"${value}"
    if isinstance(value, list):
        return ", ".join(f"{part} %" for part in cast("list[int]", value)) or "no alerts"
    return _shown(str(value))


def _shown(text: str) -> str:
    """Descriptions may have several lines, and nothing of them is for the terminal."""
    return text if text.isprintable() else json.dumps(text, ensure_ascii=not text.replace("\n", "").isprintable())
