"""Accounts elsewhere that are linked to people, and how people last came in."""

from __future__ import annotations

from collections.abc import Sequence

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.sso import Identity, LastSignIn
from sluicegate.domain.user import User
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.errors import NotFound
from sluicegate.ports.store import Store
from sluicegate.services.caller import Caller
from sluicegate.services.users import require_user


class IdentityService:
    """People see their own; administrators anyone's, and they alone unlink."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_users(self, caller: Caller, user_ids: Sequence[str]) -> dict[str, list[Identity]]:
        """The one used last first."""
        _require_visible(caller, user_ids)
        async with self._store.read() as tx:
            return await tx.sso.identities_of(user_ids)

    async def last_sign_ins(self, caller: Caller, user_ids: Sequence[str]) -> dict[str, LastSignIn]:
        _require_visible(caller, user_ids)
        async with self._store.read() as tx:
            return await tx.sso.last_sign_ins(user_ids)

    async def unlink(self, caller: Caller, identity_id: str) -> User:
        """Ends the person's sessions too, save the caller's own: somebody else may have made them. What single sign-on
        gave stays."""
        caller.require_admin(TokenScope.USERS)
        async with self._store.write() as tx:
            identity = await tx.sso.identity_by_id(identity_id)
            if identity is None:
                raise NotFound("linked identity")
            # Whoever comes in by it at this moment has a session before this goes on.
            await tx.versions.hold(Edited(Editable.USER, identity.user_id))
            user = await require_user(tx, identity.user_id)
            await tx.sso.unlink(identity.id)
            ended = await tx.sessions.remove_of(user.id, caller.session_id if user.id == caller.user.id else None)
            before = {"issuer": identity.issuer, "subject": identity.subject, "email": identity.email}
            after = {"sessions_ended": ended}
            await tx.audit.record(caller.actor, "sso.unlink", "user", user.id, user.label, before, after)
            return user


def _require_visible(caller: Caller, user_ids: Sequence[str]) -> None:
    for user_id in user_ids:
        caller.require_self_or_admin(user_id, TokenScope.READ)
