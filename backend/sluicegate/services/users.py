"""People: who they are, what role they have, whether they may come in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.audit import ActorKind
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.user import Group, OneTimeLink, Role, User, UserStatus, parse_name
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.errors import Conflict, NotFound, Unauthenticated
from sluicegate.ports.pages import Page, PageRequest, UserFilter
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.caller import Caller
from sluicegate.services.versions import hold

_EXPORT_PAGE = 500


class UserService:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, caller: Caller, user_id: str) -> User | None:
        return (await self.get_many(caller, [user_id])).get(user_id)

    async def get_many(self, caller: Caller, ids: Sequence[str]) -> dict[str, User]:
        """Members see only themselves."""
        _require_visible(caller, ids)
        async with self._store.read() as tx:
            return await tx.users.get_many(ids)

    async def page(self, caller: Caller, where: UserFilter, sort: str, page: PageRequest) -> Page[User]:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.users.page(where, sort, page)

    async def pages(
        self, caller: Caller, lists: Sequence[tuple[UserFilter, PageRequest]], sort: str
    ) -> list[Page[User]]:
        """A page of each list."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.users.pages(lists, sort)

    async def counts(self, caller: Caller, filters: Sequence[UserFilter]) -> list[int]:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.users.counts(filters)

    async def count(self, caller: Caller, where: UserFilter) -> int:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.users.count(where)

    def export(
        self, caller: Caller, where: UserFilter, sort: str
    ) -> AsyncIterator[Sequence[tuple[User, Sequence[Group]]]]:
        """All that match with their groups, a batch at a time; the next one is read when it is asked for."""
        caller.require_admin(TokenScope.READ)
        return self._batches(where, sort)

    async def _batches(self, where: UserFilter, sort: str) -> AsyncIterator[Sequence[tuple[User, Sequence[Group]]]]:
        after: str | None = None
        while True:
            async with self._store.read() as tx:
                page = await tx.users.page(where, sort, PageRequest(_EXPORT_PAGE, after))
                groups = await tx.groups.groups_of([user.id for user, _ in page.items])
            yield [(user, groups[user.id]) for user, _ in page.items]
            if not page.has_next:
                return
            after = page.items[-1][1]

    async def pending_invitations(self, caller: Caller, ids: Sequence[str]) -> dict[str, OneTimeLink]:
        """Of those who are still invited."""
        _require_visible(caller, ids)
        async with self._store.read() as tx:
            return await tx.links.pending_of(ids)

    async def rename_self(self, caller: Caller, name: str) -> User:
        caller.require_scope(TokenScope.USERS)
        async with self._store.write() as tx:
            return await _change(tx, caller, await _hold_user(tx, caller.user.id, None), parse_name(name), ABSENT)

    async def update(
        self,
        caller: Caller,
        user_id: str,
        name: str | Absent = ABSENT,
        role: Role | Absent = ABSENT,
        expected_version: int | None = None,
    ) -> User:
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            user = await _hold_user(tx, user_id, expected_version)
            return await edit_held(tx, caller, user, name, role)

    async def suspend(self, caller: Caller, user_id: str, expected_version: int | None = None) -> User:
        """Ends all sessions too; the keys stop with the answer."""
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            user = await _hold_user(tx, user_id, expected_version)
            return await suspend_held(tx, caller, user)

    async def reactivate(self, caller: Caller, user_id: str, expected_version: int | None = None) -> User:
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            user = await _hold_user(tx, user_id, expected_version)
            return await reactivate_held(tx, caller, user)

    async def delete(self, caller: Caller, user_id: str) -> None:
        """Account, keys, sessions, grants and memberships go; what was used stays under the person's label."""
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            await delete_held(tx, caller, await require_user(tx, user_id))


async def edit_held(
    tx: Transaction, caller: Caller, user: User, name: str | Absent = ABSENT, role: Role | Absent = ABSENT
) -> User:
    """Of a person whose version is held; the same person when nothing differs."""
    if name is not ABSENT:
        # Those who are invited choose their name when they come.
        name = parse_name(name, required=user.status is not UserStatus.INVITED)
    if role is Role.ADMIN and user.role is not Role.ADMIN:
        caller.require_every_scope("make somebody an administrator")
    if role is Role.MEMBER:
        await _keep_an_admin(tx, user, "demoted", field="role")
    return await _change(tx, caller, user, name, role)


