"""Passwords that were forgotten, and those that somebody wants to change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.mail import LetterKind
from sluicegate.domain.passwords import check_password
from sluicegate.domain.user import RESET_MINUTES, LinkKind, OneTimeLink, User, UserStatus, parse_email
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import random_token, token_digest
from sluicegate.kit.errors import Conflict, Forbidden, InvalidInput
from sluicegate.kit.ids import new_id
from sluicegate.kit.tallies import LocalTallies, Tallies
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.attempts import Attempts
from sluicegate.services.caller import Caller
from sluicegate.services.mail import MailService
from sluicegate.services.passwords import Passwords
from sluicegate.services.sso.passwords import may_use_password
from sluicegate.services.users import lock_active, lock_user, require_user

log = structlog.get_logger(__name__)
_FORGOT_PER_EMAIL = 5
_FORGOT_PER_ADDRESS = 30
# Nobody's mailbox is filled by somebody who keeps asking.
_LEAST_APART = timedelta(minutes=5)


class RecoveryService:
    """`public_url` gives the address under which people reach the console, `tallies` what counts tries; without, this
    process counts them for itself."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        public_url: Callable[[], str],
        mail: MailService,
        passwords: Passwords,
        tallies: Callable[[str], Tallies] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._public_url = public_url
        self._mail = mail
        self._passwords = passwords
        tallies = tallies or (lambda _: LocalTallies(clock))
        self._asked = Attempts(tallies, "forgot", per_email=_FORGOT_PER_EMAIL, per_address=_FORGOT_PER_ADDRESS)
        self._tried = Attempts(tallies, "password")
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def by_mail(self) -> bool:
        """Whether people can help themselves."""
        return self._mail.configured

    async def forgot(self, email: str, address: str) -> None:
        """Sends a link to whoever has an account under this address. The work is done after the answer, so that neither
        its words nor its time tell whether there is one. Raises Throttled or InvalidInput."""
        email = parse_email(email)
        await self._asked.take(email, address)
        if self._mail.configured:
            task = asyncio.create_task(self._send_link(email))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Waits until everything that was asked for is done."""
        await asyncio.gather(*self._tasks)

    async def _send_link(self, email: str) -> None:
        try:
            async with self._store.write() as tx:
                found = await tx.users.by_email(email)
                # Locked, so that of many who ask at once one gets a link.
                user = await tx.users.locked(found.id) if found is not None else None
                if user is None or user.status is not UserStatus.ACTIVE or not await may_use_password(tx, user.role):
                    return
                last = await tx.links.newest_of(user.id, LinkKind.RESET)
                if last is not None and last.created_at + _LEAST_APART > self._clock.now():
                    return
                reason = f"Somebody, most likely you, asked for a new password for {user.email}."
                await self._new_link(tx, user, reason)
            self._mail.nudge()
        except Exception:
            log.exception("recovery.failed")

    async def create_link(self, caller: Caller, user_id: str) -> tuple[User, str | None]:
        """A link for somebody who can't sign in; given only if no mail brings it."""
        caller.require_admin(TokenScope.USERS)
        if not self._mail.configured:
            caller.require_every_scope("get a link by which to sign in as somebody")
        async with self._store.write() as tx:
            user = await lock_user(tx, user_id, field="userId")
            if user.status is UserStatus.INVITED:
                raise Conflict("This person has no password yet; send the invitation again instead.", field="userId")
            if user.status is UserStatus.SUSPENDED:
                raise Conflict("This account is suspended; reactivate it first.", field="userId")
            if not await may_use_password(tx, user.role):
                raise Conflict("Members sign in without a password here; see single sign-on.", field="userId")
            inviter = caller.user.name or caller.user.email
            url = await self._new_link(tx, user, f"{inviter} made a link for you to set a new password.")
            await tx.audit.record(caller.actor, "user.create_reset_link", "user", user.id, user.label)
        self._mail.nudge()
        return user, url

    async def _new_link(self, tx: Transaction, user: User, reason: str) -> str | None:
        token, now = random_token(), self._clock.now()
        expires = now + timedelta(minutes=RESET_MINUTES)
        await tx.links.replace(user.id, LinkKind.RESET, now)
        await tx.links.add(OneTimeLink(new_id(), user.id, LinkKind.RESET, token_digest(token), now, expires))
        url = f"{self._public_url()}/reset/{token}"
        if not self._mail.configured:
            return url
        await self._mail.queue_password_reset(tx, user, reason, url, expires)
        return None

    async def change(self, caller: Caller, current: str, new: str) -> User:
        """Sets one's own password and ends all other sessions. Raises InvalidInput for `currentPassword` or
        `newPassword`, Throttled for too many wrong ones."""
        if caller.scopes is not None:
            raise Forbidden("A password is changed by its owner in the console, not with a token.")
        user = caller.user
        check_password(new, "newPassword", (user.email, user.name))
        await self._tried.take(user.id, user.id)
        async with self._store.read() as tx:
            hashed = await tx.users.password_hash(user.id)
        if not await self._passwords.verify(hashed, current):
            raise InvalidInput("currentPassword", "is not your present password")
        await self._tried.forgive(user.id, user.id)
        fresh = await self._passwords.hash(new)
        async with self._store.write() as tx:
            await lock_active(tx, caller)
            if await tx.users.password_hash(user.id) != hashed:
                raise InvalidInput("currentPassword", "has changed meanwhile; sign in again")
            await tx.users.set_password_hash(user.id, fresh)
            await tx.links.replace(user.id, LinkKind.RESET, self._clock.now())
            await tx.mail.cancel(user.id, LetterKind.PASSWORD_RESET)
            ended = await tx.sessions.remove_of(user.id, caller.session_id)
            after = {"sessions_ended": ended}
            await tx.audit.record(caller.actor, "user.change_password", "user", user.id, user.label, {}, after)
            return await require_user(tx, user.id)
