"""The one place that decides: the gateway asks it to admit calls, the console asks it to explain.

Everything it compiles stays valid until a change is applied; a call that was decided while a change came in is decided
again, so that no call is admitted or refused by a policy older than the answer to the mutation that changed it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sluicegate.domain.apikey import parse_credential
from sluicegate.domain.policy import ChangeKind, PolicyChange, Subject, SubjectKind
from sluicegate.domain.usage import TokenUsage
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import keyed_digest, verify_hash
from sluicegate.kit.errors import NotFound
from sluicegate.kit.money import Nanos
from sluicegate.kit.tallies import LocalTallies, Tallies
from sluicegate.policy import refusals
from sluicegate.policy.account import Account, balances
from sluicegate.policy.admitted import Admitted
from sluicegate.policy.compile import Catalog, CompiledModel, Opened, compile_catalog, opened_of
from sluicegate.policy.decide import refusal_of
from sluicegate.policy.effective import EffectivePolicy
from sluicegate.policy.explain import Explanation, explain
from sluicegate.policy.habits import Habits
from sluicegate.policy.pace import KnownLimits, limits_of_key, limits_of_pool, limits_of_user
from sluicegate.policy.principals import CompiledUser, Principal, Standing
from sluicegate.policy.refusals import Refusal
from sluicegate.policy.secrets import SecretRules
from sluicegate.policy.singleflight import SingleFlight
from sluicegate.policy.throttle import BadKeys
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import (
    AdmissionStore,
    Ask,
    CatalogRows,
    Denial,
    Freshness,
    Lease,
    PolicySource,
    Room,
    SubjectUse,
    UserRows,
    Vault,
)

_MAX_CACHED = 100_000
_EVERYTHING = PolicyChange(ChangeKind.EVERYTHING)


class PolicyService:
    """Compiles, caches, decides. Lives on one event loop; its methods are not safe from other threads."""

    def __init__(
        self,
        source: PolicySource,
        vault: Vault,
        admission: AdmissionStore[Any],
        clock: Clock,
        periods: PeriodClock,
        freshness: Freshness | None = None,
        tallies: Tallies | None = None,
    ) -> None:
        """`freshness` is for one of several processes; None where nobody else changes anything. `tallies` counts wrong
        keys; without, this process counts them for itself."""
        self._freshness = freshness
        self._source = source
        self._vault = vault
        self._admission = admission
        self._clock = clock
        self._periods = periods
        self._digest_key = os.urandom(32)
        self._hashing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
        self._habits = Habits()
        self._bad_keys = BadKeys(tallies or LocalTallies(clock))
        self._principals: dict[bytes, Principal] = {}
        self._verified: dict[bytes, str] = {}
        self._users: dict[str, CompiledUser] = {}
        self._key_digests: dict[str, set[bytes]] = {}
        self._group_users: dict[str, set[str]] = {}
        self._resolving = SingleFlight[bytes, Principal]()
        self._compiling = SingleFlight[str, CompiledUser | None]()
        self._generation = 0
        self._last_change: dict[PolicyChange, int] = {}
        self._reloading = asyncio.Lock()
        self._stale_catalog = True
        self._rows = CatalogRows((), {}, {}, {})
        self._opened = Opened()
        self.catalog = Catalog(())
        self._stale_secrets = True
        self.secrets: SecretRules | None = None

    async def start(self) -> None:
        """Loads the catalogue and the secret rules; raises what the source raises."""
        await self._reload_catalog()
        await self.secret_rules()

    def close(self) -> None:
        self._hashing.shutdown(wait=False, cancel_futures=True)

    # Changes

    async def apply(self, changes: Sequence[PolicyChange]) -> None:
        """Puts changes into force: whatever was compiled from what they touch is never used again."""
        self._generation += 1
        for change in changes:
            self._last_change[change] = self._generation
            match change.kind:
                case ChangeKind.USER:
                    self._forget_user(change.id)
                case ChangeKind.GROUP:
                    for user_id in tuple(self._group_users.get(change.id, ())):
                        self._forget_user(user_id)
                    self._admission.forget(Subject(SubjectKind.POOL, change.id))
                case ChangeKind.KEY:
                    self._forget_key(change.id)
                case ChangeKind.CATALOG:
                    self._stale_catalog = True
                case ChangeKind.SECRET_RULES:
                    self._forget_secrets()
                case ChangeKind.EVERYTHING:
                    self._forget_everything()
        if self._stale_catalog:
            await self._reload_catalog()
        await self.secret_rules()

    def _current(self) -> bool:
        return self._freshness is None or self._freshness.current()

    async def _catch_up(self) -> None:
        """What others have changed is in force here afterwards."""
        if self._freshness is not None and not self._freshness.current():
            await self._freshness.refresh()

    def _forget_user(self, user_id: str) -> None:
        compiled = self._users.pop(user_id, None)
        if compiled is None:
            return
        compiled.valid = False
        for group_id in compiled.group_ids:
            if members := self._group_users.get(group_id):
                members.discard(user_id)
                if not members:
                    del self._group_users[group_id]

    def _forget_key(self, key_id: str) -> None:
        self._admission.forget(Subject(SubjectKind.KEY, key_id))
        for digest in self._key_digests.pop(key_id, ()):
            if principal := self._principals.pop(digest, None):
                principal.current = False

    def _forget_everything(self) -> None:
        self._admission.forget()
        for user_id in tuple(self._users):
            self._forget_user(user_id)
        for key_id in tuple(self._key_digests):
            self._forget_key(key_id)
        self._stale_catalog = True
        self._forget_secrets()

    def _forget_secrets(self) -> None:
        self._stale_secrets = True
        # Until they are read again, calls that need not have asked must.
        self.secrets = self.secrets or SecretRules(())

    def _changed_since(self, generation: int, *what: PolicyChange) -> bool:
        return any(self._last_change.get(change, 0) > generation for change in (*what, _EVERYTHING))

    async def _reload_catalog(self) -> None:
        async with self._reloading:
            while self._stale_catalog:
                self._stale_catalog = False
                try:
                    self._rows = await self._source.catalog(self._clock.now())
                    self._opened = opened_of(self._rows, self._vault)
                    self._price()
                except BaseException:
                    self._stale_catalog = True
                    raise

    async def secret_rules(self) -> SecretRules | None:
        """Those that are on, as of now; `secrets` is None as long as there are none."""
        if self._stale_secrets:
            async with self._reloading:
                while self._stale_secrets:
                    self._stale_secrets = False
                    try:
                        rules = await self._source.secret_rules()
                        self.secrets = await asyncio.to_thread(SecretRules, rules) if rules else None
                    except BaseException:
                        self._stale_secrets = True
                        raise
        return self.secrets

    def _price(self) -> None:
        """Makes the catalogue anew from rows at hand, so that prices change on time also while no database answers."""
        self.catalog = compile_catalog(self._rows, self._opened, self._clock.now())

    def _price_if_due(self) -> None:
        if self._clock.time() >= self.catalog.until:
            self._price()

    # Who calls

    def known(self, credential: str) -> Principal | None:
        """The principal of a key that was verified before and has not changed since; None when it must be looked up.

        Raises Refusal for a key or user that may not call.
        """
        principal = self._principals.get(keyed_digest(self._digest_key, credential))
        if principal is None or not principal.valid or not self._current():
            return None
        return self._fit_to_call(principal)

    async def authenticate(self, credential: str, address: str) -> Principal:
        """The principal of a credential. `address` is the caller's, by which floods of wrong keys are slowed.

        Raises Refusal: invalid_api_key, key_revoked, key_expired, user_suspended.
        """
        await self._catch_up()
        digest = keyed_digest(self._digest_key, credential)
        principal = self._principals.get(digest)
        # Whoever waited for the same look-up may wake up after the next change.
        while principal is None or not principal.valid:
            principal = await self._resolving.run(digest, lambda: self._resolve(digest, credential, address))
        return self._fit_to_call(principal)

    def _fit_to_call(self, principal: Principal) -> Principal:
        principal.check(self._clock.time())
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
            generation = self._generation
            rows = await self._source.key(public_id)
            hashed = rows.key.hash_of(public_id) if rows is not None else None
            if rows is None or hashed is None or not await self._verify(hashed, digest, secret):
                self._verified.pop(digest, None)
                return None
            key = rows.key
            compiled = await self._user(key.user_id)
            if compiled is None:
                raise refusals.invalid_key()
            if compiled.valid and not self._changed_since(generation, PolicyChange(ChangeKind.KEY, key.id)):
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

    def remembered(self, credential: str) -> Principal | None:
        """Whose key it is, as far as that is known without asking anybody; also of one that may not call."""
        return self._principals.get(keyed_digest(self._digest_key, credential))

    # What somebody may do

    def known_limits(self, subject: Subject) -> KnownLimits | None:
        """What limits a user, pool or key, of those who have called of late; None for others."""
        if subject.kind is SubjectKind.KEY:
            digest = next(iter(self._key_digests.get(subject.id, ())), b"")
            return limits_of_key(self._principals.get(digest))
        if subject.kind is SubjectKind.POOL:
            members = self._group_users.get(subject.id, ())
            return limits_of_pool(subject, {user_id: self._users[user_id] for user_id in members})
        return limits_of_user(self._users.get(subject.id), self._clock.time())

    async def _user(self, user_id: str) -> CompiledUser | None:
        compiled = self._users.get(user_id)
        if compiled is not None:
            return compiled
        return await self._compiling.run(user_id, lambda: self._compile_user(user_id))

    async def _compile_user(self, user_id: str) -> CompiledUser | None:
        while True:
            generation = self._generation
            rows = (await self._source.users([user_id])).get(user_id)
            if rows is None:
                return None
            if (compiled := self._compiled(rows, generation)) is not None:
                return compiled

    async def _compile_users(self, user_ids: Sequence[str]) -> None:
        """Many at once, for those who are looked at together; who is touched meanwhile is left out."""
        if len(user_ids) > 1:
            generation = self._generation
            for rows in (await self._source.users(user_ids)).values():
                self._compiled(rows, generation)

    def _compiled(self, rows: UserRows, generation: int) -> CompiledUser | None:
        """None if a change since then touches what was read."""
        user_id = rows.user.id
        touched = [PolicyChange(ChangeKind.GROUP, g.id) for g in rows.groups]
        if self._changed_since(generation, PolicyChange(ChangeKind.USER, user_id), *touched):
            return None
        if user_id in self._users:
            return self._users[user_id]
        if len(self._users) >= _MAX_CACHED:
            self._forget_user(next(iter(self._users)))
        compiled = CompiledUser(rows, self._clock.time())
        self._users[user_id] = compiled
        for group_id in compiled.group_ids:
            self._group_users.setdefault(group_id, set()).add(user_id)
        return compiled

    async def _must_know(self, user_id: str) -> CompiledUser:
        compiled = await self._user(user_id)
        if compiled is None:
            raise NotFound("user")
        return compiled

    async def current_catalog(self) -> Catalog:
        """What is served now."""
        if self._stale_catalog:
            await self._reload_catalog()
        self._price_if_due()
        return self.catalog

    async def check_access(self, principal: Principal, slug: str) -> CompiledModel:
        """The model, if it is active and granted; raises Refusal: model_not_found, model_not_granted."""
        if self._stale_catalog:
            await self._reload_catalog()
        self._price_if_due()
        return principal.access(slug, self.catalog)

    def models_of(self, principal: Principal) -> list[CompiledModel]:
        """The active models that the principal may call, by slug."""
        return self._models(principal)

    async def models_of_user(self, user_id: str) -> list[CompiledModel]:
        """As `models_of`; raises NotFound."""
        return self._models(Standing(await self._must_know(user_id)))

    def _models(self, standing: Standing) -> list[CompiledModel]:
        self._price_if_due()
        found = [m for m in self.catalog.models.values() if m.id in standing.granted and m.routes]
        return sorted(found, key=lambda m: m.slug)

    async def effective(self, user_ids: Sequence[str]) -> dict[str, tuple[EffectivePolicy, dict[Subject, SubjectUse]]]:
        """Users' merged policies, and what is used now of each one's own limits and pools; without those who are not
        there."""
        await self._compile_users([user_id for user_id in user_ids if user_id not in self._users])
        found: dict[str, tuple[EffectivePolicy, dict[Subject, SubjectUse]]] = {}
        for user_id in user_ids:
            compiled = await self._user(user_id)
            if compiled is not None:
                effective = compiled.at(self._clock.time()).effective
                subjects = [Subject(SubjectKind.USER, user_id), *(pool.source.subject for pool in effective.pools)]
                found[user_id] = effective, {subject: await self._admission.use_of(subject) for subject in subjects}
        return found

    async def account_of(self, principal: Principal) -> Account:
        """What is left of everything that limits the calls of a key."""
        limits = principal.limits_at(self._clock.time())
        uses = {values.subject: await self._admission.use_of(values.subject) for values in limits}
        now = self._clock.now()
        # While the counters were read, an override may have ended: one policy for all of the answer.
        if principal.limits_at(now.timestamp()) is not limits:
            return await self.account_of(principal)
        found = balances(principal, limits, uses, self._periods.at(now), now)
        return Account(list(found), uses[Subject(SubjectKind.USER, principal.user.id)].spent)

    async def use_of(self, subject: Subject, *, limited: bool) -> SubjectUse:
        """What is used now of a pool or through a key; `limited` tells whether it sets anything."""
        if not limited:
            # Calls do not count for it as they come: what was read last may be old.
            self._admission.forget(subject)
        return await self._admission.use_of(subject)

    # Admission

    async def admit(
        self,
        credential: str,
        address: str,
        slug: str,
        input_tokens: int,
        max_tokens: int | None,
        principal: Principal | None = None,
    ) -> Admitted:
        """Decides one call and takes what it will need; raises Refusal, and then nothing is taken.

        `principal` is whose credential it is, for those who have asked before.
        """
        while True:
            await self._catch_up()
            if principal is None or not principal.valid:
                principal = await self.authenticate(credential, address)
            if self._stale_catalog:
                await self._reload_catalog()
                continue
            admitted = self.admit_now(principal, slug, input_tokens, max_tokens)
            if admitted is not None:
                return admitted
            catalog = self.catalog
            model = principal.access(slug, catalog)
            ask = self._ask(principal, model, input_tokens, max_tokens)
            verdict = await self._admission.admit(ask)
            over = principal.limits_at(self._clock.time()) is not ask.limits
            if over or not principal.valid or catalog is not self.catalog or not self._current():
                if not isinstance(verdict, Denial):
                    self._admission.cancel(verdict)
                continue
            return self._admitted(verdict, ask, principal, model)

    def admit_now(self, principal: Principal, slug: str, input_tokens: int, max_tokens: int | None) -> Admitted | None:
        """As `admit`, in one step; None where something must be read first."""
        if self._stale_catalog or not principal.valid or not self._current():
            return None
        now = self._clock.time()
        principal.check(now)
        if now >= self.catalog.until:
            self._price()
        model = principal.access(slug, self.catalog)
        ask = self._ask(principal, model, input_tokens, max_tokens)
        verdict = self._admission.admit_now(ask)
        return None if verdict is None else self._admitted(verdict, ask, principal, model)

    def _admitted(self, verdict: Lease | Denial, ask: Ask, principal: Principal, model: CompiledModel) -> Admitted:
        if isinstance(verdict, Denial):
            refusal = self._refusal(verdict, principal)
            refusal.room = self._admission.room_of(ask.limits)
            raise refusal
        return Admitted(principal, model, verdict, ask.input_tokens, ask.output_tokens, ask.cost)

    def _ask(
        self,
        standing: Standing,
        model: CompiledModel,
        input_tokens: int,
        max_tokens: int | None,
    ) -> Ask:
        habits, user_id = self._habits, standing.user.id
        output = habits.output(user_id, model.id, max_tokens)
        cost = habits.cost(user_id, model.id, model.top_prices, input_tokens, output)
        return Ask(standing.limits_at(self._clock.time()), input_tokens, output, cost, standing.counted)

    def _refusal(self, denial: Denial, standing: Standing) -> Refusal:
        now = self._clock.now()
        return refusal_of(denial, standing.source_of(denial), self._periods.at(now), now)

    def settle(self, admitted: Admitted, usage: TokenUsage, cost: Nanos) -> None:
        """Replaces the reservation by what was used."""
        self._admission.settle(admitted.lease, usage.limited_input, usage.output, cost)
        if usage.output:
            model = admitted.model
            user_id = admitted.principal.user.id
            self._habits.learn(user_id, model.id, model.top_prices, admitted.input_estimate, usage, cost)

    def cancel(self, admitted: Admitted) -> None:
        """Gives back everything that the call took, as if it had not come."""
        self._admission.cancel(admitted.lease)

    def room_of(self, admitted: Admitted, *, caps: bool = True) -> Room:
        """What is left of the caller's limits at this moment; without `caps`, only of rates."""
        return self._admission.room_of(admitted.principal.limits_at(self._clock.time()), caps=caps)

    def renew(self, admitted: Admitted) -> None:
        """Tells that the call is alive."""
        self._admission.renew(admitted.lease)

    async def explain(self, user_id: str, slug: str, key_id: str | None = None) -> Explanation:
        """What the gateway would answer to a small call now, with this key where one is given, step by step; raises
        NotFound for an unknown user or key."""
        if self._stale_catalog:
            await self._reload_catalog()
        self._price_if_due()
        standing = Standing(await self._must_know(user_id))
        if key_id is not None:
            rows = await self._source.key_by_id(key_id)
            if rows is None or rows.key.user_id != user_id:
                raise NotFound("API key", field="keyId")
            standing = Principal(rows, standing.compiled, rows.key.public_id)
        return await explain(standing, slug, self.catalog, self._clock.time(), self._attempt)

    async def _attempt(self, standing: Standing, model: CompiledModel) -> Refusal | None:
        while True:
            ask = self._ask(standing, model, 1, 1)
            denial = await self._admission.peek(ask)
            if standing.limits_at(self._clock.time()) is ask.limits:
                return self._refusal(denial, standing) if denial is not None else None
