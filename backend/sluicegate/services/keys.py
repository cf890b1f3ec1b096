"""Gateway keys: everybody makes their own; administrators see and revoke anyone's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sluicegate.domain.apikey import ApiKey, CredentialStatus, NewCredential, TokenScope, new_credential
from sluicegate.domain.audit import Actor
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.user import parse_name
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import hash_key_secret
from sluicegate.kit.errors import Conflict, Forbidden, InvalidInput, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.secret import Secret
from sluicegate.ports.pages import KeyFilter, KeyState, Page, PageRequest
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT
from sluicegate.services.caller import Caller
from sluicegate.services.expiry import checked_expiry
from sluicegate.services.narrowing import (
    WHOLE,
    KeyChange,
    Narrowing,
    narrowings_of,
    require_granted,
    set_narrowing,
    shown_key,
)
from sluicegate.services.users import lock_active
from sluicegate.services.versions import hold

DEFAULT_NAME = "API key"
MAX_OVERLAP_HOURS = 720
# After so many days without a call a key is worth a question to its owner.
STALE_DAYS = 30


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

    async def page_of_all(
        self, caller: Caller, search: str | None, state: KeyState | None, page: PageRequest
    ) -> Page[ApiKey]:
        """Everybody's, newest first; for administrators."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.keys.page(self._filter(search, state), page)

    async def count_of_all(self, caller: Caller, search: str | None, state: KeyState | None) -> int:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.keys.count(self._filter(search, state))

    def _filter(self, search: str | None, state: KeyState | None) -> KeyFilter:
        now = self._clock.now()
        return KeyFilter(now, now - timedelta(days=STALE_DAYS), search, state)

    async def narrowings(self, caller: Caller, key_ids: Sequence[str]) -> dict[str, Narrowing]:
        """What each key may use less than its owner; members see their own."""
        caller.require_scope(TokenScope.READ)
        async with self._store.read() as tx:
            keys = await tx.keys.get_many(key_ids)
            for key in keys.values():
                caller.require_self_or_admin(key.user_id, TokenScope.READ)
            return await narrowings_of(tx, list(keys.values()))

    async def of_users(self, caller: Caller, user_ids: Sequence[str]) -> dict[str, list[ApiKey]]:
        for user_id in user_ids:
            caller.require_self_or_admin(user_id, TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.keys.of_users(user_ids)

    async def create(
        self, caller: Caller, name: str, expires_at: datetime | None, narrowing: Narrowing = WHOLE
    ) -> tuple[ApiKey, Secret]:
        """A key of the caller's own and its text, which nobody can see again."""
        caller.require_scope(TokenScope.KEYS)
        now = self._clock.now()
        label = parse_name(name, required=False) or DEFAULT_NAME
        expiry = checked_expiry(expires_at, now)
        narrowing = narrowing.checked()
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
            model_ids=narrowing.model_ids,
        )
        async with self._store.write() as tx:
            await lock_active(tx, caller)
            await require_granted(tx, key.user_id, narrowing.model_ids or ())
            await tx.keys.add(key)
            await set_narrowing(tx, key.id, narrowing)
            after = {"prefix": key.prefix, **await shown_key(tx, key, narrowing)}
            await record_key(tx, caller.actor, "create", key, {}, {k: v for k, v in after.items() if v is not None})
        return key, Secret(made.text)

    async def update(
        self, caller: Caller, key_id: str, change: KeyChange, expected_version: int | None = None
    ) -> ApiKey:
        """Members their own, administrators anyone's."""
        caller.require_scope(TokenScope.KEYS)
        now = self._clock.now()
        async with self._store.write() as tx:
            await _require(tx, caller, key_id)
            await hold(tx, thing := Edited(Editable.KEY, key_id), expected_version)
            before = await _require_active(tx, caller, key_id, now)
            if change.expires_at is not ABSENT and await tx.devices.by_key(key_id) is not None:
                message = "This key belongs to an assistant's sign-in, which renews it. Revoke it to end that."
                raise Conflict(message, field="expiresAt")
            held = (await narrowings_of(tx, [before]))[key_id]
            narrowing = held.changed(change).checked()
            after = replace(
                before,
                name=before.name if change.name is ABSENT else parse_name(change.name),
                expires_at=before.expires_at if change.expires_at is ABSENT else checked_expiry(change.expires_at, now),
                model_ids=narrowing.model_ids,
            )
            if (after, narrowing) == (before, held):
                return before
            new_models = set(narrowing.model_ids or ()) - set(held.model_ids or ())
            await require_granted(tx, before.user_id, sorted(new_models))
            await tx.versions.step(thing)
            await tx.keys.update(key_id, name=after.name, expires_at=after.expires_at, model_ids=after.model_ids)
            await set_narrowing(tx, key_id, narrowing)
            states = await shown_key(tx, before, held), await shown_key(tx, after, narrowing)
            await record_key(tx, caller.actor, "update", after, *states)
            return after

    async def rotate(self, caller: Caller, key_id: str, overlap_hours: int) -> tuple[ApiKey, Secret]:
        """A new secret for a key of the caller's own; the old one works for so many hours more. A secret that an
        earlier rotation left ends now."""
        caller.require_scope(TokenScope.KEYS)
        if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
            raise InvalidInput("overlapHours", f"must lie between 0 and {MAX_OVERLAP_HOURS}")
        made, now = new_credential(), self._clock.now()
        hashed = await asyncio.to_thread(hash_key_secret, made.secret)
        async with self._store.write() as tx:
            await lock_active(tx, caller)
            await _require(tx, caller, key_id)
            await hold(tx, thing := Edited(Editable.KEY, key_id), None)
            before = await _require_active(tx, caller, key_id, now)
            if before.user_id != caller.user.id:
                raise Forbidden("Only the owner of a key can get a new secret for it.")
            values = new_secret(before, made, hashed, now + timedelta(hours=overlap_hours))
            await tx.versions.step(thing)
            await tx.keys.update(key_id, **values)
            after = replace(before, **values)
            states = ({"prefix": k.prefix, "previous_expires_at": k.previous_expires_at} for k in (before, after))
            await record_key(tx, caller.actor, "rotate", after, *states)
        return after, Secret(made.text)

    async def revoke(self, caller: Caller, key_id: str) -> ApiKey:
        """Final; a second time changes nothing."""
        caller.require_scope(TokenScope.KEYS)
        async with self._store.write() as tx:
            await _require(tx, caller, key_id)
            await hold(tx, Edited(Editable.KEY, key_id), None)
            key = await _require(tx, caller, key_id)
            if key.revoked_at is not None:
                return key
            return await revoke_held(tx, caller.actor, key, self._clock.now())


