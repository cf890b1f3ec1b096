"""Groups and who is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.user import Group, User, parse_name
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import Conflict, InvalidInput, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.caller import Caller
from sluicegate.services.versions import hold

MAX_DESCRIPTION_LENGTH = 1000
MAX_MEMBERS_AT_ONCE = 100


class GroupService:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def get(self, caller: Caller, group_id: str) -> Group | None:
        return (await self.get_many(caller, [group_id])).get(group_id)

    async def get_many(self, caller: Caller, ids: Sequence[str]) -> dict[str, Group]:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.groups.get_many(ids)

    async def page(self, caller: Caller, search: str | None, page: PageRequest) -> Page[Group]:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.groups.page(search, page)

    async def count(self, caller: Caller, search: str | None) -> int:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.groups.count(search)

    async def member_counts(self, caller: Caller, ids: Sequence[str]) -> dict[str, int]:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.groups.member_counts(ids)

    async def of_users(self, caller: Caller, user_ids: Sequence[str]) -> dict[str, list[Group]]:
        """Members see only what they are in themselves."""
        for user_id in user_ids:
            caller.require_self_or_admin(user_id, TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.groups.groups_of(user_ids)

    async def create(self, caller: Caller, name: str, description: str = "") -> Group:
        caller.require_admin(TokenScope.USERS)
        group = Group(new_id(), parse_name(name), checked_description(description), self._clock.now())
        async with self._store.write() as tx:
            await add_group(tx, caller, group)
        return group

    async def update(
        self,
        caller: Caller,
        group_id: str,
        name: str | Absent = ABSENT,
        description: str | Absent = ABSENT,
        expected_version: int | None = None,
    ) -> Group:
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            return await edit_group(tx, caller, group_id, name, description, expected_version)

    async def delete(self, caller: Caller, group_id: str) -> None:
        """Members keep everything that does not come through this group."""
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            await remove_group(tx, caller, group_id)

    async def add_members(self, caller: Caller, group_id: str, user_ids: Sequence[str]) -> Group:
        """Those who are in it already stay in it."""
        _require_membership_change(caller, user_ids)
        async with self._store.write() as tx:
            group = await require_group(tx, group_id, "groupId")
            users = await _require_users(tx, user_ids)
            await join(tx, caller, group, users)
            return group

    async def remove_members(self, caller: Caller, group_id: str, user_ids: Sequence[str]) -> Group:
        """Those who are not in it are passed over."""
        _require_membership_change(caller, user_ids)
        async with self._store.write() as tx:
            group = await require_group(tx, group_id, "groupId")
            users = await _require_users(tx, user_ids)
            await leave(tx, caller, group, users)
            return group


async def add_group(tx: Transaction, caller: Caller, group: Group) -> None:
    """Raises Conflict for a name in use."""
    await _require_free_name(tx, group)
    await tx.groups.add(group)
    await tx.audit.record(caller.actor, "group.create", "group", group.id, group.name, {}, _shown(group))


async def edit_group(
    tx: Transaction,
    caller: Caller,
    group_id: str,
    name: str | Absent = ABSENT,
    description: str | Absent = ABSENT,
    expected_version: int | None = None,
) -> Group:
    """The group as it is then."""
    await require_group(tx, group_id)
    await hold(tx, thing := Edited(Editable.GROUP, group_id), expected_version)
    before = await require_group(tx, group_id)
    group = replace(
        before,
        name=before.name if name is ABSENT else parse_name(name),
        description=before.description if description is ABSENT else checked_description(description),
    )
    if group != before:
        await _require_free_name(tx, group)
        await tx.versions.step(thing)
        await tx.groups.update(group_id, **_shown(group))
        states = _shown(before), _shown(group)
        await tx.audit.record(caller.actor, "group.update", "group", group.id, group.name, *states)
        # Refusals and the console name the group that set a limit.
        tx.changed(PolicyChange(ChangeKind.GROUP, group_id))
    return group


async def remove_group(tx: Transaction, caller: Caller, group_id: str) -> None:
    await require_group(tx, group_id)
    await hold(tx, Edited(Editable.GROUP, group_id), None)
    group = await require_group(tx, group_id)
    members = await tx.groups.member_ids(group_id)
    await tx.groups.delete(group_id)
    before = _shown(group) | {"members": len(members)}
    await tx.audit.record(caller.actor, "group.delete", "group", group.id, group.name, before)
    tx.changed(PolicyChange(ChangeKind.GROUP, group_id), *_changes(members))


async def join(tx: Transaction, caller: Caller, group: Group, users: Mapping[str, User]) -> list[str]:
    """Makes people, by id, members; gives those who were not."""
    added = await tx.groups.add_members(group.id, list(users))
    if added:
        after = {"members": [users[user_id].label for user_id in added]}
        await tx.audit.record(caller.actor, "group.add_members", "group", group.id, group.name, {}, after)
        tx.changed(*_changes(added))
    return added


async def leave(tx: Transaction, caller: Caller, group: Group, users: Mapping[str, User]) -> list[str]:
    """Ends memberships; gives those who were members."""
    removed = await tx.groups.remove_members(group.id, list(users))
    if removed:
        before = {"members": [users[user_id].label for user_id in removed]}
        await tx.audit.record(caller.actor, "group.remove_members", "group", group.id, group.name, before)
        tx.changed(*_changes(removed))
    return removed


def _require_membership_change(caller: Caller, user_ids: Sequence[str]) -> None:
    caller.require_admin(TokenScope.USERS)
    if not user_ids:
        raise InvalidInput("userIds", "must name at least one user")
    if len(user_ids) > MAX_MEMBERS_AT_ONCE:
        raise InvalidInput("userIds", f"takes at most {MAX_MEMBERS_AT_ONCE} users at once")


def _changes(user_ids: Sequence[str]) -> list[PolicyChange]:
    return [PolicyChange(ChangeKind.USER, user_id) for user_id in user_ids]


def checked_description(text: str, field: str = "description") -> str:
    description = text.strip()
    if len(description) > MAX_DESCRIPTION_LENGTH:
        raise InvalidInput(field, f"must have at most {MAX_DESCRIPTION_LENGTH} characters")
    return description


def _shown(group: Group) -> dict[str, str]:
    return {"name": group.name, "description": group.description}


async def require_group(tx: Transaction, group_id: str, field: str = "id") -> Group:
    group = await tx.groups.get(group_id)
    if group is None:
        raise NotFound("group", field=field)
    return group


async def _require_users(tx: Transaction, user_ids: Sequence[str]) -> dict[str, User]:
    users = await tx.users.get_many(user_ids)
    if len(users) < len(set(user_ids)):
        raise NotFound("user", field="userIds")
    return {user_id: users[user_id] for user_id in dict.fromkeys(user_ids)}


async def _require_free_name(tx: Transaction, group: Group) -> None:
    present = await tx.groups.by_name(group.name)
    if present is not None and present.id != group.id:
        raise Conflict(f"There is a group called {present.name} already.", field="name")
