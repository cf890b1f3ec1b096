"""Laws of merging, tried on generated users, groups and values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.policy import Budget, Dimension, Grant, Override, RateLimits, Subject, SubjectKind, Window
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.money import Nanos
from sluicegate.policy.effective import EffectivePolicy, effective_policy, pool_of
from sluicegate.policy.merge import Merged
from sluicegate.policy.principals import CompiledUser, Standing
from sluicegate.ports.policy import KeyRows, UserRows

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
    subjects += map(pool_of, groups)
    return UserRows(user, groups, grants, some(draw, subjects, LIMITS), some(draw, subjects, BUDGETS))


@st.composite
def overridden_rows(draw: st.DrawFn) -> UserRows:
    overrides = draw(st.lists(OVERRIDES, max_size=6, unique_by=lambda o: o.id))
    return replace(draw(user_rows()), overrides=overrides)


def at_minute(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


OVERRIDES = st.builds(
    Override,
    id=st.sampled_from(["1", "2", "3", "4", "5", "6"]),
    user_id=st.just("ada"),
    target=st.sampled_from([*Dimension, *Window]),
    value=VALUES,
    reason=st.just("release"),
    created_by=st.just("Root"),
    created_at=st.integers(-9, -6).map(at_minute),
    ends_at=st.integers(-5, 5).map(at_minute),
    ended_at=st.none() | st.just(at_minute(-5)),
)


def some(draw: st.DrawFn, subjects: list[Subject], values: st.SearchStrategy[T]) -> dict[Subject, T]:
    """Values for a part of the subjects: having no row and having an empty one must mean the same."""
    return {subject: draw(values) for subject in subjects if draw(st.booleans())}


def merged(rows: UserRows) -> EffectivePolicy:
    return effective_policy(rows, NOW)


def counted(rows: UserRows) -> list[Subject]:
    """Those whose values compete: the user and the groups, not their pools."""
    return [USER, *map(group_subject, rows.groups)]


def without(rows: UserRows, group: Group) -> UserRows:
    gone = (group_subject(group), pool_of(group))
    return UserRows(
        rows.user,
        [g for g in rows.groups if g != group],
        [g for g in rows.grants if g.subject not in gone],
        {s: v for s, v in rows.limits.items() if s not in gone},
        {s: v for s, v in rows.budgets.items() if s not in gone},
        rows.overrides,
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
        values = [v for s in counted(rows) if s in rows.limits and (v := rows.limits[s].get(dimension)) is not None]
        assert merged(rows).limits[dimension].value == min(values, default=None)


@given(user_rows())
def test_the_strictest_cap_wins_per_window(rows: UserRows) -> None:
    for window in Window:
        values = [v for s in counted(rows) if s in rows.budgets and (v := rows.budgets[s].get(window)) is not None]
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


@given(overridden_rows(), st.randoms())
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
        shuffled(list(rows.overrides)),
    )
    assert merged(mixed) == merged(rows)


@given(overridden_rows())
def test_joining_a_group_never_loosens_and_never_takes_away(rows: UserRows) -> None:
    policy = merged(rows)
    for group in rows.groups:
        before = merged(without(rows, group))
        assert set(before.grants) <= set(policy.grants)
        for dimension in Dimension:
            assert no_looser(before.limits[dimension].value, policy.limits[dimension].value)
        for window in Window:
            assert no_looser(before.budgets[window].value, policy.budgets[window].value)
        assert set(before.pools) <= set(policy.pools)


def no_looser(before: int | None, after: int | None) -> bool:
    return before is None or (after is not None and after <= before)


@given(user_rows())
def test_an_empty_value_is_no_value(rows: UserRows) -> None:
    subjects = [*counted(rows), *map(pool_of, rows.groups)]
    filled = UserRows(
        rows.user,
        rows.groups,
        rows.grants,
        {s: rows.limits.get(s, RateLimits()) for s in subjects},
        {s: rows.budgets.get(s, Budget()) for s in subjects},
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


@given(overridden_rows())
def test_admission_checks_the_very_values_that_are_shown(rows: UserRows) -> None:
    policy = merged(rows)
    own, *pools = CompiledUser(rows, NOW.timestamp()).limits
    assert own.subject == USER
    for dimension in Dimension:
        assert getattr(own, dimension.value) == policy.limits[dimension].value
    for window in Window:
        assert getattr(own, window.value) == policy.budgets[window].value
    assert [limits.subject for limits in pools] == [pool.source.subject for pool in policy.pools]


@given(overridden_rows())
def test_every_pool_that_sets_something_holds_as_it_is_set(rows: UserRows) -> None:
    pools = {p: (rows.limits.get(p, RateLimits()), rows.budgets.get(p, Budget())) for p in map(pool_of, rows.groups)}
    expected = {
        pool: (limits, budget) for pool, (limits, budget) in pools.items() if not (limits.empty and budget.empty)
    }
    assert {p.source.subject: (p.limits, p.budget) for p in merged(rows).pools} == expected


@given(overridden_rows())
def test_a_running_override_is_what_holds_and_says_so(rows: UserRows) -> None:
    policy = merged(rows)
    for value, target in values_of(policy):
        last = [o for o in rows.overrides if o.running(NOW) and o.target is target]
        if last:
            newest = max(last, key=lambda o: (o.created_at, o.id))
            assert (value.override, value.value) == (newest, newest.value)
            source = policy.source_of(value)
            assert source is not None
            assert (source.subject, source.override) == (USER, newest)
        else:
            assert (value.override, value.value) == (None, value.merged)


@given(overridden_rows())
def test_an_override_touches_nothing_but_its_own_limit_or_cap(rows: UserRows) -> None:
    policy, plain = merged(rows), merged(replace(rows, overrides=()))
    touched = {o.target for o in rows.overrides if o.running(NOW)}
    for (value, target), (before, _) in zip(values_of(policy), values_of(plain), strict=True):
        assert replace(value, override=None) == before
        assert target in touched or value == before
    assert (policy.grants, policy.pools) == (plain.grants, plain.pools)


@given(overridden_rows())
def test_an_override_that_is_over_changes_nothing(rows: UserRows) -> None:
    still = [o for o in rows.overrides if o.running(NOW)]
    assert merged(replace(rows, overrides=still)) == merged(rows)
    late = effective_policy(rows, NOW + timedelta(hours=1))
    assert late == merged(replace(rows, overrides=()))


@given(overridden_rows())
def test_what_was_compiled_once_holds_at_every_later_instant(rows: UserRows) -> None:
    """Overrides end in it to the second, without anything being read again."""
    compiled = CompiledUser(rows, NOW.timestamp())
    standing = Standing(compiled)
    for seconds in (0, 59, 60, 61, 119, 120, 299, 300, 301):
        at = NOW + timedelta(seconds=seconds)
        fresh = CompiledUser(rows, at.timestamp())
        assert standing.limits_at(at.timestamp()) == fresh.limits
        assert compiled.effective == fresh.effective
        assert standing.limits_at(at.timestamp()) is standing.limits_at(at.timestamp())


def values_of(policy: EffectivePolicy) -> list[tuple[Merged, Dimension | Window]]:
    return [(policy.limits[d], d) for d in Dimension] + [(policy.budgets[w], w) for w in Window]


@given(overridden_rows(), LIMITS, BUDGETS, st.none() | st.sets(MODELS))
def test_a_key_only_adds_limits_and_only_takes_models_away(
    rows: UserRows, limits: RateLimits, budget: Budget, models: set[str] | None
) -> None:
    key = ApiKey("k", "p", "ada", "laptop", "sg_p", "", NOW, model_ids=None if models is None else tuple(models))
    compiled = CompiledUser(rows, NOW.timestamp())
    plain, narrowed = Standing(compiled), Standing(compiled, KeyRows(key, limits, budget))
    assert narrowed.granted == (plain.granted if models is None else plain.granted & models)
    base, own = plain.limits_at(NOW.timestamp()), narrowed.limits_at(NOW.timestamp())
    assert own[: len(base)] == base
    added = [(s.subject.kind, s.requests, s.day) for s in own[len(base) :]]
    empty = limits.empty and budget.empty
    assert added == ([] if empty else [(SubjectKind.KEY, limits.requests, budget.day)])