async def suspend_held(tx: Transaction, caller: Caller, user: User) -> User:
    """Of a person whose version is held; gives the same person back when there was nothing to do."""
    if user.status is UserStatus.INVITED:
        raise Conflict("This person has not accepted the invitation yet; withdraw it instead.", field="id")
    if user.status is UserStatus.SUSPENDED:
        return user
    await _keep_an_admin(tx, user, "suspended")
    suspended = await set_status(tx, caller, user, UserStatus.SUSPENDED, "user.suspend")
    # Last: whoever signs in at this moment has the person locked, so that only now no session can follow.
    await tx.sessions.remove_of(user.id)
    return suspended


async def reactivate_held(tx: Transaction, caller: Caller, user: User) -> User:
    """As `suspend_held`."""
    if user.status is UserStatus.INVITED:
        raise Conflict("This person has not accepted the invitation yet.", field="id")
    if user.status is UserStatus.ACTIVE:
        return user
    return await set_status(tx, caller, user, UserStatus.ACTIVE, "user.reactivate")


async def delete_held(tx: Transaction, caller: Caller, user: User) -> None:
    await _keep_an_admin(tx, user, "deleted")
    await lock_user(tx, user.id)
    await remove_user(tx, caller, user, "user.delete")


async def require_user(tx: Transaction, user_id: str, field: str = "id") -> User:
    user = await tx.users.get(user_id)
    if user is None:
        raise NotFound("user", field=field)
    return user


async def lock_user(tx: Transaction, user_id: str, field: str = "id") -> User:
    """Until the transaction ends nobody else changes this person's status or makes what lets the person in."""
    user = await tx.users.locked(user_id)
    if user is None:
        raise NotFound("user", field=field)
    return user


async def lock_active(tx: Transaction, caller: Caller) -> None:
    """Call before making what lets the caller in later. Raises Unauthenticated when the caller was suspended or deleted
    since the request came in."""
    user = await tx.users.locked(caller.user.id)
    if user is None or user.status is not UserStatus.ACTIVE:
        raise Unauthenticated("Your account was suspended or deleted meanwhile. Ask an administrator.")


async def _hold_user(tx: Transaction, user_id: str, expected_version: int | None) -> User:
    await require_user(tx, user_id)
    await hold(tx, Edited(Editable.USER, user_id), expected_version)
    return await require_user(tx, user_id)


async def remove_user(tx: Transaction, caller: Caller, user: User, action: str) -> None:
    await tx.mail.cancel(user.id)
    await tx.users.delete(user.id)
    before = {"email": user.email, "name": user.name, "role": user.role.value}
    await tx.audit.record(caller.actor, action, "user", user.id, user.label, before)
    tx.changed(PolicyChange(ChangeKind.USER, user.id))


async def _change(tx: Transaction, caller: Caller, user: User, name: str | Absent, role: Role | Absent) -> User:
    changed = replace(user, name=user.name if name is ABSENT else name, role=user.role if role is ABSENT else role)
    if changed != user:
        await tx.versions.step(Edited(Editable.USER, user.id))
        await tx.users.update(user.id, name=changed.name, role=changed.role)
        if changed.role is not user.role:
            # Whoever gives a role by hand has the last word on it.
            await tx.sso.note_admin(user.id, False)
        states = [{"name": u.name, "role": u.role.value} for u in (user, changed)]
        await tx.audit.record(caller.actor, "user.update", "user", user.id, changed.label, *states)
        # The ledger takes a person's label from the compiled policy.
        tx.changed(PolicyChange(ChangeKind.USER, user.id))
    return changed


async def set_status(tx: Transaction, caller: Caller, user: User, status: UserStatus, action: str) -> User:
    """Of a person whose version is held."""
    await tx.versions.step(Edited(Editable.USER, user.id))
    await tx.users.update(user.id, status=status)
    # What an identity provider may take back.
    suspended = status is UserStatus.SUSPENDED and caller.actor.kind is ActorKind.SCIM
    await tx.scim.note_status(user.id, suspended=suspended)
    states = {"status": user.status.value}, {"status": status.value}
    await tx.audit.record(caller.actor, action, "user", user.id, user.label, *states)
    tx.changed(PolicyChange(ChangeKind.USER, user.id))
    return replace(user, status=status)


async def _keep_an_admin(tx: Transaction, user: User, what: str, field: str = "id") -> None:
    """Raises Conflict when `user` is the last active administrator."""
    if await tx.users.lock_active_admins() == [user.id]:
        raise Conflict(f"The last active administrator can't be {what}; make somebody else one first.", field=field)


def _require_visible(caller: Caller, ids: Sequence[str]) -> None:
    caller.require_scope(TokenScope.READ)
    for user_id in ids:
        caller.require_self_or_admin(user_id, TokenScope.READ)
