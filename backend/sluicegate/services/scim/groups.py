"""Groups as an identity provider has them: Sluicegate's own, on which grants and limits hang."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.scim import GroupKey
from sluicegate.domain.user import MAX_NAME_LENGTH, Group, parse_name
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.text import composed
from sluicegate.ports.scim import GroupMatch
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.caller import Caller
from sluicegate.services.groups import add_group, edit_group, join, leave, remove_group, require_group
from sluicegate.services.scim.faults import ScimFault, invalid_path, invalid_value
from sluicegate.services.scim.paths import Condition
from sluicegate.services.scim.reading import (
    MAX_EXTERNAL_ID,
    Assignment,
    Json,
    Operation,
    assignments,
    chosen_member,
    member_ids,
    operations,
    optional_text,
    refuse_read_only,
    targets,
    text,
)
from sluicegate.services.versions import hold

MAX_MEMBERS = 20_000
MAX_LISTED_MEMBERS = 20_000
# What one statement, and one entry of the audit log, is about.
_AT_ONCE = 500
_KEYS = {
    "id": GroupKey.ID,
    "displayname": GroupKey.DISPLAY_NAME,
    "externalid": GroupKey.EXTERNAL_ID,
    "members": GroupKey.MEMBER,
    "members.value": GroupKey.MEMBER,
}


@dataclass(frozen=True, slots=True)
class ProvisionedGroup:
    """`members` are ids of users; None when nobody asked for them."""

    group: Group
    external_id: str | None
    members: Sequence[str] | None = None


@dataclass(slots=True)
class _Wish:
    """What a request says of a group. With `whole` nobody but `joining` is to be a member. The order of dictionaries
    is that of the request."""

    display_name: str | Absent = ABSENT
    external_id: str | Absent | None = ABSENT
    whole: bool = False
    joining: dict[str, None] = field(default_factory=dict[str, None])
    leaving: dict[str, None] = field(default_factory=dict[str, None])

    def assign(self, given: Assignment, *, adds: bool = False) -> None:
        """What is not kept is passed over."""
        path, value = given
        if path.foreign:
            return
        match path.name:
            case "displayname":
                self.display_name = parse_name(text(value, "displayName", MAX_NAME_LENGTH), "displayName")
            case "externalid":
                self.external_id = optional_text(value, "externalId", MAX_EXTERNAL_ID)
            case "members" if path.where:
                raise invalid_path("Only a remove can choose among members; add and replace take the path members.")
            case "members":
                if not adds:
                    self.empty()
                self.add(member_ids(value))
            case _:
                pass

    def remove(self, operation: Operation) -> None:
        path = operation.path
        if path is None or path.foreign:
            return
        refuse_read_only(path)
        if path.name == "displayname":
            raise ScimFault("mutability", "displayName is required and can't be removed.")
        if path.name == "externalid":
            self.external_id = None
        elif path.attribute == "members":
            one = chosen_member(path)
            # Entra ID gives those who go as a value, which the RFC does not have.
            these = [one] if one is not None else member_ids(operation.value)
            if one is None and operation.value is None:
                self.empty()
            for user_id in these:
                self.joining.pop(user_id, None)
                self.leaving[user_id] = None

    def empty(self) -> None:
        self.whole = True
        self.joining.clear()
        self.leaving.clear()

    def add(self, user_ids: Sequence[str]) -> None:
        for user_id in user_ids:
            self.joining[user_id] = None
            self.leaving.pop(user_id, None)


class ScimGroups:
    """Bodies are read in threads: many operations and members take long."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def page(
        self, caller: Caller, where: GroupMatch, offset: int, most: int, *, members: bool
    ) -> tuple[int, list[ProvisionedGroup]]:
        """How many match, and some of them: with members fewer than `most` where they are many."""
        caller.require_admin(TokenScope.READ)
        async with self._store.snapshot() as tx:
            total = await tx.scim.count_groups(where)
            found = await tx.scim.groups(where, offset, most) if most else []
            if members:
                found = await _bounded(tx, found)
            return total, await _provisioned(tx, found, members=members)

    async def get(self, caller: Caller, group_id: str, *, members: bool = True) -> ProvisionedGroup:
        _, found = await self.page(caller, [(GroupKey.ID, group_id)], 0, 1, members=members)
        if not found:
            raise NotFound("group")
        return found[0]

    async def create(self, caller: Caller, body: Json, *, members: bool = True) -> ProvisionedGroup:
        """Raises Conflict for a name in use."""
        caller.require_admin(TokenScope.USERS)
        wish = await asyncio.to_thread(_whole, body)
        group = Group(new_id(), _required_name(wish), "", self._clock.now())
        async with self._store.write() as tx:
            await add_group(tx, caller, group)
            await self._apply(tx, caller, group, wish)
            return (await _provisioned(tx, [group], members=members))[0]

    async def replace(self, caller: Caller, group_id: str, body: Json, *, members: bool = True) -> ProvisionedGroup:
        """Who is not in the body is no member any more."""
        caller.require_admin(TokenScope.USERS)
        wish = await asyncio.to_thread(_whole, body)
        _required_name(wish)
        if wish.external_id is ABSENT:
            wish.external_id = None
        return await self._change(caller, group_id, wish, members=members)

    async def patch(self, caller: Caller, group_id: str, body: Json) -> None:
        """All of its operations, or none."""
        caller.require_admin(TokenScope.USERS)
        wish = await asyncio.to_thread(_patched, body)
        await self._change(caller, group_id, wish, members=False)

    async def delete(self, caller: Caller, group_id: str) -> None:
        """As deletion in the console: its grants, limits and budgets go with it."""
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            await remove_group(tx, caller, group_id)

    async def _change(self, caller: Caller, group_id: str, wish: _Wish, *, members: bool) -> ProvisionedGroup:
        async with self._store.write() as tx:
            await require_group(tx, group_id)
            # Of two who change it at once the second sees what the first made of it.
            await hold(tx, Edited(Editable.GROUP, group_id), None)
            group = await edit_group(tx, caller, group_id, name=wish.display_name)
            await self._apply(tx, caller, group, wish)
            return (await _provisioned(tx, [group], members=members))[0]

    async def _apply(self, tx: Transaction, caller: Caller, group: Group, wish: _Wish) -> None:
        before = (await tx.scim.external_ids_of([group.id])).get(group.id)
        if wish.external_id is not ABSENT and wish.external_id != before:
            await tx.scim.set_external_id(group.id, wish.external_id)
            states = {"external_id": before}, {"external_id": wish.external_id}
            await tx.audit.record(caller.actor, "group.update", "group", group.id, group.name, *states)
        joining, leaving = wish.joining.keys(), wish.leaving.keys()
        if wish.whole:
            present = set(await tx.groups.member_ids(group.id))
            joining, leaving = joining - present, present - joining
        await _join(tx, caller, group, joining)
        await _leave(tx, caller, group, leaving)


