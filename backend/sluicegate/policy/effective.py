"""What one user may do after merging, with who set each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sluicegate.domain.policy import (
    NO_BUDGET,
    NO_LIMITS,
    Budget,
    Dimension,
    Override,
    RateLimits,
    Subject,
    SubjectKind,
    Window,
)
from sluicegate.domain.user import Group, User
from sluicegate.policy.merge import (
    Merged,
    Source,
    merge_budgets,
    merge_grants,
    merge_limits,
    running,
    sources_of,
)
from sluicegate.ports.policy import LimitSet, UserRows


@dataclass(frozen=True, slots=True)
class Constraint:
    """What holds beside the merged values and merges with nothing: a group's pool, or what a key may use."""

    source: Source
    limits: RateLimits
    budget: Budget

    @property
    def empty(self) -> bool:
        return self.limits.empty and self.budget.empty

    def limit_set(self) -> LimitSet:
        return LimitSet(
            self.source.subject,
            **{d.value: self.limits.get(d) for d in Dimension},
            **{w.value: self.budget.get(w) for w in Window},
        )


@dataclass(frozen=True, slots=True)
class EffectiveCaps:
    """The part of a user's policy that caps spending, as `EffectivePolicy` has it."""

    user: User
    budgets: dict[Window, Merged]
    alert_thresholds: dict[Window, tuple[int, ...]]

    def source_of(self, merged: Merged) -> Source | None:
        """Who set the value that is in force."""
        return _source_of(self.user, merged)


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """`grants` maps a model id to those through whom it is granted. Caps are nano-dollars. `pools` holds those that set
    something, by name of the group. `alert_thresholds` are per cent of each window's cap."""

    user: User
    groups: tuple[Group, ...]
    grants: dict[str, tuple[Source, ...]]
    limits: dict[Dimension, Merged]
    budgets: dict[Window, Merged]
    alert_thresholds: dict[Window, tuple[int, ...]]
    pools: tuple[Constraint, ...] = ()

    @property
    def overrides(self) -> list[Override]:
        """Those that run."""
        merged = (*self.limits.values(), *self.budgets.values())
        return [value.override for value in merged if value.override]

    def source_of(self, merged: Merged) -> Source | None:
        """Who set the value that is in force."""
        return _source_of(self.user, merged)

    def limit_set(self) -> LimitSet:
        """The values that admission checks for this user's own use."""
        return LimitSet(
            Subject(SubjectKind.USER, self.user.id),
            **{d.value: m.value for d, m in self.limits.items()},
            **{w.value: m.value for w, m in self.budgets.items()},
        )


def pool_of(group: Group) -> Subject:
    return Subject(SubjectKind.POOL, group.id)


def effective_policy(rows: UserRows, at: datetime) -> EffectivePolicy:
    """Merges the rows of one user, with the overrides that run at an instant."""
    sources = sources_of(rows.user, rows.groups)
    overrides = running(rows.overrides, at)
    limits, caps = merge_limits(sources, rows.limits), _caps(rows, sources, overrides)
    groups = tuple(sorted(rows.groups, key=lambda g: (g.name.casefold(), g.id)))
    pools = (
        Constraint(Source(pool, group.name), rows.limits.get(pool, NO_LIMITS), rows.budgets.get(pool, NO_BUDGET))
        for group in groups
        if (pool := pool_of(group)) in rows.limits or pool in rows.budgets
    )
    return EffectivePolicy(
        user=rows.user,
        groups=groups,
        grants=merge_grants(sources, rows.grants),
        limits={d: replace(merged, override=overrides.get(d)) for d, merged in limits.items()},
        budgets=caps.budgets,
        alert_thresholds=caps.alert_thresholds,
        pools=tuple(pool for pool in pools if not pool.empty),
    )


def effective_caps(rows: UserRows, at: datetime) -> EffectiveCaps:
    """As `effective_policy`, for those who ask of many people what caps them, and nothing else."""
    return _caps(rows, sources_of(rows.user, rows.groups), running(rows.overrides, at))


def _caps(rows: UserRows, sources: Sequence[Source], overrides: Mapping[Dimension | Window, Override]) -> EffectiveCaps:
    budgets = merge_budgets(sources, rows.budgets)
    own = Subject(SubjectKind.USER, rows.user.id)
    # A raise takes over the thresholds of the cap that it stands in for.
    setters = {w: merged.winner.source.subject if merged.winner else own for w, merged in budgets.items()}
    return EffectiveCaps(
        user=rows.user,
        budgets={w: replace(merged, override=overrides.get(w)) for w, merged in budgets.items()},
        alert_thresholds={w: rows.budgets.get(setter, NO_BUDGET).alert_thresholds for w, setter in setters.items()},
    )


def _source_of(user: User, merged: Merged) -> Source | None:
    if merged.override is not None:
        return Source(Subject(SubjectKind.USER, user.id), user.name or user.email, merged.override)
    return merged.winner.source if merged.winner else None