def new_secret(key: ApiKey, made: NewCredential, hashed: str, until: datetime) -> dict[str, Any]:
    """What changes of a key that gets another secret, while its present one works on until then."""
    return {
        "public_id": made.public_id,
        "prefix": made.prefix,
        "secret_hash": hashed,
        "previous_public_id": key.public_id,
        "previous_secret_hash": key.secret_hash,
        "previous_expires_at": until,
    }


async def revoke_held(tx: Transaction, actor: Actor, key: ApiKey, at: datetime) -> ApiKey:
    """Of one that is held and was not revoked before."""
    await tx.keys.revoke(key.id, at)
    await record_key(tx, actor, "revoke", key, {}, {"prefix": key.prefix})
    return replace(key, revoked_at=at)


async def _require(tx: Transaction, caller: Caller, key_id: str) -> ApiKey:
    key = await tx.keys.get(key_id)
    # Whether somebody else's key exists is nothing that members should learn.
    if key is None or (key.user_id != caller.user.id and not caller.is_admin):
        raise NotFound("API key")
    return key


async def _require_active(tx: Transaction, caller: Caller, key_id: str, now: datetime) -> ApiKey:
    key = await _require(tx, caller, key_id)
    if key.status(now) is not CredentialStatus.ACTIVE:
        raise Conflict(f"This key is {key.status(now)}; create a new one.", field="id")
    return key


async def record_key(
    tx: Transaction, actor: Actor, action: str, key: ApiKey, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Writes a change down, and has every process forget what it knew of the key."""
    await tx.audit.record(actor, f"api_key.{action}", "api_key", key.id, key.name, before, after)
    tx.changed(PolicyChange(ChangeKind.KEY, key.id))
