"""People as an identity provider has them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.scim import PersonFacts, PersonKey
from sluicegate.domain.user import MAX_NAME_LENGTH, Group, LinkKind, Role, User, UserStatus, parse_email, parse_name
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import Conflict, Forbidden, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.text import composed
from sluicegate.ports.scim import PersonMatch
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.caller import Caller
from sluicegate.services.scim.faults import ScimFault, invalid_value
from sluicegate.services.scim.paths import Condition
from sluicegate.services.scim.reading import (
    MAX_EXTERNAL_ID,
    Assignment,
    Json,
    assignments,
    boolean,
    operations,
    optional_text,
    refuse_read_only,
    targets,
    text,
)
from sluicegate.services.users import delete_held, lock_user, reactivate_held, require_user, set_status, suspend_held
from sluicegate.services.versions import hold

# As they are kept, see parse_name and parse_email.
_NAMES = (PersonKey.USER_NAME, PersonKey.DISPLAY_NAME)
_KEYS = {
    "id": PersonKey.ID,
    "username": PersonKey.USER_NAME,
    "emails": PersonKey.USER_NAME,
    "emails.value": PersonKey.USER_NAME,
    "externalid": PersonKey.EXTERNAL_ID,
    "displayname": PersonKey.DISPLAY_NAME,
    "name.formatted": PersonKey.DISPLAY_NAME,
    "active": PersonKey.ACTIVE,
    "groups": PersonKey.GROUP,
    "groups.value": PersonKey.GROUP,
}


@dataclass(frozen=True, slots=True)
class Person:
    user: User
    facts: PersonFacts
    groups: Sequence[Group] = ()


@dataclass(slots=True)
class Wish:
    """What a request says of a person; None clears."""

    user_name: str | Absent = ABSENT
    display_name: str | Absent | None = ABSENT
    formatted: str | Absent | None = ABSENT
    given_name: str | Absent | None = ABSENT
    family_name: str | Absent | None = ABSENT
    external_id: str | Absent | None = ABSENT
    active: bool | Absent = ABSENT

    def assign(self, given: Assignment) -> None:
        """What is not kept is passed over."""
        path, value = given
        if path.foreign:
            return
        match path.name:
            case "username":
                self.user_name = text(value, "userName")
            case "displayname":
                self.display_name = optional_text(value, "displayName", MAX_NAME_LENGTH)
            case "externalid":
                self.external_id = optional_text(value, "externalId", MAX_EXTERNAL_ID)
            case "active" if value is not None:
                self.active = boolean(value, "active")
            case "name":
                self._assign_names(value)
            case "name.formatted":
                self.formatted = optional_text(value, "name.formatted", MAX_NAME_LENGTH)
            case "name.givenname":
                self.given_name = optional_text(value, "name.givenName", MAX_NAME_LENGTH)
            case "name.familyname":
                self.family_name = optional_text(value, "name.familyName", MAX_NAME_LENGTH)
            case _:
                pass

    def _assign_names(self, value: object) -> None:
        if value is None:
            self.formatted = self.given_name = self.family_name = None
            return
        if not isinstance(value, dict):
            raise invalid_value("name must be an object.")
        for part in assignments(value):
            if part.path.sub is None:
                self.assign(Assignment(replace(part.path, attribute="name", sub=part.path.attribute), part.value))

    def name_of(self, user: User, before: PersonFacts, after: PersonFacts) -> str:
        """How the person is called then: by what the provider shows, else by the parts of the name, unless somebody
        chose another name here."""
        for given in (self.display_name, self.formatted):
            if isinstance(given, str):
                return parse_name(given, "displayName")
        if self.display_name is None:
            return ""
        follows = user.name in ("", composed(before.joined_name))
        return parse_name(after.joined_name, "name", required=False) if follows and after.joined_name else user.name


class ScimPeople:
    """Bodies are read in threads: many operations take long."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def page(
        self, caller: Caller, where: PersonMatch, offset: int, most: int, *, groups: bool
    ) -> tuple[int, list[Person]]:
        """How many match, and some of them; with the groups they are in only if asked for."""
        caller.require_admin(TokenScope.READ)
        async with self._store.snapshot() as tx:
            total = await tx.scim.count_people(where)
            users = await tx.scim.people(where, offset, most) if most else []
            return total, await _persons(tx, users, groups=groups)

    async def get(self, caller: Caller, user_id: str, *, groups: bool = True) -> Person:
        _, found = await self.page(caller, [(PersonKey.ID, user_id)], 0, 1, groups=groups)
        if not found:
            raise NotFound("user")
        return found[0]

    async def create(self, caller: Caller, body: Json) -> Person:
        """An active account without a password: its owner comes in through the identity provider, or by a password
        link. Raises Conflict for an address in use."""
        caller.require_admin(TokenScope.USERS)
        wish = await asyncio.to_thread(_wish, body)
        if wish.user_name is ABSENT:
            raise invalid_value("userName is required; it is the e-mail address.")
        email = parse_email(wish.user_name, "userName")
        nobody = PersonFacts()
        facts = _facts(nobody, wish)
        user = User(new_id(), email, "", Role.MEMBER, UserStatus.ACTIVE, self._clock.now())
        user = replace(user, name=wish.name_of(user, nobody, facts))
        async with self._store.write() as tx:
            if await tx.users.by_email(email) is not None:
                raise Conflict("There is an account with this address already.", field="email")
            await tx.users.add(user)
            await tx.scim.set_facts(user.id, facts)
            await tx.audit.record(caller.actor, "user.create", "user", user.id, user.label, {}, _shown(user, facts))
            tx.changed(PolicyChange(ChangeKind.USER, user.id))
            if wish.active is False:
                await tx.versions.hold(Edited(Editable.USER, user.id))
                user = await suspend_held(tx, caller, user)
            return (await _persons(tx, [user], groups=False))[0]

    async def replace(self, caller: Caller, user_id: str, body: Json) -> Person:
        """What the body does not have of externalId and the parts of the name is cleared; `active` stays."""
        caller.require_admin(TokenScope.USERS)
        wish = await asyncio.to_thread(_wish, body)
        if wish.user_name is ABSENT:
            raise invalid_value("userName is required; it is the e-mail address.")
        for name in ("external_id", "given_name", "family_name"):
            if getattr(wish, name) is ABSENT:
                setattr(wish, name, None)
        return await self._change(caller, user_id, wish)

    async def patch(self, caller: Caller, user_id: str, body: Json) -> Person:
        """All of its operations, or none."""
        caller.require_admin(TokenScope.USERS)
        wish = await asyncio.to_thread(_patched, body)
        return await self._change(caller, user_id, wish)

    async def delete(self, caller: Caller, user_id: str) -> None:
        """As deletion in the console: what was used stays under the person's label."""
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            await delete_held(tx, caller, await require_user(tx, user_id))

    async def _change(self, caller: Caller, user_id: str, wish: Wish) -> Person:
        async with self._store.write() as tx:
            await require_user(tx, user_id)
            await hold(tx, Edited(Editable.USER, user_id), None)
            user = await require_user(tx, user_id)
            user = await self._describe(tx, caller, user, wish)
            if wish.active is False:
                user = await self._suspend(tx, caller, user)
            elif wish.active is True and (await tx.scim.facts_of([user_id]))[user_id].suspended:
                # What an administrator did here is not taken back from there.
                user = await reactivate_held(tx, caller, user)
            return (await _persons(tx, [user], groups=True))[0]

    async def _describe(self, tx: Transaction, caller: Caller, user: User, wish: Wish) -> User:
        before = (await tx.scim.facts_of([user.id]))[user.id]
        after = _facts(before, wish)
        email = user.email if wish.user_name is ABSENT else parse_email(wish.user_name, "userName")
        changed = replace(user, email=email, name=wish.name_of(user, before, after))
        if (changed, after) == (user, before):
            return user
        if changed.email != user.email:
            await self._readdress(tx, user, changed.email)
        if changed != user:
            await tx.versions.step(Edited(Editable.USER, user.id))
            await tx.users.update(user.id, name=changed.name, email=changed.email)
            # The ledger takes a person's label from the compiled policy.
            tx.changed(PolicyChange(ChangeKind.USER, user.id))
        if after != before:
            await tx.scim.set_facts(user.id, after)
        states = _shown(user, before), _shown(changed, after)
        await tx.audit.record(caller.actor, "user.update", "user", user.id, changed.label, *states)
        return changed

    async def _readdress(self, tx: Transaction, user: User, email: str) -> None:
        """Links that lie in the old mailbox are dead. Whoever reads the mail of an address can become its owner, so
        that nobody becomes an administrator by it."""
        if user.role is Role.ADMIN:
            raise Forbidden(
                "The address of an administrator is not changed by provisioning, since a password link would go there. "
                "Have another administrator make this person a member first."
            )
        if await tx.users.by_email(email) is not None:
            raise Conflict("There is an account with this address already.", field="email")
        # A link that is on its way to the old mailbox is there before this goes on, and dies with the others.
        await lock_user(tx, user.id)
        for kind in LinkKind:
            await tx.links.replace(user.id, kind, self._clock.now())
        await tx.mail.cancel(user.id)

    async def _suspend(self, tx: Transaction, caller: Caller, user: User) -> User:
        if user.status is not UserStatus.INVITED:
            return await suspend_held(tx, caller, user)
        await tx.links.replace(user.id, LinkKind.INVITE, self._clock.now())
        await tx.mail.cancel(user.id)
        return await set_status(tx, caller, user, UserStatus.SUSPENDED, "user.suspend")


