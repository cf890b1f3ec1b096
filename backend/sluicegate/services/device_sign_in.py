"""Assistants that sign in by way of a browser, and the keys that they get and renew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sluicegate.domain.apikey import ApiKey, CredentialStatus, NewCredential, parse_credential
from sluicegate.domain.device import (
    ACCESS_LIFE,
    CODE_LIFE,
    IDLE_LIFE,
    LONGEST_LIFE,
    POLL_SECONDS,
    DeviceProblem,
    DeviceSignIn,
    DeviceState,
    access_credential,
    new_user_code,
    parse_user_code,
    program_of,
)
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.user import User, UserStatus
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import hash_key_secret, random_token, token_digest, verify_hash
from sluicegate.kit.errors import Conflict, Forbidden, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.secret import Secret
from sluicegate.kit.tallies import Tallies, Tally
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.attempts import network_of, take_a_try
from sluicegate.services.auth import actor_of
from sluicegate.services.caller import Caller
from sluicegate.services.keys import new_secret, record_key, revoke_held
from sluicegate.services.users import lock_active
from sluicegate.services.versions import hold

_SPAN = 300.0
# A whole office may begin its day behind one address.
_BEGUN_PER_NETWORK = 300
_REVOKED_PER_NETWORK = 300
_CODES_PER_PERSON = 30
_MAX_ADDRESS = 45
_ANSWERED = "This sign-in was answered already. Begin again in the assistant."


@dataclass(frozen=True, slots=True)
class Begun:
    """What the assistant is told; the code that it shows, and the one that it keeps to itself."""

    user_code: str
    device_code: Secret
    seconds: int


@dataclass(frozen=True, slots=True)
class Issued:
    """A gateway key's text, and the token by which it is renewed; `email` tells whose it is."""

    access_token: Secret
    refresh_token: Secret
    seconds: int
    email: str


@dataclass(frozen=True, slots=True)
class _Good:
    """A sign-in that can be renewed as of `now`, and what it belongs to."""

    sign_in: DeviceSignIn
    key: ApiKey
    user: User
    now: datetime

    @property
    def ends(self) -> datetime:
        return min(self.now + IDLE_LIFE, self.sign_in.created_at + LONGEST_LIFE)

    def same(self, refresh_token: str) -> Issued | None:
        """The key's present text, if it was made here and enough of its time is left: its owner may have rotated it."""
        issued_at = self.sign_in.issued_at
        if issued_at is None or self.sign_in.issued_public_id != self.key.public_id:
            return None
        left = min(issued_at + ACCESS_LIFE, self.ends) - self.now
        if left < ACCESS_LIFE / 2:
            return None
        return _issued(access_credential(refresh_token, self.key.public_id), refresh_token, left, self.user)


