"""The one place that decides: the gateway asks it to admit calls, the console asks it to explain.

Everything it compiles stays valid until a change is applied; a call that was decided while a change came in is decided
again, so that no call is admitted or refused by a policy older than the answer to the mutation that changed it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sluicegate.domain.policy import ChangeKind, PolicyChange, Subject, SubjectKind
from sluicegate.domain.usage import TokenUsage
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import NotFound
from sluicegate.kit.money import Nanos
from sluicegate.kit.tallies import LocalTallies, Tallies
from sluicegate.policy.account import Account, balances
from sluicegate.policy.admitted import Admitted
from sluicegate.policy.compile import Catalog, CompiledModel, Opened, compile_catalog, opened_of
from sluicegate.policy.decide import refusal_of
from sluicegate.policy.effective import EffectivePolicy
from sluicegate.policy.explain import Explanation, explain
from sluicegate.policy.habits import Habits
from sluicegate.policy.known import Changes, Known
from sluicegate.policy.pace import KnownLimits
from sluicegate.policy.principals import Principal, Standing
from sluicegate.policy.refusals import Refusal
from sluicegate.policy.secrets import SecretRules
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
    Vault,
)

_MAX_CACHED = 100_000
_EVERYTHING = PolicyChange(ChangeKind.EVERYTHING)
_SECRETS = PolicyChange(ChangeKind.SECRET_RULES)


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
        self._habits = Habits()
        self._changes = Changes()
        self._known = Known(source, clock, self._changes, tallies or LocalTallies(clock))
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
        self._known.close()

    # Changes

    async def apply(self, changes: Sequence[PolicyChange]) -> None:
        """Puts changes into force: whatever was compiled from what they touch is never used again."""
        self._changes.note(changes)
        for change in changes:
            match change.kind:
                case ChangeKind.USER:
                    self._known.forget_user(change.id)
                case ChangeKind.GROUP:
                    self._known.forget_members(change.id)
                    self._admission.forget(Subject(SubjectKind.POOL, change.id))
                case ChangeKind.KEY:
                    self._admission.forget(Subject(SubjectKind.KEY, change.id))
                    self._known.forget_key(change.id)
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

    def _forget_everything(self) -> None:
        self._admission.forget()
        self._known.forget_everybody()
        self._stale_catalog = True
        self._forget_secrets()

    def _forget_secrets(self) -> None:
        self._stale_secrets = True
        # Until they are read again, calls that need not have asked must.
        self.secrets = self.secrets or SecretRules(())

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
                # Whoever asks meanwhile waits: what is known is older than what is being read.
                while self._stale_secrets:
                    mark = self._changes.mark
                    rules = await self._source.secret_rules()
                    compiled = await asyncio.to_thread(SecretRules, rules) if rules else None
                    if not self._changes.since(mark, _SECRETS):
                        self.secrets, self._stale_secrets = compiled, False
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
        principal = self._known.principal_of(credential)
        if principal is None or not principal.valid or not self._current():
            return None
        return self._fit_to_call(principal)

    async def authenticate(self, credential: str, address: str) -> Principal:
        """The principal of a credential. `address` is the caller's, by which floods of wrong keys are slowed.

        Raises Refusal: invalid_api_key, key_revoked, key_expired, user_suspended.
        """
        await self._catch_up()
        return self._fit_to_call(await self._known.verified(credential, address))

    def _fit_to_call(self, principal: Principal) -> Principal:
        principal.check(self._clock.time())
        return principal

    def remembered(self, credential: str) -> Principal | None:
        """Whose key it is, as far as that is known without asking anybody; also of one that may not call."""
        return self._known.principal_of(credential)

    # What somebody may do

    def known_limits(self, subject: Subject) -> KnownLimits | None:
        """What limits a user, pool or key, of those who have called of late; None for others."""
        return self._known.limits_of(subject)

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
        return self._models(Standing(await self._known.must_know(user_id)))

    def _models(self, standing: Standing) -> list[CompiledModel]:
        self._price_if_due()
        found = [m for m in self.catalog.models.values() if m.id in standing.granted and m.routes]
        return sorted(found, key=lambda m: m.slug)

    async def effective(self, user_ids: Sequence[str]) -> dict[str, tuple[EffectivePolicy, dict[Subject, SubjectUse]]]:
        """Users' merged policies, and what is used now of each one's own limits and pools; without those who are not
        there."""
        await self._known.read_together(user_ids)
        found: dict[str, tuple[EffectivePolicy, dict[Subject, SubjectUse]]] = {}
        for user_id in user_ids:
            compiled = await self._known.user(user_id)
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
            ask = self._ask(principal, model, input_tokens, max_tokens, self._clock.time())
            verdict = await self._admission.admit(ask)
            now = self._clock.time()
            over = principal.limits_at(now) is not ask.limits or now >= principal.ends
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
        if now >= principal.ends:
            principal.check(now)
        if now >= self.catalog.until:
            self._price()
        model = principal.access(slug, self.catalog)
        ask = self._ask(principal, model, input_tokens, max_tokens, now)
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
        now: float,
    ) -> Ask:
        user_id = standing.compiled.user.id
        output, cost = self._habits.expected(user_id, model.id, model.top_prices, input_tokens, max_tokens)
        return Ask(standing.limits_at(now), input_tokens, output, cost, standing.counted)

    def _refusal(self, denial: Denial, standing: Standing) -> Refusal:
        now = self._clock.now()
        return refusal_of(denial, standing.source_of(denial), self._periods.at(now), now)

    def settle(self, admitted: Admitted, usage: TokenUsage, cost: Nanos, call_id: str = "") -> None:
        """Replaces the reservation by what was used; `call_id` is what the ledger knows the call by."""
        self._admission.settle(admitted.lease, usage.limited_input, usage.output, cost, call_id)
        if usage.output:
            model = admitted.model
            user_id = admitted.principal.compiled.user.id
            self._habits.learn(user_id, model.id, model.top_prices, admitted.input_estimate, usage, cost)

    def cancel(self, admitted: Admitted) -> None:
        """Gives back everything that the call took, as if it had not come."""
        self._admission.cancel(admitted.lease)

    def room_of(self, admitted: Admitted, now: float, *, caps: bool = True) -> Room:
        """What is left of the caller's limits at `now`, this moment in seconds since the epoch; without `caps`, only of
        rates."""
        return self._admission.room_of(admitted.principal.limits_at(now), caps=caps)

    def renew(self, admitted: Admitted) -> None:
        """Tells that the call is alive."""
        self._admission.renew(admitted.lease)

    async def explain(self, user_id: str, slug: str, key_id: str | None = None) -> Explanation:
        """What the gateway would answer to a small call now, with this key where one is given, step by step; raises
        NotFound for an unknown user or key."""
        if self._stale_catalog:
            await self._reload_catalog()
        self._price_if_due()
        standing = Standing(await self._known.must_know(user_id))
        if key_id is not None:
            rows = await self._source.key_by_id(key_id)
            if rows is None or rows.key.user_id != user_id:
                raise NotFound("API key", field="keyId")
            standing = Principal(rows, standing.compiled, rows.key.public_id)
        return await explain(standing, slug, self.catalog, self._clock.time(), self._attempt)

    async def _attempt(self, standing: Standing, model: CompiledModel) -> Refusal | None:
        while True:
            ask = self._ask(standing, model, 1, 1, self._clock.time())
            denial = await self._admission.peek(ask)
            if standing.limits_at(self._clock.time()) is ask.limits:
                return self._refusal(denial, standing) if denial is not None else None
