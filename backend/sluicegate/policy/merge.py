"""How values of a user and of all groups become one: union of grants, strictest limit, strictest cap.

Every result keeps who set it. Ties go to the user, then to the group whose name comes first, so that the order in
which groups are read never matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import TypeVar

from sluicegate.domain.policy import (
    Budget,
    Dimension,
    Grant,
    Override,
    RateLimits,
    Subject,
    SubjectKind,
    Window,
)
from sluicegate.domain.user import Group, User

T = TypeVar("T")
_order, _value = attrgetter("order"), attrgetter("value")


@dataclass(frozen=True, slots=True)
class Source:
    """Who set a value; for a user it may come from an override."""

    subject: Subject
    name: str
    override: Override | None = None

    @property
    def order(self) -> tuple[bool, str, str]:
        return (
            self.subject.kind is not SubjectKind.USER,
            self.name.casefold(),
            self.subject.id,
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """One value among those that compete; nano-dollars for caps."""

    source: Source
    value: int


@dataclass(frozen=True, slots=True)
class Merged:
    """The strictest of the candidates, which come strictest first; `winner` is None when nobody set a value. While an
    override runs, its value stands in for the winner's."""

    winner: Candidate | None
    candidates: tuple[Candidate, ...]
    override: Override | None = None

    @property
    def merged(self) -> int | None:
        """The value when no override runs."""
        return self.winner.value if self.winner else None

    @property
    def value(self) -> int | None:
        return self.override.value if self.override else self.merged


def strictest(candidates: Iterable[Candidate]) -> Merged:
    """The smallest value wins, of the same ones the first; 0 is a value like any other."""
    ranked = tuple(sorted(candidates, key=_value))
    return Merged(ranked[0] if ranked else None, ranked)


def _in_order(sources: Iterable[Source], rows: Mapping[Subject, T]) -> list[tuple[Source, T]]:
    """Those that set something, in the order by which ties are settled."""
    known = [source for source in sources if source.subject in rows]
    return [(source, rows[source.subject]) for source in sorted(known, key=_order)]


def sources_of(user: User, groups: Iterable[Group]) -> list[Source]:
    """The user and all groups, in the order in which they are named to people."""
    own = Source(Subject(SubjectKind.USER, user.id), user.name or user.email)
    others = [Source(Subject(SubjectKind.GROUP, g.id), g.name) for g in groups]
    return sorted([own, *others], key=_order)


def merge_limits(sources: Iterable[Source], limits: Mapping[Subject, RateLimits]) -> dict[Dimension, Merged]:
    """The strictest value per dimension, each on its own."""
    known = _in_order(sources, limits)
    return {
        dimension: strictest(Candidate(s, value) for s, row in known if (value := row.get(dimension)) is not None)
        for dimension in Dimension
    }


def merge_budgets(sources: Iterable[Source], budgets: Mapping[Subject, Budget]) -> dict[Window, Merged]:
    """The strictest cap per window, each on its own."""
    known = _in_order(sources, budgets)
    return {
        window: strictest(Candidate(s, value) for s, row in known if (value := row.get(window)) is not None)
        for window in Window
    }


def running(overrides: Iterable[Override], at: datetime) -> dict[Dimension | Window, Override]:
    """What stands in for merged values at an instant; of several for the same, the one made last."""
    made = sorted((o for o in overrides if o.running(at)), key=lambda o: (o.created_at, o.id))
    return {override.target: override for override in made}


def merge_grants(sources: Iterable[Source], grants: Iterable[Grant]) -> dict[str, tuple[Source, ...]]:
    """Model id → everyone through whom it is granted: the union."""
    by_subject = {source.subject: source for source in sources}
    found: dict[str, list[Source]] = {}
    for grant in grants:
        if source := by_subject.get(grant.subject):
            found.setdefault(grant.model_id, []).append(source)
    return {model_id: tuple(sorted(set(s), key=lambda x: x.order)) for model_id, s in found.items()}
