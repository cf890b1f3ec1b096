"""What a caller may still use, limit by limit, with who set each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sluicegate.domain.policy import Dimension, Subject, Window
from sluicegate.kit.money import Nanos
from sluicegate.policy.merge import Source
from sluicegate.policy.principals import Standing
from sluicegate.policy.windows import Period
from sluicegate.ports.policy import LimitSet, SubjectUse


@dataclass(frozen=True, slots=True)
class Balance:
    """One value in force: of `target`, counted for `subject`. A cap's figures are nano-dollars, and `held` is what
    calls in flight reserve of it; for a rate `used` includes that. `resets_at` is None where no time passes."""

    subject: Subject
    target: Dimension | Window
    limit: int
    used: int
    held: int
    source: Source
    resets_at: datetime | None

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used - self.held)


@dataclass(frozen=True, slots=True)
class Account:
    """All that limits the calls of a key, and what its owner spent in each window, limited or not."""

    balances: list[Balance]
    spent: dict[Window, Nanos]


def balances(
    standing: Standing,
    limits: Sequence[LimitSet],
    uses: Mapping[Subject, SubjectUse],
    periods: Mapping[Window, Period],
    now: datetime,
) -> Iterator[Balance]:
    """The user's own merged values first, then those of pools, then the key's."""
    for values in limits:
        subject, use = values.subject, uses[values.subject]
        for dimension in Dimension:
            limit: int | None = getattr(values, dimension.value)
            if limit is not None:
                seconds = use.resets_in.get(dimension)
                resets_at = None if seconds is None else now + timedelta(seconds=seconds)
                source = standing.setter_of(subject, dimension)
                yield Balance(subject, dimension, limit, use.used[dimension], 0, source, resets_at)
        for window in Window:
            cap: int | None = getattr(values, window.value)
            if cap is not None:
                source = standing.setter_of(subject, window)
                held, resets_at = use.reserved[window], periods[window].end
                yield Balance(subject, window, cap, use.spent[window], held, source, resets_at)