def groups_match(conditions: Sequence[Condition]) -> GroupMatch:
    """Raises ScimFault for what groups are not looked up by."""
    found: list[tuple[GroupKey, str]] = []
    for name, value in conditions:
        key = _KEYS.get(name)
        if key is None:
            raise ScimFault("invalidFilter", f"Groups can't be looked up by {name}.")
        if not isinstance(value, str):
            raise ScimFault("invalidFilter", f"{name} is compared with a text in quotes.")
        # As it is kept, see parse_name.
        found.append((key, composed(value) if key is GroupKey.DISPLAY_NAME else value))
    return found


def _whole(body: Json) -> _Wish:
    wish = _Wish(whole=True)
    for assignment in assignments(body):
        wish.assign(assignment)
    return wish


def _patched(body: Json) -> _Wish:
    wish = _Wish()
    for operation in operations(body):
        if operation.op == "remove":
            wish.remove(operation)
            continue
        for assignment in targets(operation):
            wish.assign(assignment, adds=operation.op == "add")
    return wish


def _required_name(wish: _Wish) -> str:
    if wish.display_name is ABSENT:
        raise invalid_value("displayName is required; it is the name of the group.")
    return wish.display_name


async def _join(tx: Transaction, caller: Caller, group: Group, ids: Collection[str]) -> None:
    _bound(ids)
    for some in _batches(ids):
        users = await tx.users.get_many(some)
        if len(users) < len(some):
            unknown = next(user_id for user_id in some if user_id not in users)
            raise invalid_value(f"There is no user with the id {unknown[:80]!r}, so nobody was added.")
        await join(tx, caller, group, users)


async def _leave(tx: Transaction, caller: Caller, group: Group, ids: Collection[str]) -> None:
    """Those who are gone, or were never members, are passed over."""
    _bound(ids)
    for some in _batches(ids):
        await leave(tx, caller, group, await tx.users.get_many(some))


def _bound(ids: Collection[str]) -> None:
    if len(ids) > MAX_MEMBERS:
        raise ScimFault(
            "tooMany", f"One request changes at most {MAX_MEMBERS:,} members; send the rest in another one."
        )


def _batches(ids: Collection[str]) -> list[list[str]]:
    """In an order that keeps two who do so from waiting for each other."""
    ordered = sorted(ids)
    return [ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE)]


async def _bounded(tx: Transaction, groups: list[Group]) -> list[Group]:
    """As many from the beginning as have a bearable number of members, and at least one."""
    counts = await tx.groups.member_counts([group.id for group in groups])
    total = 0
    for number, group in enumerate(groups):
        total += counts[group.id]
        if number and total > MAX_LISTED_MEMBERS:
            return groups[:number]
    return groups


async def _provisioned(tx: Transaction, groups: Sequence[Group], *, members: bool) -> list[ProvisionedGroup]:
    ids = [group.id for group in groups]
    external = await tx.scim.external_ids_of(ids)
    of_each = await tx.scim.members_of(ids) if members else {}
    return [ProvisionedGroup(group, external.get(group.id), of_each.get(group.id)) for group in groups]
