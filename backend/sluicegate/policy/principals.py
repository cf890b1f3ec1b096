"""Who calls, ready to decide with: users with their merged policy, keys that narrow it."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.policy import Dimension, Subject, SubjectKind, Window
from sluicegate.domain.user import User, UserStatus
from sluicegate.policy import refusals
from sluicegate.policy.compile import Catalog, CompiledModel
from sluicegate.policy.effective import Constraint, EffectivePolicy, effective_policy, pool_of
from sluicegate.policy.merge import Source
from sluicegate.ports.policy import Denial, KeyRows, LimitSet, UserRows


class CompiledUser:
    """One user's policy. `effective` and what comes from it hold until the first override ends, which `at` sees to.
    `valid` turns False, for good, when something it came from changed. Instants are in seconds since the epoch."""

    __slots__ = ("counted", "effective", "granted", "group_ids", "limits", "rows", "until", "user", "valid")

    def __init__(self, rows: UserRows, now: float) -> None:
        self.rows = rows
        self.user = rows.user
        self._merge(now)
        self.group_ids = tuple(g.id for g in self.effective.groups)
        self.granted = frozenset(self.effective.grants)
        self.counted = tuple(pool_of(group) for group in self.effective.groups)
        self.valid = True

    def _merge(self, now: float) -> None:
        self.effective = effective_policy(self.rows, datetime.fromtimestamp(now, UTC))
        pools = (pool.limit_set() for pool in self.effective.pools)
        self.limits: tuple[LimitSet, ...] = (self.effective.limit_set(), *pools)
        self.until = min((o.ends_at.timestamp() for o in self.effective.overrides), default=math.inf)

    def at(self, now: float) -> CompiledUser:
        """Itself, as it is at an instant."""
        if now >= self.until:
            self._merge(now)
        return self


class Standing:
    """What may be done: a user's policy, narrowed by a key where one is used."""

    __slots__ = ("_base", "_limits", "compiled", "counted", "granted", "narrowing")

    def __init__(self, compiled: CompiledUser, rows: KeyRows | None = None) -> None:
        self.compiled = compiled
        self.granted = compiled.granted
        self.counted = compiled.counted
        self._base = self._limits = compiled.limits
        self.narrowing: Constraint | None = None
        if rows is not None:
            source = Source(Subject(SubjectKind.KEY, rows.key.id), rows.key.name)
            self.narrowing = Constraint(source, rows.limits, rows.budget)
            self.counted = (*self.counted, source.subject)
            self._limits = self._with_own(compiled.limits)
            if rows.key.model_ids is not None:
                self.granted = self.granted.intersection(rows.key.model_ids)

    def limits_at(self, now: float) -> tuple[LimitSet, ...]:
        """The user's own merged values, those of the groups' pools, then the key's; the same object for as long as
        they are the same."""
        base = self.compiled.at(now).limits
        if base is not self._base:
            self._base, self._limits = base, self._with_own(base)
        return self._limits

    def _with_own(self, base: tuple[LimitSet, ...]) -> tuple[LimitSet, ...]:
        if self.narrowing is None or self.narrowing.empty:
            return base
        return (*base, self.narrowing.limit_set())

    @property
    def user(self) -> User:
        return self.compiled.user

    @property
    def effective(self) -> EffectivePolicy:
        """As of the last `limits_at`."""
        return self.compiled.effective

    def check(self, now: float) -> None:
        """Raises Refusal for those who may not call at all; `now` is in seconds since the epoch."""
        if self.compiled.user.status is not UserStatus.ACTIVE:
            raise refusals.user_suspended()

    def access(self, name: str, catalog: Catalog) -> CompiledModel:
        """The model, if it is active and granted; raises Refusal: model_not_found, model_not_granted."""
        model = catalog.find(name)
        if model is None:
            raise refusals.model_not_found(name)
        if model.id not in self.granted:
            if model.id in self.compiled.granted and self.narrowing is not None:
                raise refusals.model_not_on_key(name, self.narrowing.source.name)
            raise refusals.model_not_granted(name)
        return model

    def source_of(self, denial: Denial) -> Source:
        """Who set the value that stood in the way."""
        return self.setter_of(denial.subject, denial.dimension or denial.over)

    def setter_of(self, subject: Subject, target: Dimension | Window) -> Source:
        """Who set the value that is in force for a subject."""
        for constraint in (*self.effective.pools, self.narrowing):
            if constraint is not None and constraint.source.subject == subject:
                return constraint.source
        effective = self.effective
        merged = effective.limits[target] if isinstance(target, Dimension) else effective.budgets[target]
        source = effective.source_of(merged)
        if source is None:
            raise ValueError("a limit that nobody set")
        return source


class Principal(Standing):
    """A key with its owner, through the secret that goes by `public_id`. Expired, revoked and suspended ones are kept
    too: refusing them stays cheap."""

    __slots__ = ("current", "ends", "expires_at", "key", "key_id", "named", "replaced")

    def __init__(self, rows: KeyRows, compiled: CompiledUser, public_id: str) -> None:
        super().__init__(compiled, rows)
        key = rows.key
        self.key: ApiKey = key
        ends = [key.expires_at] if key.expires_at else []
        self.replaced = public_id != key.public_id
        if self.replaced and key.previous_expires_at is not None:
            ends.append(key.previous_expires_at)
        self.expires_at = min(ends).timestamp() if ends else None
        # Until then `check` has nothing against a call, in seconds since the epoch.
        self.ends = math.inf if self.expires_at is None else self.expires_at
        if key.revoked_at is not None or compiled.user.status is not UserStatus.ACTIVE:
            self.ends = -math.inf
        self.current = True
        self.key_id = key.id
        # How the ledger names the caller: user and key, each by id and label, and the groups.
        label = f"{key.name} ({key.prefix}…)"
        self.named = (compiled.user.id, compiled.user.label, self.key_id, label, compiled.group_ids)

    @property
    def valid(self) -> bool:
        """Whether nothing that this was made from has changed since."""
        return self.current and self.compiled.valid

    def check(self, now: float) -> None:
        if self.key.revoked_at is not None:
            raise refusals.key_revoked()
        if self.expires_at is not None and self.expires_at <= now:
            at = datetime.fromtimestamp(self.expires_at, UTC)
            raise refusals.key_replaced(at) if self.replaced else refusals.key_expired(at)
        super().check(now)
