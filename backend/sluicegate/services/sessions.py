"""The browsers that people are signed in with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.sso import LastSignIn, SignInWay
from sluicegate.domain.user import Session, User
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import random_token, token_digest
from sluicegate.kit.errors import Conflict, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.secret import Secret
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.caller import Caller
from sluicegate.services.users import require_user

SESSION_DAYS = 14
SESSION_IDLE = timedelta(hours=12)
_LONGEST = timedelta(days=SESSION_DAYS)
_MAX_ADDRESS = 45
_MAX_USER_AGENT = 300


class SessionService:
    """People see and end their own; administrators anyone's."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of_users(self, caller: Caller, user_ids: Sequence[str]) -> dict[str, list[Session]]:
        """Those that still let somebody in, the one seen last first."""
        for user_id in user_ids:
            caller.require_self_or_admin(user_id, TokenScope.READ)
        async with self._store.read() as tx:
            found = await tx.sessions.of_users(user_ids)
        return {user_id: [s for s in of_user if is_alive(s, self._clock)] for user_id, of_user in found.items()}

    async def revoke(self, caller: Caller, session_id: str) -> None:
        """One's own, or anyone's for administrators."""
        caller.require_scope(TokenScope.USERS)
        async with self._store.write() as tx:
            session = await tx.sessions.get(session_id)
            if session is None or (session.user_id != caller.user.id and not caller.is_admin):
                raise NotFound("session")
            owner = await require_user(tx, session.user_id)
            await tx.sessions.remove(session_id)
            before = {"address": session.address, "user_agent": session.user_agent}
            await tx.audit.record(caller.actor, "session.revoke", "user", owner.id, owner.label, before)

    async def end_others(self, caller: Caller) -> int:
        """Everywhere but here; gives how many have ended."""
        caller.require_scope(TokenScope.USERS)
        if caller.session_id is None:
            raise Conflict("A token has no session of its own to keep; use endUserSessions.")
        return await self._end(caller, caller.user.id, caller.session_id)

    async def end_all(self, caller: Caller, user_id: str) -> int:
        """Of oneself, or of anyone for administrators; gives how many have ended."""
        caller.require_self_or_admin(user_id, TokenScope.USERS)
        return await self._end(caller, user_id, None)

    async def _end(self, caller: Caller, user_id: str, keep: str | None) -> int:
        async with self._store.write() as tx:
            user = await require_user(tx, user_id, field="userId")
            ended = await tx.sessions.remove_of(user_id, keep)
            if ended:
                await tx.audit.record(
                    caller.actor, "session.end_all", "user", user.id, user.label, {"sessions": ended}, {"sessions": 0}
                )
        return ended


async def open_session(
    tx: Transaction, clock: Clock, user: User, address: str, user_agent: str, way: SignInWay = SignInWay.PASSWORD
) -> Secret:
    """The new session's token, which is kept nowhere."""
    token, now = random_token(), clock.now()
    shown = "".join(c for c in user_agent if c.isprintable())[:_MAX_USER_AGENT]
    session = Session(
        id=new_id(),
        user_id=user.id,
        token_digest=token_digest(token),
        created_at=now,
        last_seen_at=now,
        expires_at=now + _LONGEST,
        address=address[:_MAX_ADDRESS],
        user_agent=shown,
    )
    await tx.sessions.add(session)
    await tx.sso.note_sign_in(LastSignIn(user.id, now, way))
    await tx.users.update(user.id, last_active_at=now)
    return Secret(token)


def is_alive(session: Session, clock: Clock) -> bool:
    now = clock.now()
    return session.expires_at > now and session.last_seen_at + SESSION_IDLE > now
