"""Importing people from a CSV file."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.services.people_file import MAX_LINES
from sluicegate.services.people_import import ImportResult, LineAction, LineResult

strawberry.enum(LineAction, name="ImportAction", description="What becomes of somebody.")


@strawberry.input(description=f"At most {MAX_LINES} people.")
class ImportUsersInput:
    csv: str = strawberry.field(
        description="The file's text: headings, of which only `email` must be there, then a line each."
    )
    dry_run: bool = strawberry.field(default=True, description="Tells what would be done, and does nothing.")
    expected_plan: str | None = strawberry.field(
        default=None, description="The preview's `plan`; refused as `stale_version` when it would not be that any more."
    )


@strawberry.type(description="A value that changes.")
class ImportChange:
    field: str
    before: str
    after: str


@strawberry.type(description="Why a line was left out.")
class ImportLineError:
    code: str
    field: str | None
    message: str


@strawberry.type(description="What came, or would come, of one line.")
class ImportedLine:
    line: int
    email: str
    action: LineAction
    changes: list[ImportChange]
    error: ImportLineError | None
    invite_url: str | None = strawberry.field(description="Shown once; null when mail brings it, and in a preview.")


@strawberry.type(description="One result per line of the file.")
class ImportUsersPayload:
    lines: list[ImportedLine]
    plan: str = strawberry.field(description="Stands for all that is or would be done.")


@strawberry.type
class ImportMutations:
    @strawberry.mutation(
        description="Invites who is new, updates who is there, and removes nobody.",
        extensions=[admins(TokenScope.USERS)],
    )
    async def import_users(self, info: Info, input: ImportUsersInput) -> ImportUsersPayload:
        service, caller = info.context.services.people_import, info.context.require_caller()
        return _payload(await service.run(caller, input.csv, trial=input.dry_run, expected_plan=input.expected_plan))


def _payload(result: ImportResult) -> ImportUsersPayload:
    return ImportUsersPayload(lines=[_line(line) for line in result.lines], plan=result.plan)


def _line(line: LineResult) -> ImportedLine:
    error = line.error
    return ImportedLine(
        line=line.number,
        email=line.email,
        action=line.action,
        changes=[ImportChange(field=c.field, before=c.before, after=c.after) for c in line.changes],
        error=ImportLineError(code=error.code, field=error.field, message=error.message) if error is not None else None,
        invite_url=line.url,
    )
