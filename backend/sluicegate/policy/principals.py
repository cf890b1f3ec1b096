"""Who calls, ready to decide with: users with their merged policy, keys that narrow it."""

from __future__ import annotations

from datetime import UTC, datetime

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.domain.user import User, UserStatus
from sluicegate.policy import refusals
from sluicegate.policy.compile import Catalog, CompiledModel
from sluicegate.policy.effective import Constraint, EffectivePolicy, pool_of
from sluicegate.policy.merge import Source
from sluicegate.ports.policy import Denial, KeyRows, LimitSet


class CompiledUser:
    """One user's policy. `limits` are the user's own merged ones, then those of the groups' pools. `valid` turns
    False, for good, when something it came from changed."""

    __slots__ = ("counted", "effective", "granted", "group_ids", "limits", "user", "valid")

    def __init__(self, effective: EffectivePolicy) -> None:
        self.effective = effective
        self.user = effective.user
        self.group_ids = tuple(g.id for g in effective.groups)
        self.granted = frozenset(effective.grants)
        self.limits: tuple[LimitSet, ...] = (effective.limit_set(), *(p.limit_set() for p in effective.pools))
        self.counted = tuple(pool_of(group) for group in effective.groups)
        self.valid = True


class Standing:
    """What may be done: a user's policy, narrowed by a key where one is used."""

    __slots__ = ("compiled", "counted", "granted", "limits", "narrowing")

    def __init__(self, compiled: CompiledUser, rows: KeyRows | None = None) -> None:
        self.compiled = compiled
        self.granted = compiled.granted
        self.limits = compiled.limits
        self.counted = compiled.counted
        self.narrowing: Constraint | None = None
        if rows is not None:
            source = Source(Subject(SubjectKind.KEY, rows.key.id), rows.key.name)
            self.narrowing = Constraint(source, rows.limits, rows.budget)
            self.counted = (*self.counted, source.subject)
            if not self.narrowing.empty:
                self.limits = (*self.limits, self.narrowing.limit_set())
            if rows.key.model_ids is not None:
                self.granted = self.granted.intersection(rows.key.model_ids)

    @property
    def user(self) -> User:
        return self.compiled.user

    @property
    def effective(self) -> EffectivePolicy:
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
        for constraint in (*self.effective.pools, self.narrowing):
            if constraint is not None and constraint.source.subject == denial.subject:
                return constraint.source
        effective = self.effective
        merged = effective.limits[denial.dimension] if denial.dimension else effective.budgets[denial.over]
        if merged.winner is None:
            raise ValueError("a denial by a limit that nobody set")
        return merged.winner.source


class Principal(Standing):
    """A key with its owner, through the secret that goes by `public_id`. Expired, revoked and suspended ones are kept
    too: refusing them stays cheap."""

    __slots__ = ("current", "expires_at", "key", "key_id", "named", "replaced")

    def __init__(self, rows: KeyRows, compiled: CompiledUser, public_id: str) -> None:
        super().__init__(compiled, rows)
        key = rows.key
        self.key: ApiKey = key
        ends = [key.expires_at] if key.expires_at else []
        self.replaced = public_id != key.public_id
        if self.replaced and key.previous_expires_at is not None:
            ends.append(key.previous_expires_at)
        self.expires_at = min(ends).timestamp() if ends else None
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
