"""What one user may do after merging, with who set each value."""

from __future__ import annotations

from dataclasses import dataclass

from sluicegate.domain.policy import Dimension, Subject, SubjectKind, Window
from sluicegate.domain.user import Group, User
from sluicegate.policy.merge import (
    Merged,
    Source,
    merge_budgets,
    merge_grants,
    merge_limits,
    sources_of,
)
from sluicegate.ports.policy import LimitSet, UserRows


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """`grants` maps a model id to those through whom it is granted. Caps are nano-dollars."""

    user: User
    groups: tuple[Group, ...]
    grants: dict[str, tuple[Source, ...]]
    limits: dict[Dimension, Merged]
    budgets: dict[Window, Merged]

    def limit_set(self) -> LimitSet:
        """The values that admission checks for this user's own use."""
        return LimitSet(
            Subject(SubjectKind.USER, self.user.id),
            **{d.value: m.value for d, m in self.limits.items()},
            **{w.value: m.value for w, m in self.budgets.items()},
        )


def effective_policy(rows: UserRows) -> EffectivePolicy:
    """Merges the rows of one user."""
    sources = sources_of(rows.user, rows.groups)
    return EffectivePolicy(
        user=rows.user,
        groups=tuple(sorted(rows.groups, key=lambda g: (g.name.casefold(), g.id))),
        grants=merge_grants(sources, rows.grants),
        limits=merge_limits(sources, rows.limits),
        budgets=merge_budgets(sources, rows.budgets),
    )
