"""Importing people from a file: who is new is invited, who is there is brought up to date, nobody is removed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Group, Role, User
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.errors import AppError, Conflict, InvalidInput, StaleVersion
from sluicegate.kit.text import composed
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT
from sluicegate.services.caller import Caller
from sluicegate.services.groups import join
from sluicegate.services.invitations import InvitationService
from sluicegate.services.mail import MailService
from sluicegate.services.people_file import PersonLine, read_people
from sluicegate.services.trial import write_or_try
from sluicegate.services.users import edit_held


class LineAction(StrEnum):
    INVITED = "invited"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FieldChange:
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class LineResult:
    """What came, or would come, of one line. The link is there only if no mail brings it, and never after a trial."""

    number: int
    email: str
    action: LineAction
    changes: tuple[FieldChange, ...] = ()
    error: AppError | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ImportResult:
    """`plan` stands for all that is or would be done; it is another one as soon as something else would be."""

    lines: list[LineResult]
    plan: str


class PeopleImport:
    def __init__(self, store: Store, invitations: InvitationService, mail: MailService) -> None:
        self._store = store
        self._invitations = invitations
        self._mail = mail

    async def run(self, caller: Caller, text: str, *, trial: bool, expected_plan: str | None = None) -> ImportResult:
        """In one transaction; a line at fault is refused and keeps none of the others back. Raises StaleVersion when
        a plan was expected and another one has become of it."""
        caller.require_admin(TokenScope.USERS)
        lines = read_people(text)
        async with write_or_try(self._store, trial=trial) as tx:
            run = await _Run.begin(tx, caller, self._invitations, lines)
            results = [await run.line(line, links=not trial) for line in lines]
            await run.finish()
            plan = _plan(results)
            if expected_plan is not None and expected_plan != plan:
                raise StaleVersion(
                    "Something changed since the preview, and the import would do something else by now. "
                    "Look at a new preview.",
                    field="expectedPlan",
                )
        if not trial:
            self._mail.nudge()
        return ImportResult(results, plan)


@dataclass(slots=True)
class _Run:
    tx: Transaction
    caller: Caller
    invitations: InvitationService
    present: dict[str, User]
    memberships: dict[str, list[Group]]
    groups: dict[str, Group]
    joining: dict[str, dict[str, User]]

    @classmethod
    async def begin(
        cls, tx: Transaction, caller: Caller, invitations: InvitationService, lines: list[PersonLine]
    ) -> _Run:
        emails = [line.email for line in lines if line.error is None]
        ids = [user.id for user in (await tx.users.by_emails(emails)).values()]
        await tx.versions.hold_all([Edited(Editable.USER, user_id) for user_id in ids])
        users = await tx.users.get_many(ids)
        memberships = await tx.groups.groups_of(ids)
        return cls(tx, caller, invitations, {user.email: user for user in users.values()}, memberships, {}, {})

    async def line(self, line: PersonLine, *, links: bool) -> LineResult:
        if line.error is not None:
            return LineResult(line.number, line.email, LineAction.REFUSED, error=line.error)
        try:
            groups = await self._groups_in(line.groups)
            user = self.present.get(line.email)
            if user is not None:
                return await self._update(line, user, groups)
            return await self._invite(line, groups, links=links)
        except AppError as error:
            return LineResult(line.number, line.email, LineAction.REFUSED, error=error)

    async def finish(self) -> None:
        """All that join one group do so together, so that the audit log tells it once."""
        for group_id, users in sorted(self.joining.items()):
            await join(self.tx, self.caller, self.groups[group_id], users)

    async def _invite(self, line: PersonLine, groups: list[Group], *, links: bool) -> LineResult:
        role = line.role or Role.MEMBER
        if role is Role.ADMIN:
            self.caller.require_every_scope("invite an administrator")
        ids = [group.id for group in groups]
        _, url = await self.invitations.add(self.tx, self.caller, line.email, role, ids, line.name or "")
        given = {"name": line.name or "", "role": role.value, "groups": _names(groups)}
        changes = tuple(FieldChange(field, "", value) for field, value in given.items() if value)
        return LineResult(line.number, line.email, LineAction.INVITED, changes, url=url if links else None)

    async def _update(self, line: PersonLine, user: User, groups: list[Group]) -> LineResult:
        if user.id == self.caller.user.id and line.role not in (None, user.role):
            raise Conflict("This is you. Nobody can change their own role this way.", field="role")
        changed = await edit_held(
            self.tx,
            self.caller,
            user,
            ABSENT if line.name is None else line.name,
            ABSENT if line.role is None or line.role is user.role else line.role,
        )
        of_user = self.memberships[user.id]
        missing = [group for group in groups if group not in of_user]
        for group in missing:
            self.joining.setdefault(group.id, {})[user.id] = changed
        changes = [
            FieldChange(field, before, after)
            for field, before, after in (
                ("name", user.name, changed.name),
                ("role", user.role.value, changed.role.value),
                ("groups", _names(of_user), _names([*of_user, *missing])),
            )
            if before != after
        ]
        action = LineAction.UPDATED if changes else LineAction.UNCHANGED
        return LineResult(line.number, line.email, action, tuple(changes))

    async def _groups_in(self, text: str | None) -> list[Group]:
        """The groups of a cell, which semicolons separate; one whose name has a semicolon in it is found, too."""
        pieces = (text or "").split(";")
        found: dict[str, Group] = {}
        at = 0
        while at < len(pieces):
            for end in range(len(pieces), at, -1):
                group = await self._group(composed(";".join(pieces[at:end])))
                if group is not None:
                    found[group.id] = group
                    at = end
                    break
            else:
                if pieces[at].strip():
                    raise InvalidInput(
                        "groups", f"there is no group called {pieces[at].strip()[:80]!r}; create it first"
                    )
                at += 1
        return list(found.values())

    async def _group(self, name: str) -> Group | None:
        for group in self.groups.values():
            if group.name.lower() == name.lower():
                return group
        group = await self.tx.groups.by_name(name) if name else None
        if group is not None:
            self.groups[group.id] = group
        return group


def _names(groups: list[Group]) -> str:
    return "; ".join(sorted((group.name for group in groups), key=str.lower))


def _plan(results: list[LineResult]) -> str:
    def parts() -> Iterator[str]:
        for line in results:
            yield f"{line.number}|{line.email}|{line.action}|{line.error.code if line.error else ''}"
            for change in line.changes:
                yield f"{change.field}|{change.before!r}|{change.after!r}"

    return hashlib.sha256("\n".join(parts()).encode()).hexdigest()[:32]