class DeviceSignInService:
    """`public_url` gives the address of the console, `tallies` what counts tries. Where it is not `enabled`, nobody
    signs in this way, and whoever did goes on until they have to renew their key."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        public_url: Callable[[], str],
        tallies: Callable[[str], Tallies],
        *,
        enabled: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._begun = tallies("device-begin")
        self._polls = tallies("device-poll")
        self._guesses = tallies("device-guess")
        self.public_url = public_url
        self.enabled = enabled

    async def begin(self, surface: str, user_agent: str, address: str) -> Begun:
        """For an assistant that nobody knows yet; raises Throttled."""
        await take_a_try(self._begun, Tally(network_of(address), _BEGUN_PER_NETWORK, _SPAN))
        device_code, now = random_token(), self._clock.now()
        async with self._store.write() as tx:
            user_code = new_user_code()
            while await tx.devices.by_user_code(user_code) is not None:
                user_code = new_user_code()
            sign_in = DeviceSignIn(
                id=new_id(),
                user_code=user_code,
                code_digest=token_digest(device_code),
                program=program_of(surface, user_agent),
                address=address[:_MAX_ADDRESS],
                created_at=now,
                expires_at=now + CODE_LIFE,
            )
            await tx.devices.add(sign_in)
        return Begun(user_code, Secret(device_code), int(CODE_LIFE.total_seconds()))

    async def waiting(self, caller: Caller, user_code: str) -> DeviceSignIn:
        """What asks by this code. Raises NotFound when nothing does, Conflict when it was answered, Throttled for who
        guesses."""
        self._require_person(caller)
        guesses = Tally(caller.user.id, _CODES_PER_PERSON, _SPAN)
        await take_a_try(self._guesses, guesses)
        code = parse_user_code(user_code)
        async with self._store.read() as tx:
            found = await tx.devices.by_user_code(code) if code is not None else None
        if found is None or (found.state is not DeviceState.PENDING and found.user_id != caller.user.id):
            raise NotFound("sign-in with this code", field="userCode")
        await self._guesses.give_back(guesses.name)
        self._require_open(found)
        return found

    async def answer(self, caller: Caller, user_code: str, *, approve: bool) -> DeviceSignIn:
        """Lets what asks by this code in as the caller, or sends it away; raises as `waiting`."""
        found = await self.waiting(caller, user_code)
        state = DeviceState.APPROVED if approve else DeviceState.DENIED
        async with self._store.write() as tx:
            await lock_active(tx, caller)
            if not await tx.devices.step(found.id, DeviceState.PENDING, state, user_id=caller.user.id):
                raise Conflict(_ANSWERED, field="userCode")
            action, facts = ("approve" if approve else "deny"), {"program": found.program, "address": found.address}
            await tx.audit.record(
                caller.actor, f"device_sign_in.{action}", "user", caller.user.id, caller.user.label, {}, facts
            )
        return replace(found, state=state, user_id=caller.user.id)

    def _require_person(self, caller: Caller) -> None:
        if caller.session_id is None:
            raise Forbidden("Only somebody who is signed in can let an assistant in, not a token.")
        if not self.enabled:
            raise NotFound("sign-in with this code", field="userCode")

    def _require_open(self, found: DeviceSignIn) -> None:
        if found.state is not DeviceState.PENDING:
            raise Conflict(_ANSWERED, field="userCode")
        if found.expires_at <= self._clock.now():
            raise Conflict("This code has expired. Begin again in the assistant.", field="userCode")

    async def redeem(self, device_code: str) -> Issued | DeviceProblem:
        """What an assistant asks again and again until somebody has answered; it gets its key once."""
        digest, now = token_digest(device_code), self._clock.now()
        async with self._store.read() as tx:
            found = await tx.devices.by_code(digest)
        if found is None or found.key_id is not None:
            return DeviceProblem.EXPIRED
        if await self._polls.take(Tally(found.id, 1, POLL_SECONDS - 1.0)) is not None:
            return DeviceProblem.SLOW_DOWN
        if found.state is DeviceState.DENIED:
            return DeviceProblem.DENIED
        if found.expires_at <= now:
            return DeviceProblem.EXPIRED
        if found.user_id is None:
            return DeviceProblem.PENDING
        return await self._hand_out(found, found.user_id, now)

    async def _hand_out(self, found: DeviceSignIn, user_id: str, now: datetime) -> Issued | DeviceProblem:
        refresh_token = random_token()
        made = access_credential(refresh_token)
        key = ApiKey(
            id=new_id(),
            public_id=made.public_id,
            user_id=user_id,
            name=f"{found.program} sign-in",
            prefix=made.prefix,
            secret_hash=await asyncio.to_thread(hash_key_secret, made.secret),
            created_at=now,
            expires_at=now + IDLE_LIFE,
        )
        async with self._store.write() as tx:
            user = await _active(tx, user_id)
            if user is None:
                return DeviceProblem.DENIED
            if not await tx.devices.step(found.id, DeviceState.APPROVED, DeviceState.HANDED_OUT):
                return DeviceProblem.EXPIRED
            await tx.keys.add(key)
            handed = {"key_id": key.id, "refresh_digest": token_digest(refresh_token)}
            await tx.devices.update(found.id, **handed, issued_public_id=made.public_id, issued_at=now)
            after = {"name": key.name, "prefix": key.prefix, "expires_at": key.expires_at}
            await record_key(tx, actor_of(user), "create", key, {}, after)
        return _issued(made, refresh_token, ACCESS_LIFE, user)

    async def renew(self, refresh_token: str) -> Issued | DeviceProblem:
        """The key's text for another while: the same as before as long as half of its time is left, else a new one,
        beside which the old one works until its time is over. The refresh token stays what it is, since the windows of
        an assistant share it."""
        if not self.enabled:
            return DeviceProblem.INVALID
        digest = token_digest(refresh_token)
        async with self._store.read() as tx:
            good = await self._good(tx, digest)
        if good is None:
            return DeviceProblem.INVALID
        if (same := good.same(refresh_token)) is not None:
            return same
        made = access_credential(refresh_token)
        hashed = await asyncio.to_thread(hash_key_secret, made.secret)
        async with self._store.write() as tx:
            await tx.users.locked(good.user.id)
            await hold(tx, thing := Edited(Editable.KEY, good.key.id), None)
            good = await self._good(tx, digest)
            if good is None:
                return DeviceProblem.INVALID
            # Another window may have been quicker.
            if (same := good.same(refresh_token)) is not None:
                return same
            values = new_secret(good.key, made, hashed, good.now + ACCESS_LIFE / 2)
            await tx.versions.step(thing)
            await tx.keys.update(good.key.id, **values, expires_at=good.ends)
            await tx.devices.update(good.sign_in.id, issued_public_id=made.public_id, issued_at=good.now)
            tx.changed(PolicyChange(ChangeKind.KEY, good.key.id))
        return _issued(made, refresh_token, min(ACCESS_LIFE, good.ends - good.now), good.user)

    async def _good(self, tx: Transaction, digest: str) -> _Good | None:
        """What this refresh token belongs to, if that is still to be renewed."""
        sign_in, now = await tx.devices.by_refresh(digest), self._clock.now()
        key = await tx.keys.get(sign_in.key_id) if sign_in is not None and sign_in.key_id is not None else None
        user = await tx.users.get(key.user_id) if key is not None else None
        if sign_in is None or key is None or user is None:
            return None
        good = _Good(sign_in, key, user, now)
        active = user.status is UserStatus.ACTIVE and key.status(now) is CredentialStatus.ACTIVE
        return good if active and good.ends > now else None

    async def revoke(self, token: str, address: str) -> None:
        """Ends the sign-in whose refresh token or key this is; other texts change nothing (RFC 7009, 2.2). Raises
        Throttled."""
        # To check a key takes the processor a while.
        await take_a_try(self._guesses, Tally(f"revoke {network_of(address)}", _REVOKED_PER_NETWORK, _SPAN))
        found = await self._owner_of(token)
        if found is None or found.key_id is None:
            return
        async with self._store.write() as tx:
            await hold(tx, Edited(Editable.KEY, found.key_id), None)
            key = await tx.keys.get(found.key_id)
            if key is None or key.revoked_at is not None:
                return
            user = await tx.users.get(key.user_id)
            if user is None:
                return
            await revoke_held(tx, actor_of(user), key, self._clock.now())

    async def _owner_of(self, token: str) -> DeviceSignIn | None:
        parsed = parse_credential(token)
        async with self._store.read() as tx:
            if parsed is None:
                return await tx.devices.by_refresh(token_digest(token))
            public_id, secret = parsed
            key = await tx.keys.by_public_id(public_id)
            found = await tx.devices.by_key(key.id) if key is not None else None
        if key is None or found is None:
            return None
        hashed = key.hash_of(public_id)
        right = hashed is not None and await asyncio.to_thread(verify_hash, hashed, secret)
        return found if right else None


async def _active(tx: Transaction, user_id: str) -> User | None:
    """Whoever is still let in, which stays true until the transaction ends."""
    user = await tx.users.locked(user_id)
    return user if user is not None and user.status is UserStatus.ACTIVE else None


def _issued(made: NewCredential, refresh_token: str, left: timedelta, user: User) -> Issued:
    return Issued(Secret(made.text), Secret(refresh_token), int(left.total_seconds()), user.email)
