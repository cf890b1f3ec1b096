"""What subjects had spent as far as is known without the records, for as long as these do not answer.

A single process lets in every call of a subject, so that what it knows is all there is: in a period that begins while
the records are away, nothing was spent yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sluicegate.adapters.memory.uses import Use
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.policy.windows import Period
from sluicegate.ports.policy import PastUse

_MAX_LEFT = 100_000


class _Left(NamedTuple):
    periods: Mapping[Window, Period]
    spent: tuple[int, ...]


class Recall:
    """Small figures of many who were quiet so long that nothing else of them is kept."""

    def __init__(self) -> None:
        self._left: dict[Subject, _Left] = {}

    def keep(self, subject: Subject, use: Use) -> None:
        if len(self._left) >= _MAX_LEFT:
            del self._left[next(iter(self._left))]
        self._left[subject] = _left_by(use)

    def drop(self, subject: Subject) -> None:
        self._left.pop(subject, None)

    def drop_shared(self) -> None:
        """All but users, who are the only ones whose calls count for them whatever is set."""
        self._left = {subject: left for subject, left in self._left.items() if subject.kind is SubjectKind.USER}

    def of(self, subject: Subject, use: Use | None, periods: Mapping[Window, Period]) -> PastUse | None:
        """What was spent in these periods, where that is known; a clock that went back makes it unknown."""
        left = _left_by(use) if use is not None and use.periods else self._left.get(subject)
        if left is None:
            return None
        spent: dict[Window, int] = {}
        for (window, known), amount in zip(left.periods.items(), left.spent, strict=True):
            if known.key != periods[window].key and periods[window].start < known.end:
                return None
            spent[window] = amount if known.key == periods[window].key else 0
        return PastUse(spent)


def _left_by(use: Use) -> _Left:
    return _Left(use.periods, tuple(use.cells[window].spent for window in use.periods))