def people_match(conditions: Sequence[Condition]) -> PersonMatch:
    """Raises ScimFault for what people are not looked up by."""
    found: list[tuple[PersonKey, str | bool]] = []
    for name, value in conditions:
        key = _KEYS.get(name)
        if key is None:
            raise ScimFault("invalidFilter", f"People can't be looked up by {name}.")
        if key is PersonKey.ACTIVE:
            found.append((key, boolean(value, "active")))
        elif isinstance(value, str):
            found.append((key, composed(value) if key in _NAMES else value))
        else:
            raise ScimFault("invalidFilter", f"{name} is compared with a text in quotes.")
    return found


async def _persons(tx: Transaction, users: Sequence[User], *, groups: bool) -> list[Person]:
    ids = [user.id for user in users]
    facts = await tx.scim.facts_of(ids)
    of_each = await tx.groups.groups_of(ids) if groups else {}
    return [Person(user, facts[user.id], of_each.get(user.id, ())) for user in users]


def _wish(body: Json) -> Wish:
    wish = Wish()
    for assignment in assignments(body):
        wish.assign(assignment)
    return wish


def _patched(body: Json) -> Wish:
    wish = Wish()
    for operation in operations(body):
        if operation.op != "remove":
            for assignment in targets(operation):
                wish.assign(assignment)
        elif operation.path is not None:
            refuse_read_only(operation.path)
            if operation.path.name == "username":
                raise ScimFault("mutability", "userName is required and can't be removed.")
            wish.assign(Assignment(operation.path, None))
    return wish


def _facts(before: PersonFacts, wish: Wish) -> PersonFacts:
    return replace(
        before,
        external_id=before.external_id if wish.external_id is ABSENT else wish.external_id,
        given_name=before.given_name if wish.given_name is ABSENT else wish.given_name,
        family_name=before.family_name if wish.family_name is ABSENT else wish.family_name,
    )


def _shown(user: User, facts: PersonFacts) -> dict[str, str | None]:
    return {
        "email": user.email,
        "name": user.name,
        "external_id": facts.external_id,
        "given_name": facts.given_name,
        "family_name": facts.family_name,
    }
