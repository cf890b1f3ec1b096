"""Who is there: passwords, sessions, one-time links, automation tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from sluicegate.domain.apikey import TOKEN_PREFIX, CredentialStatus, parse_credential
from sluicegate.domain.audit import SYSTEM, Actor, ActorKind
from sluicegate.domain.mail import LetterKind
from sluicegate.domain.passwords import check_password
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.sso import SignInWay
from sluicegate.domain.user import LinkKind, OneTimeLink, Role, User, UserStatus, parse_email, parse_name
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import token_digest
from sluicegate.kit.errors import Conflict, NotFound, Unauthenticated, Unavailable
from sluicegate.kit.ids import new_id
from sluicegate.kit.secret import Secret
from sluicegate.kit.tallies import LocalTallies, Tallies
from sluicegate.kit.text import composed
from sluicegate.ports.pages import UserFilter
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.attempts import Attempts
from sluicegate.services.caller import Caller
from sluicegate.services.passwords import Passwords
from sluicegate.services.sessions import is_alive, open_session
from sluicegate.services.sso.passwords import may_use_password, require_password_use

# A session or token that is in use is written down again at most this often.
_TOUCH = timedelta(minutes=1)
_WRONG = "The e-mail address or the password is wrong."
_SUSPENDED = "This account is suspended. Ask an administrator."


class LinkStatus(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    USED = "used"
    REPLACED = "replaced"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LinkState:
    """What the holder of a link may know before using it. `password` tells whether a password lets the person in."""

    status: LinkStatus
    kind: LinkKind = LinkKind.INVITE
    email: str = ""
    name: str = ""
    password: bool = True


_REFUSED = {
    LinkStatus.EXPIRED: "This link has expired. Ask for a new one.",
    LinkStatus.REPLACED: "A newer link has taken the place of this one. Use the one that came last.",
    LinkStatus.USED: "This link was used already. Sign in with your password.",
}


class AuthService:
    """`tallies` gives what counts tries; without, this process counts them for itself."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        passwords: Passwords | None = None,
        tallies: Callable[[str], Tallies] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._passwords = passwords or Passwords()
        self._attempts = Attempts(tallies or (lambda _: LocalTallies(clock)), "sign-in")

    async def sign_in(self, email: str, password: str, address: str, user_agent: str = "") -> Secret:
        """The token of a new session; raises Unauthenticated or Throttled, the same for known and unknown e-mails."""
        email = composed(email).lower()
        await self._attempts.take(email, address)
        async with self._store.read() as tx:
            user = await tx.users.by_email(email)
            hashed = await tx.users.password_hash(user.id) if user is not None else None
        right = await self._passwords.verify(hashed, password)
        if user is None or not right:
            raise Unauthenticated(_WRONG)
        async with self._store.write() as tx:
            # Time has passed: the person may be suspended or the password changed since.
            current = await tx.users.locked(user.id)
            if current is None or await tx.users.password_hash(user.id) != hashed:
                raise Unauthenticated(_WRONG)
            if current.status is not UserStatus.ACTIVE:
                raise Unauthenticated(_SUSPENDED)
            await require_password_use(tx, current.role)
            token = await open_session(tx, self._clock, current, address, user_agent)
        await self._attempts.forgive(email, address)
        return token

    async def sign_out(self, token: str) -> None:
        """Ends the session, if there is one."""
        async with self._store.write() as tx:
            session = await tx.sessions.by_digest(token_digest(token))
            if session is not None:
                await tx.sessions.remove(session.id)

    async def caller_of_session(self, token: str) -> Caller | None:
        """None when the session has ended or its owner may not come in."""
        now = self._clock.now()
        async with self._store.read() as tx:
            session = await tx.sessions.by_digest(token_digest(token))
            if session is None or not is_alive(session, self._clock):
                return None
            user = await tx.users.get(session.user_id)
        if user is None or user.status is not UserStatus.ACTIVE:
            return None
        if now - session.last_seen_at >= _TOUCH:
            # Whoever only looks may do so though nothing can be written down.
            with suppress(Unavailable):
                async with self._store.write() as tx:
                    await tx.sessions.touch(session.id, now)
                    await tx.users.update(user.id, last_active_at=now)
        return Caller(user, actor_of(user), session_id=session.id)

    async def caller_of_token(self, text: str) -> Caller | None:
        """None when the token is unknown, revoked or expired, or its owner may not come in."""
        if parse_credential(text, TOKEN_PREFIX) is None:
            return None
        now = self._clock.now()
        async with self._store.read() as tx:
            token = await tx.tokens.by_digest(token_digest(text))
            if token is None or token.status(now) is not CredentialStatus.ACTIVE:
                return None
            user = await tx.users.get(token.user_id)
        if user is None or user.status is not UserStatus.ACTIVE:
            return None
        if token.last_used_at is None or now - token.last_used_at >= _TOUCH:
            with suppress(Unavailable):
                async with self._store.write() as tx:
                    await tx.tokens.touch(token.id, now)
        actor = Actor(ActorKind.TOKEN, f"{token.name} of {user.label}", user.id, token.id)
        return Caller(user, actor, frozenset(token.scopes))

    async def still(self, callers: Sequence[Caller]) -> list[Caller | None]:
        """Each as of now; None where the session or token has ended, or its owner may not come in any more. That is no
        use of a session, which ends all the same when nobody does anything with it."""
        now = self._clock.now()
        by_session = {c.user.id for c in callers if c.session_id is not None}
        by_token = {c.actor.token_id for c in callers if c.session_id is None and c.actor.token_id is not None}
        async with self._store.read() as tx:
            users = await tx.users.get_many(list({c.user.id for c in callers}))
            sessions = await tx.sessions.of_users(list(by_session))
            tokens = {token_id: await tx.tokens.get(token_id) for token_id in by_token}
        alive = {s.id for of_user in sessions.values() for s in of_user if is_alive(s, self._clock)}
        good = {t.id for t in tokens.values() if t is not None and t.status(now) is CredentialStatus.ACTIVE}

        def again(caller: Caller) -> Caller | None:
            user = users.get(caller.user.id)
            in_force = caller.session_id in alive if caller.session_id is not None else caller.actor.token_id in good
            if user is None or user.status is not UserStatus.ACTIVE or not in_force:
                return None
            return replace(caller, user=user)

        return [again(caller) for caller in callers]

    async def link(self, token: str) -> LinkState:
        async with self._store.read() as tx:
            link = await tx.links.by_digest(token_digest(token))
            user = await tx.users.get(link.user_id) if link is not None else None
            password = user is not None and await may_use_password(tx, user.role)
        if link is None or user is None:
            return LinkState(LinkStatus.UNKNOWN)
        return LinkState(self._status(link), link.kind, user.email, user.name, password)

    async def accept(
        self, token: str, name: str | None, password: str, address: str = "", user_agent: str = ""
    ) -> Secret:
        """Uses up a link and signs in. An invitation sets name and password and activates the account; a reset sets the
        password and ends all sessions."""
        chosen = parse_name(name, required=False) if name is not None else ""
        state = await self.link(token)
        if state.status is LinkStatus.UNKNOWN:
            raise NotFound("link", field=None)
        check_password(password, about=(state.email, chosen or state.name))
        hashed = await self._passwords.hash(password)
        async with self._store.write() as tx:
            link = await tx.links.by_digest(token_digest(token))
            if link is not None:
                # An edit of the person that is under way would write over what is chosen here.
                await tx.versions.hold(Edited(Editable.USER, link.user_id))
            user = await tx.users.locked(link.user_id) if link is not None else None
            if link is None or user is None:
                raise NotFound("link", field=None)
            if refused := _REFUSED.get(self._status(link)):
                raise Conflict(refused)
            await require_password_use(tx, user.role)
            if not await tx.links.use(link.id, self._clock.now()):
                raise Conflict(_REFUSED[LinkStatus.USED])
            if link.kind is LinkKind.INVITE:
                user = await self._activate(tx, user, chosen)
            else:
                await self._reset(tx, user)
            await tx.users.set_password_hash(user.id, hashed)
            return await open_session(tx, self._clock, user, address, user_agent, SignInWay.LINK)

    async def _activate(self, tx: Transaction, user: User, name: str) -> User:
        if user.status is not UserStatus.INVITED:
            raise Conflict(_REFUSED[LinkStatus.USED])
        return await activate(tx, user, parse_name(name or user.name))

    async def _reset(self, tx: Transaction, user: User) -> None:
        if user.status is not UserStatus.ACTIVE:
            raise Conflict(_SUSPENDED)
        await tx.links.replace(user.id, LinkKind.RESET, self._clock.now())
        await tx.mail.cancel(user.id, LetterKind.PASSWORD_RESET)
        ended = await tx.sessions.remove_of(user.id)
        after = {"sessions_ended": ended}
        await tx.audit.record(actor_of(user), "user.reset_password", "user", user.id, user.label, {}, after)

    async def has_admin(self) -> bool:
        """Whether any active administrator is there."""
        async with self._store.read() as tx:
            return await tx.users.count(UserFilter(role=Role.ADMIN, status=UserStatus.ACTIVE)) > 0

    async def create_admin(self, email: str, password: str, name: str) -> User:
        """For whoever runs the server; raises Conflict when the address is taken."""
        email, name = parse_email(email), parse_name(name)
        hashed = await self._passwords.hash(check_password(password, about=(email, name)))
        user = User(new_id(), email, name, Role.ADMIN, UserStatus.ACTIVE, self._clock.now())
        async with self._store.write() as tx:
            if await tx.users.by_email(email) is not None:
                raise Conflict("There is an account with this address already.", field="email")
            await tx.users.add(user)
            await tx.users.set_password_hash(user.id, hashed)
            after = {"email": email, "name": name, "role": user.role.value}
            await tx.audit.record(SYSTEM, "user.create_admin", "user", user.id, user.label, {}, after)
            tx.changed(PolicyChange(ChangeKind.USER, user.id))
        return user

    def _status(self, link: OneTimeLink) -> LinkStatus:
        if link.used_at is not None:
            return LinkStatus.USED
        if link.replaced_at is not None:
            return LinkStatus.REPLACED
        return LinkStatus.EXPIRED if link.expires_at <= self._clock.now() else LinkStatus.VALID


async def activate(tx: Transaction, user: User, name: str) -> User:
    """Somebody who was invited is there."""
    active = replace(user, name=name, status=UserStatus.ACTIVE)
    await tx.users.update(user.id, name=active.name, status=active.status)
    states = [{"name": u.name, "status": u.status.value} for u in (user, active)]
    await tx.audit.record(actor_of(active), "invitation.accept", "user", user.id, active.label, *states)
    tx.changed(PolicyChange(ChangeKind.USER, user.id))
    return active


def actor_of(user: User) -> Actor:
    """A person who acts in the console."""
    return Actor(ActorKind.USER, user.label, user.id)
