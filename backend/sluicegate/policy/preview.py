"""What a change of limits or caps would do to whom, found out by the merge that decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sluicegate.domain.policy import Budget, Dimension, RateLimits, Subject, SubjectKind, Window
from sluicegate.policy.merge import Source, merge_budgets, merge_limits, running
from sluicegate.ports.policy import Crowd, Person

Values = dict[Dimension | Window, int | None]


@dataclass(frozen=True, slots=True)
class Edit:
    """What would be set for a subject; None leaves as it is."""

    subject: Subject
    limits: RateLimits | None = None
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What would change for one person, by dimension or window: the value in force now, and then. `blocked` and
    `unblocked` tell of those whom the change itself would stop, or let go on."""

    person: Person
    changes: dict[Dimension | Window, tuple[int | None, int | None]]
    blocked: bool
    unblocked: bool

    @property
    def stricter(self) -> bool:
        return any(tightens(before, after) for before, after in self.changes.values())

    @property
    def looser(self) -> bool:
        return any(not tightens(before, after) for before, after in self.changes.values())


@dataclass(frozen=True, slots=True)
class Preview:
    """How many people would be affected how; one may meet both a stricter and a looser value. `affected` begins with
    those who would be blocked, then goes by name."""

    people: int
    stricter: int
    looser: int
    blocked: int
    unblocked: int
    unchanged: int
    affected: tuple[Effect, ...]


def tightens(before: int | None, after: int | None) -> bool:
    """Whether a value that differs is the stricter one."""
    return after is not None and (before is None or after < before)


def preview(crowd: Crowd, edit: Edit, at: datetime, first: int) -> Preview:
    """At most `first` people are listed."""
    edited = _with(crowd, edit)
    pairs: dict[object, tuple[Values, Values]] = {}
    effects: list[Effect] = []
    for person in crowd.people:
        then = _edited(person, edit)
        # Most members have no values of their own and the same groups: one merge serves them all.
        alike = (frozenset(person.group_ids), person.limits, person.budget, then.limits, then.budget, person.overrides)
        if alike not in pairs:
            pairs[alike] = _values(person, crowd, at), _values(then, edited, at)
        before, after = pairs[alike]
        changes = {t: (before[t], after[t]) for t in before if before[t] != after[t]}
        if changes:
            was, will_be = _stopped(before, person), _stopped(after, person)
            effects.append(Effect(person, changes, will_be and not was, was and not will_be))
    effects.sort(key=lambda e: (not e.blocked, (e.person.name or e.person.email).casefold(), e.person.id))
    return Preview(
        people=len(crowd.people),
        stricter=sum(effect.stricter for effect in effects),
        looser=sum(effect.looser for effect in effects),
        blocked=sum(effect.blocked for effect in effects),
        unblocked=sum(effect.unblocked for effect in effects),
        unchanged=len(crowd.people) - len(effects),
        affected=tuple(effects[:first]),
    )


def _with(crowd: Crowd, edit: Edit) -> Crowd:
    if edit.subject.kind is not SubjectKind.GROUP:
        return crowd
    limits = crowd.limits if edit.limits is None else {**crowd.limits, edit.subject: edit.limits}
    budgets = crowd.budgets if edit.budget is None else {**crowd.budgets, edit.subject: edit.budget}
    return Crowd(crowd.people, limits, budgets)


def _edited(person: Person, edit: Edit) -> Person:
    if edit.subject != Subject(SubjectKind.USER, person.id):
        return person
    return replace(
        person,
        limits=person.limits if edit.limits is None else edit.limits,
        budget=person.budget if edit.budget is None else edit.budget,
    )


def _values(person: Person, crowd: Crowd, at: datetime) -> Values:
    own = Subject(SubjectKind.USER, person.id)
    sources = [Source(own, ""), *(Source(Subject(SubjectKind.GROUP, group_id), "") for group_id in person.group_ids)]
    limits = merge_limits(sources, {**crowd.limits, own: person.limits})
    budgets = merge_budgets(sources, {**crowd.budgets, own: person.budget})
    overrides = running(person.overrides, at)
    merged = {**limits, **budgets}
    return {t: overrides[t].value if t in overrides else value.value for t, value in merged.items()}


def _stopped(values: Values, person: Person) -> bool:
    """Whether nothing goes: a limit of 0, or a cap that is spent."""
    if any(values[dimension] == 0 for dimension in Dimension):
        return True
    return any((cap := values[window]) is not None and person.spent.get(window, 0) >= cap for window in Window)
