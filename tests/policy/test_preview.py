"""What a preview promises is what the change does."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from policy.test_merge import BUDGETS, IDS, LIMITS, NOW, OVERRIDES
from sluicegate.domain.policy import Budget, Dimension, Override, RateLimits, Subject, SubjectKind, Window
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.money import Nanos
from sluicegate.policy.effective import effective_policy
from sluicegate.policy.preview import Edit, preview
from sluicegate.ports.policy import Crowd, Person, UserRows

TEAM = Subject(SubjectKind.GROUP, "a")
GROUPS = [Subject(SubjectKind.GROUP, group_id) for group_id in "abcde"]


@st.composite
def crowds(draw: st.DrawFn) -> Crowd:
    people = [
        Person(
            id=f"u{number}",
            name=draw(st.sampled_from(["", "Ada", "bob"])),
            email=f"u{number}@example.com",
            limits=draw(LIMITS),
            budget=draw(BUDGETS),
            group_ids=("a", *draw(st.lists(IDS.filter(lambda i: i != "a"), unique=True))),
            overrides=tuple(draw(st.lists(OVERRIDES, max_size=2, unique_by=lambda o: o.id))),
            spent=draw(st.dictionaries(st.sampled_from(list(Window)), st.integers(0, 6))),
        )
        for number in range(draw(st.integers(0, 6)))
    ]
    limits = {group: draw(LIMITS) for group in GROUPS if draw(st.booleans())}
    budgets = {group: draw(BUDGETS) for group in GROUPS if draw(st.booleans())}
    return Crowd(people, limits, budgets)


def in_force(person: Person, crowd: Crowd) -> dict[Dimension | Window, int | None]:
    """By way of the policy that the gateway compiles."""
    own = Subject(SubjectKind.USER, person.id)
    user = User(person.id, person.email, person.name, Role.MEMBER, UserStatus.ACTIVE, NOW)
    groups = [Group(group_id, group_id, "", NOW) for group_id in person.group_ids]
    limits, budgets = {**crowd.limits, own: person.limits}, {**crowd.budgets, own: person.budget}
    policy = effective_policy(UserRows(user, groups, [], limits, budgets, person.overrides), NOW)
    return {**{d: policy.limits[d].value for d in Dimension}, **{w: policy.budgets[w].value for w in Window}}


def stopped(person: Person, crowd: Crowd) -> bool:
    values = in_force(person, crowd)
    capped = [w for w in Window if (cap := values[w]) is not None and person.spent.get(w, 0) >= cap]
    return bool(capped) or any(values[d] == 0 for d in Dimension)


@given(crowds(), st.none() | LIMITS, st.none() | BUDGETS)
def test_a_groups_preview_is_what_the_change_would_do(
    crowd: Crowd, limits: RateLimits | None, budget: Budget | None
) -> None:
    after = Crowd(
        crowd.people,
        crowd.limits if limits is None else {**crowd.limits, TEAM: limits},
        crowd.budgets if budget is None else {**crowd.budgets, TEAM: budget},
    )
    found = preview(crowd, Edit(TEAM, limits, budget), NOW, first=100)
    effects = {effect.person.id: effect for effect in found.affected}
    for person in crowd.people:
        was, will_be = in_force(person, crowd), in_force(person, after)
        changed = {t: (was[t], will_be[t]) for t in was if was[t] != will_be[t]}
        assert (effects[person.id].changes if person.id in effects else {}) == changed
        if person.id in effects:
            effect = effects[person.id]
            assert effect.blocked == (stopped(person, after) and not stopped(person, crowd))
            assert effect.unblocked == (stopped(person, crowd) and not stopped(person, after))
    assert found.people == len(crowd.people) == len(effects) + found.unchanged
    assert found.blocked == sum(stopped(p, after) and not stopped(p, crowd) for p in crowd.people)
    assert [e.blocked for e in found.affected] == sorted((e.blocked for e in found.affected), reverse=True)


@given(crowds(), LIMITS, BUDGETS)
def test_a_users_preview_is_what_the_change_would_do(crowd: Crowd, limits: RateLimits, budget: Budget) -> None:
    for person in crowd.people:
        alone = Crowd([person], crowd.limits, crowd.budgets)
        edited = replace(person, limits=limits, budget=budget)
        found = preview(alone, Edit(Subject(SubjectKind.USER, person.id), limits, budget), NOW, first=1)
        was, will_be = in_force(person, alone), in_force(edited, alone)
        changes = found.affected[0].changes if found.affected else {}
        assert changes == {t: (was[t], will_be[t]) for t in was if was[t] != will_be[t]}


def test_stricter_and_looser_are_told_apart_and_a_raise_hides_the_change() -> None:
    plain = Person("u1", "Ada", "a@x.org", RateLimits(), Budget(), ("a",), (), {Window.DAY: 50})
    raised = Override("1", "u2", Window.DAY, None, "why", "Root", NOW, NOW.replace(year=2027))
    crowd = Crowd(
        [plain, replace(plain, id="u2", overrides=(raised,)), replace(plain, id="u3", budget=Budget(day=Nanos(10)))],
        {TEAM: RateLimits(requests=10)},
        {TEAM: Budget(day=Nanos(100))},
    )
    found = preview(crowd, Edit(TEAM, RateLimits(requests=20), Budget(day=Nanos(50))), NOW, first=1)
    assert (found.people, found.stricter, found.looser, found.blocked, found.unblocked) == (3, 1, 3, 1, 0)
    (effect,) = found.affected
    assert effect.person is plain
    assert effect.changes == {Dimension.REQUESTS: (10, 20), Window.DAY: (100, 50)}
    assert (effect.stricter, effect.looser, effect.blocked) == (True, True, True)
