"""Users and keys as the policy knows them: compiled once, kept until what they came from changes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sluicegate.domain.apikey import parse_credential
from sluicegate.domain.policy import ChangeKind, PolicyChange, Subject, SubjectKind
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import keyed_digest, verify_hash
from sluicegate.kit.errors import NotFound
from sluicegate.kit.tallies import Tallies
from sluicegate.policy import refusals
from sluicegate.policy.pace import KnownLimits, limits_of_key, limits_of_pool, limits_of_user
from sluicegate.policy.principals import CompiledUser, Principal
from sluicegate.policy.singleflight import SingleFlight
from sluicegate.policy.throttle import BadKeys
from sluicegate.ports.policy import PolicySource, UserRows

_MAX_CACHED = 100_000
_EVERYTHING = PolicyChange(ChangeKind.EVERYTHING)


class Changes:
    """Which change came last to what, so that whoever reads can tell whether what was read is of before one. A `mark`
    stands between two of them."""

    def __init__(self) -> None:
        self.mark = 0
        self._last: dict[PolicyChange, int] = {}

    def note(self, changes: Sequence[PolicyChange]) -> None:
        self.mark += 1
        for change in changes:
            self._last[change] = self.mark

    def since(self, mark: int, *what: PolicyChange) -> bool:
        """Whether any of these changed, or everything."""
        return any(self._last.get(change, 0) > mark for change in (*what, _EVERYTHING))


class Known:
    """Lives on one event loop. Of users and keys the last 100,000 are kept."""

    def __init__(self, source: PolicySource, clock: Clock, changes: Changes, tallies: Tallies) -> None:
        """`tallies` counts wrong keys."""
        self._source = source
        self._clock = clock
        self._changes = changes
        self._digest_key = os.urandom(32)
        self._hashing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
        self._bad_keys = BadKeys(tallies)
        self._principals: dict[bytes, Principal] = {}
        self._verified: dict[bytes, str] = {}
        self._users: dict[str, CompiledUser] = {}
        self._key_digests: dict[str, set[bytes]] = {}
        self._group_users: dict[str, set[str]] = {}
        self._resolving = SingleFlight[bytes, Principal]()
        self._compiling = SingleFlight[str, CompiledUser | None]()

    def close(self) -> None:
        self._hashing.shutdown(wait=False, cancel_futures=True)

    # Changes

    def forget_user(self, user_id: str) -> None:
        compiled = self._users.pop(user_id, None)
        if compiled is None:
            return
        compiled.valid = False
        for group_id in compiled.group_ids:
            if members := self._group_users.get(group_id):
                members.discard(user_id)
                if not members:
                    del self._group_users[group_id]

    def forget_members(self, group_id: str) -> None:
        # There may be many, in many groups each, and calls wait: other groups go on naming them, as long as those stay.
        for user_id in self._group_users.pop(group_id, ()):
            if compiled := self._users.pop(user_id, None):
                compiled.valid = False

    def forget_key(self, key_id: str) -> None:
        for digest in self._key_digests.pop(key_id, ()):
            if principal := self._principals.pop(digest, None):
                principal.current = False

    def forget_everybody(self) -> None:
        for compiled in self._users.values():
            compiled.valid = False
        self._users.clear()
        self._group_users.clear()
        for key_id in tuple(self._key_digests):
            self.forget_key(key_id)

    # Keys

    def principal_of(self, credential: str) -> Principal | None:
        """Of a key that was verified before, also when something has changed since."""
        return self._principals.get(keyed_digest(self._digest_key, credential))

    async def verified(self, credential: str, address: str) -> Principal:
        """The principal of a credential, valid as of now. `address` is the caller's, by which floods of wrong keys are
        slowed. Raises Refusal: invalid_api_key."""
        digest = keyed_digest(self._digest_key, credential)
        principal = self._principals.get(digest)
        # Whoever waited for the same look-up may wake up after the next change.
        while principal is None or not principal.valid:
            principal = await self._resolving.run(digest, lambda: self._resolve(digest, credential, address))
        return principal

    async def _resolve(self, digest: bytes, credential: str, address: str) -> Principal:
        parsed = parse_credential(credential)
        if parsed is None:
            raise refusals.invalid_key()
        public_id, secret = parsed
        if digest in self._verified:
            principal = await self._found(digest, public_id, secret)
        else:
            await self._bad_keys.begin(credential, address)
            wrong = False
            try:
                principal = await self._found(digest, public_id, secret)
                wrong = principal is None
            finally:
                await self._bad_keys.end(credential, address, wrong=wrong)
        if principal is None:
            raise refusals.invalid_key()
        return principal

    async def _found(self, digest: bytes, public_id: str, secret: str) -> Principal | None:
        """None for a wrong key."""
        while True:
            mark = self._changes.mark
            rows = await self._source.key(public_id)
            hashed = rows.key.hash_of(public_id) if rows is not None else None
            if rows is None or hashed is None or not await self._verify(hashed, digest, secret):
                self._verified.pop(digest, None)
                return None
            key = rows.key
            compiled = await self.user(key.user_id)
            if compiled is None:
                raise refusals.invalid_key()
            if compiled.valid and not self._changes.since(mark, PolicyChange(ChangeKind.KEY, key.id)):
                return self._remember(digest, Principal(rows, compiled, public_id))

    async def _verify(self, hashed: str, digest: bytes, secret: str) -> bool:
        if self._verified.get(digest) == hashed:
            return True
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(self._hashing, verify_hash, hashed, secret):
            return False
        self._verified[digest] = hashed
        return True

    def _remember(self, digest: bytes, principal: Principal) -> Principal:
        if len(self._principals) >= _MAX_CACHED:
            oldest = next(iter(self._principals))
            forgotten = self._principals.pop(oldest)
            # Whoever still holds it would not hear of changes any more.
            forgotten.current = False
            self._drop_digest(forgotten.key_id, oldest)
            self._verified.pop(oldest, None)
        self._principals[digest] = principal
        self._key_digests.setdefault(principal.key_id, set()).add(digest)
        return principal

    def _drop_digest(self, key_id: str, digest: bytes) -> None:
        # A key that was rotated goes by two secrets for a while; news of it must still reach the other one.
        if digests := self._key_digests.get(key_id):
            digests.discard(digest)
            if not digests:
                del self._key_digests[key_id]

    # Users

    async def user(self, user_id: str) -> CompiledUser | None:
        compiled = self._users.get(user_id)
        if compiled is not None:
            return compiled
        return await self._compiling.run(user_id, lambda: self._compile(user_id))

    async def must_know(self, user_id: str) -> CompiledUser:
        """Raises NotFound."""
        compiled = await self.user(user_id)
        if compiled is None:
            raise NotFound("user")
        return compiled

    async def read_together(self, user_ids: Sequence[str]) -> None:
        """Reads those who are not known at once, for many who are looked at; who is touched meanwhile is left out."""
        unknown = [user_id for user_id in user_ids if user_id not in self._users]
        if len(unknown) > 1:
            mark = self._changes.mark
            for rows in (await self._source.users(unknown)).values():
                self._compiled(rows, mark)

    async def _compile(self, user_id: str) -> CompiledUser | None:
        while True:
            mark = self._changes.mark
            rows = (await self._source.users([user_id])).get(user_id)
            if rows is None:
                return None
            if (compiled := self._compiled(rows, mark)) is not None:
                return compiled

    def _compiled(self, rows: UserRows, mark: int) -> CompiledUser | None:
        """None if a change since then touches what was read."""
        user_id = rows.user.id
        touched = [PolicyChange(ChangeKind.GROUP, g.id) for g in rows.groups]
        if self._changes.since(mark, PolicyChange(ChangeKind.USER, user_id), *touched):
            return None
        if user_id in self._users:
            return self._users[user_id]
        if len(self._users) >= _MAX_CACHED:
            self.forget_user(next(iter(self._users)))
        compiled = CompiledUser(rows, self._clock.time())
        self._users[user_id] = compiled
        for group_id in compiled.group_ids:
            self._group_users.setdefault(group_id, set()).add(user_id)
        return compiled

    # Limits

    def limits_of(self, subject: Subject) -> KnownLimits | None:
        """What limits a user, pool or key, of those who have called of late; None for others."""
        if subject.kind is SubjectKind.KEY:
            digest = next(iter(self._key_digests.get(subject.id, ())), b"")
            return limits_of_key(self._principals.get(digest))
        if subject.kind is SubjectKind.POOL:
            named = (self._users.get(user_id) for user_id in self._group_users.get(subject.id, ()))
            members = {user.user.id: user for user in named if user is not None and subject.id in user.group_ids}
            return limits_of_pool(subject, members)
        return limits_of_user(self._users.get(subject.id), self._clock.time())
