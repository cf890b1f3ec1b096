"""Laws of merging, tried on generated users, groups and values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from sluicegate.domain.policy import Budget, Dimension, Grant, RateLimits, Subject, SubjectKind, Window
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.money import Nanos
from sluicegate.policy.effective import EffectivePolicy, effective_policy
from sluicegate.ports.policy import UserRows

T = TypeVar("T")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
USER = Subject(SubjectKind.USER, "ada")
IDS = st.sampled_from(["a", "b", "c", "d", "e"])
MODELS = st.sampled_from(["m1", "m2", "m3", "m4"])
VALUES = st.none() | st.integers(0, 5)
LIMITS = st.builds(RateLimits, VALUES, VALUES, VALUES, VALUES)
CAPS = VALUES.map(lambda v: None if v is None else Nanos(v))
BUDGETS = st.builds(Budget, CAPS, CAPS, CAPS)


def group_subject(group: Group) -> Subject:
    return Subject(SubjectKind.GROUP, group.id)


@st.composite
def user_rows(draw: st.DrawFn) -> UserRows:
    ids = draw(st.lists(IDS, unique=True))
    # Few names, so that some groups share one.
    groups = [Group(i, draw(st.sampled_from(["Team", "team", "Ops"])), "", NOW) for i in ids]
    subjects = [USER, *map(group_subject, groups)]
    grants = [
        Grant(f"{subject.kind}-{subject.id}-{model}", subject, model, NOW)
        for subject in subjects
        for model in draw(st.sets(MODELS))
    ]
    user = User("ada", "ada@example.com", draw(st.sampled_from(["", "Ada"])), Role.MEMBER, UserStatus.ACTIVE, NOW)
    return UserRows(user, groups, grants, some(draw, subjects, LIMITS), some(draw, subjects, BUDGETS))


def some(draw: st.DrawFn, subjects: list[Subject], values: st.SearchStrategy[T]) -> dict[Subject, T]:
    """Values for a part of the subjects: having no row and having an empty one must mean the same."""
    return {subject: draw(values) for subject in subjects if draw(st.booleans())}


def merged(rows: UserRows) -> EffectivePolicy:
    return effective_policy(rows)


def without(rows: UserRows, group: Group) -> UserRows:
    gone = group_subject(group)
    return UserRows(
        rows.user,
        [g for g in rows.groups if g != group],
        [g for g in rows.grants if g.subject != gone],
        {s: v for s, v in rows.limits.items() if s != gone},
        {s: v for s, v in rows.budgets.items() if s != gone},
    )


@given(user_rows())
def test_access_is_the_union_of_all_grants(rows: UserRows) -> None:
    assert set(merged(rows).grants) == {grant.model_id for grant in rows.grants}


@given(user_rows())
def test_every_grant_names_exactly_those_who_hold_it(rows: UserRows) -> None:
    for model_id, sources in merged(rows).grants.items():
        holders = {grant.subject for grant in rows.grants if grant.model_id == model_id}
        assert {source.subject for source in sources} == holders
        assert len(sources) == len(holders)


@given(user_rows())
def test_the_strictest_limit_wins_per_dimension(rows: UserRows) -> None:
    for dimension in Dimension:
        values = [v for row in rows.limits.values() if (v := row.get(dimension)) is not None]
        assert merged(rows).limits[dimension].value == min(values, default=None)


@given(user_rows())
def test_the_strictest_cap_wins_per_window(rows: UserRows) -> None:
    for window in Window:
        values = [v for row in rows.budgets.values() if (v := row.get(window)) is not None]
        assert merged(rows).budgets[window].value == min(values, default=None)


@given(user_rows(), st.data())
def test_zero_beats_everything(rows: UserRows, data: st.DataObject) -> None:
    subject = data.draw(st.sampled_from([USER, *map(group_subject, rows.groups)]))
    limits = {**rows.limits, subject: RateLimits(0, 0, 0, 0)}
    budgets = {**rows.budgets, subject: Budget(Nanos(0), Nanos(0), Nanos(0))}
    policy = merged(UserRows(rows.user, rows.groups, rows.grants, limits, budgets))
    assert {m.value for m in policy.limits.values()} == {0}
    assert {m.value for m in policy.budgets.values()} == {0}


@given(user_rows())
def test_the_winner_is_one_who_set_that_value_and_the_first_candidate(rows: UserRows) -> None:
    policy = merged(rows)
    for dimension, result in policy.limits.items():
        if result.winner is not None:
            assert rows.limits[result.winner.source.subject].get(dimension) == result.value
            assert result.candidates[0] == result.winner
            assert [c.value for c in result.candidates] == sorted(c.value for c in result.candidates)
        else:
            assert result.candidates == ()


@given(user_rows())
def test_a_tie_goes_to_the_user(rows: UserRows) -> None:
    for dimension, result in merged(rows).limits.items():
        if result.winner is not None and USER in rows.limits and rows.limits[USER].get(dimension) == result.value:
            assert result.winner.source.subject == USER


@given(user_rows(), st.randoms())
def test_the_order_of_rows_never_matters(rows: UserRows, random: object) -> None:
    def shuffled(items: list[T]) -> list[T]:
        copy = list(items)
        random.shuffle(copy)  # type: ignore[attr-defined]
        return copy

    mixed = UserRows(
        rows.user,
        shuffled(list(rows.groups)),
        shuffled(list(rows.grants)),
        dict(shuffled(list(rows.limits.items()))),
        dict(shuffled(list(rows.budgets.items()))),
    )
    assert merged(mixed) == merged(rows)


@given(user_rows())
def test_joining_a_group_never_loosens_and_never_takes_away(rows: UserRows) -> None:
    policy = merged(rows)
    for group in rows.groups:
        before = merged(without(rows, group))
        assert set(before.grants) <= set(policy.grants)
        for dimension in Dimension:
            assert no_looser(before.limits[dimension].value, policy.limits[dimension].value)
        for window in Window:
            assert no_looser(before.budgets[window].value, policy.budgets[window].value)


def no_looser(before: int | None, after: int | None) -> bool:
    return before is None or (after is not None and after <= before)


@given(user_rows())
def test_an_empty_value_is_no_value(rows: UserRows) -> None:
    filled = UserRows(
        rows.user,
        rows.groups,
        rows.grants,
        {s: rows.limits.get(s, RateLimits()) for s in [USER, *map(group_subject, rows.groups)]},
        {s: rows.budgets.get(s, Budget()) for s in [USER, *map(group_subject, rows.groups)]},
    )
    assert merged(filled) == merged(rows)


@given(user_rows())
def test_what_is_set_for_strangers_does_not_count(rows: UserRows) -> None:
    stranger = Subject(SubjectKind.GROUP, "stranger")
    more = UserRows(
        rows.user,
        rows.groups,
        [*rows.grants, Grant("g", stranger, "m9", NOW)],
        {**rows.limits, stranger: RateLimits(0, 0, 0, 0)},
        {**rows.budgets, stranger: Budget(Nanos(0), Nanos(0), Nanos(0))},
    )
    assert merged(more) == merged(rows)


@given(user_rows())
def test_admission_checks_the_very_values_that_are_shown(rows: UserRows) -> None:
    policy = merged(rows)
    limits = policy.limit_set()
    assert limits.subject == USER
    for dimension in Dimension:
        assert getattr(limits, dimension.value) == policy.limits[dimension].value
    for window in Window:
        assert getattr(limits, window.value) == policy.budgets[window].value
