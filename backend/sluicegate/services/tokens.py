"""Automation tokens: named, scoped, for the GraphQL API only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sluicegate.domain.apikey import TOKEN_PREFIX, AutomationToken, TokenScope, new_credential
from sluicegate.domain.user import parse_name
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import token_digest
from sluicegate.kit.errors import Forbidden, InvalidInput, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.secret import Secret
from sluicegate.ports.store import Store
from sluicegate.services.caller import Caller
from sluicegate.services.expiry import checked_expiry
from sluicegate.services.users import lock_active


class TokenService:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def now(self) -> datetime:
        """The instant that decides whether a token has expired."""
        return self._clock.now()

    async def own(self, caller: Caller) -> list[AutomationToken]:
        """Newest first."""
        caller.require_scope(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.tokens.of_user(caller.user.id)

    async def create(
        self, caller: Caller, name: str, scopes: Sequence[TokenScope], expires_at: datetime | None
    ) -> tuple[AutomationToken, Secret]:
        """A token of the caller's own and its text, which nobody can see again."""
        caller.require_scope(TokenScope.KEYS)
        wanted = tuple(scope for scope in TokenScope if scope in scopes)
        if not wanted:
            raise InvalidInput("scopes", "must name at least one scope")
        if caller.scopes is not None and not caller.scopes.issuperset(wanted):
            raise Forbidden("A token can't make one with scopes that it lacks.", field="scopes")
        now = self._clock.now()
        made = new_credential(TOKEN_PREFIX)
        token = AutomationToken(
            id=new_id(),
            user_id=caller.user.id,
            name=parse_name(name),
            prefix=made.prefix,
            token_digest=token_digest(made.text),
            scopes=wanted,
            created_at=now,
            expires_at=checked_expiry(expires_at, now),
        )
        async with self._store.write() as tx:
            await lock_active(tx, caller)
            await tx.tokens.add(token)
            after = {"name": token.name, "scopes": [s.value for s in wanted], "expires_at": token.expires_at}
            await tx.audit.record(caller.actor, "token.create", "token", token.id, token.name, {}, after)
        return token, Secret(made.text)

    async def revoke(self, caller: Caller, token_id: str) -> AutomationToken:
        """One's own, or anyone's for administrators; final."""
        caller.require_scope(TokenScope.KEYS)
        async with self._store.write() as tx:
            token = await tx.tokens.get(token_id)
            if token is None or (token.user_id != caller.user.id and not caller.is_admin):
                raise NotFound("automation token")
            if token.revoked_at is not None:
                return token
            now = self._clock.now()
            if await tx.tokens.revoke(token_id, now):
                after = {"prefix": token.prefix}
                await tx.audit.record(caller.actor, "token.revoke", "token", token.id, token.name, {}, after)
            return replace(token, revoked_at=now)
