"""Gateway keys: everybody makes their own; administrators see and revoke anyone's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sluicegate.domain.apikey import ApiKey, TokenScope, new_credential
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.user import parse_name
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import hash_key_secret
from sluicegate.kit.errors import NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.secret import Secret
from sluicegate.ports.store import Page, PageRequest, Store
from sluicegate.services.caller import Caller
from sluicegate.services.expiry import checked_expiry

DEFAULT_NAME = "API key"


class KeyService:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def now(self) -> datetime:
        """The instant that decides whether a key has expired."""
        return self._clock.now()

    async def page(self, caller: Caller, page: PageRequest) -> Page[ApiKey]:
        """The caller's own, newest first."""
        caller.require_scope(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.keys.page_of(caller.user.id, page)

    async def count(self, caller: Caller) -> int:
        caller.require_scope(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.keys.count_of(caller.user.id)

    async def of_users(self, caller: Caller, user_ids: Sequence[str]) -> dict[str, list[ApiKey]]:
        for user_id in user_ids:
            caller.require_self_or_admin(user_id, TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.keys.of_users(user_ids)

    async def create(self, caller: Caller, name: str, expires_at: datetime | None) -> tuple[ApiKey, Secret]:
        """A key of the caller's own and its text, which nobody can see again."""
        caller.require_scope(TokenScope.KEYS)
        now = self._clock.now()
        label = parse_name(name, required=False) or DEFAULT_NAME
        expiry = checked_expiry(expires_at, now)
        made = new_credential()
        key = ApiKey(
            id=new_id(),
            public_id=made.public_id,
            user_id=caller.user.id,
            name=label,
            prefix=made.prefix,
            secret_hash=await asyncio.to_thread(hash_key_secret, made.secret),
            created_at=now,
            expires_at=expiry,
        )
        async with self._store.write() as tx:
            await tx.keys.add(key)
            after = {"name": key.name, "prefix": key.prefix, "expires_at": key.expires_at}
            await tx.audit.record(caller.actor, "api_key.create", "api_key", key.id, key.name, {}, after)
            tx.changed(PolicyChange(ChangeKind.KEY, key.id))
        return key, Secret(made.text)

    async def revoke(self, caller: Caller, key_id: str) -> ApiKey:
        """Final; a second time changes nothing."""
        caller.require_scope(TokenScope.KEYS)
        async with self._store.write() as tx:
            key = await tx.keys.get(key_id)
            # Whether somebody else's key exists is nothing that members should learn.
            if key is None or (key.user_id != caller.user.id and not caller.is_admin):
                raise NotFound("API key")
            if key.revoked_at is not None:
                return key
            now = self._clock.now()
            await tx.keys.revoke(key_id, now)
            await tx.audit.record(
                caller.actor, "api_key.revoke", "api_key", key.id, key.name, {}, {"prefix": key.prefix}
            )
            tx.changed(PolicyChange(ChangeKind.KEY, key_id))
            return replace(key, revoked_at=now)
