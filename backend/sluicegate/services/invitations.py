"""How people get in: an administrator invites, a one-time link lets them set name and password."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.user import (
    INVITATION_DAYS,
    LinkKind,
    OneTimeLink,
    Role,
    User,
    UserStatus,
    parse_email,
)
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import random_token, token_digest
from sluicegate.kit.errors import AppError, Conflict, InvalidInput, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.caller import Caller
from sluicegate.services.mail import MailService
from sluicegate.services.users import lock_user, remove_user

MAX_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Invited:
    """What came of one address: a user or an error. The link is there only if no mail brings it, and nobody can see it
    again."""

    email: str
    user: User | None = None
    url: str | None = None
    error: AppError | None = None


class InvitationService:
    """`public_url` gives the address under which people reach the console."""

    def __init__(self, store: Store, clock: Clock, public_url: Callable[[], str], mail: MailService) -> None:
        self._store = store
        self._clock = clock
        self._public_url = public_url
        self._mail = mail

    async def invite(
        self, caller: Caller, emails: Sequence[str], role: Role = Role.MEMBER, group_ids: Sequence[str] = ()
    ) -> list[Invited]:
        """One result per address, in the order given; an address that fails stops none of the others."""
        caller.require_admin(TokenScope.USERS)
        if role is Role.ADMIN:
            caller.require_every_scope("invite an administrator")
        if not emails:
            raise InvalidInput("emails", "must name at least one address")
        if len(emails) > MAX_AT_ONCE:
            raise InvalidInput("emails", f"takes at most {MAX_AT_ONCE} addresses at once")
        groups = list(dict.fromkeys(group_ids))
        async with self._store.read() as tx:
            if len(await tx.groups.get_many(groups)) < len(groups):
                raise NotFound("group", field="groupIds")
        results = [await self._invite(caller, email, role, groups) for email in emails]
        self._mail.nudge()
        return results

    async def resend(self, caller: Caller, user_id: str) -> tuple[User, str | None]:
        """A new link, given only if no mail brings it; the old one is dead from now on."""
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            user = await _require_invited(tx, user_id)
            if user.role is Role.ADMIN and not self._mail.configured:
                caller.require_every_scope("get an administrator's invitation")
            await tx.links.replace(user_id, LinkKind.INVITE, self._clock.now())
            url = await self._new_link(tx, caller, user)
            await tx.audit.record(caller.actor, "invitation.resend", "user", user.id, user.label)
        self._mail.nudge()
        return user, url

    async def withdraw(self, caller: Caller, user_id: str) -> None:
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            await remove_user(tx, caller, await _require_invited(tx, user_id), "invitation.withdraw")

    async def _invite(self, caller: Caller, text: str, role: Role, group_ids: Sequence[str]) -> Invited:
        try:
            email = parse_email(text, "emails")
            async with self._store.write() as tx:
                user, url = await self.add(tx, caller, email, role, group_ids)
        except Conflict as error:
            return Invited(text.strip(), error=Conflict(error.message, field="emails"))
        except AppError as error:
            return Invited(text.strip(), error=error)
        return Invited(email, user, url)

    async def add(
        self, tx: Transaction, caller: Caller, email: str, role: Role, group_ids: Sequence[str], name: str = ""
    ) -> tuple[User, str | None]:
        """Somebody new, who may change the name when accepting; the link is given only if no mail brings it."""
        present = await tx.users.by_email(email)
        if present is not None:
            invited = present.status is UserStatus.INVITED
            raise Conflict(
                "This person is invited already; send the invitation again instead."
                if invited
                else "There is an account with this address already.",
                field="emails",
            )
        groups = await tx.groups.get_many(group_ids)
        if len(groups) < len(group_ids):
            raise NotFound("group", field="groupIds")
        user = User(new_id(), email, name, role, UserStatus.INVITED, self._clock.now())
        await tx.users.add(user)
        for group_id in group_ids:
            await tx.groups.add_members(group_id, [user.id])
        url = await self._new_link(tx, caller, user)
        # By name: somebody reads it when a group may be gone.
        names = sorted(group.name for group in groups.values())
        after = {"email": email, "role": role.value, "groups": names} | ({"name": name} if name else {})
        await tx.audit.record(caller.actor, "user.invite", "user", user.id, user.label, {}, after)
        tx.changed(PolicyChange(ChangeKind.USER, user.id))
        return user, url

    async def _new_link(self, tx: Transaction, caller: Caller, user: User) -> str | None:
        token, now = random_token(), self._clock.now()
        expires = now + timedelta(days=INVITATION_DAYS)
        await tx.links.add(OneTimeLink(new_id(), user.id, LinkKind.INVITE, token_digest(token), now, expires))
        url = f"{self._public_url()}/welcome/{token}"
        if not self._mail.configured:
            return url
        await self._mail.queue_invitation(tx, user, caller.user.name or caller.user.email, url, expires)
        return None


async def _require_invited(tx: Transaction, user_id: str) -> User:
    user = await lock_user(tx, user_id, field="userId")
    if user.status is not UserStatus.INVITED:
        raise Conflict("This person has accepted the invitation already.", field="userId")
    return user
