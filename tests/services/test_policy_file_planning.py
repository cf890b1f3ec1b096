"""What a policy file changes, without a database: laws that hold for every state and file, and cases by name."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.domain.catalog import ModelKind, ModelStatus
from sluicegate.domain.policy import Budget, RateLimits
from sluicegate.kit.money import NANOS_PER_USD, Nanos
from sluicegate.kit.text import HIDDEN, composed
from sluicegate.services.policy_file.nodes import InvalidDocument
from sluicegate.services.policy_file.planning import (
    BackendState,
    GroupState,
    ModelState,
    Plan,
    PolicyState,
    Setting,
    UserState,
    applied,
    make_plan,
)
from sluicegate.services.policy_file.reading import read_policy
from sluicegate.services.policy_file.writing import write_policy

OFFERS = {
    ("Acme", "large"): ModelKind.CHAT,
    ("Acme", "no"): ModelKind.CHAT,
    ("Büro 7", "on"): ModelKind.CHAT,
    ("Acme", "vectors"): ModelKind.EMBEDDING,
}
PEOPLE = ("ada@example.com", "mia@example.com", "noor@example.com")

# Names that YAML could take for something else, and ones that are hard to write.
_awkward = st.sampled_from(
    ["no", "7", "1.5", "null", "~", "2026-11-29", "<<", "=", "x-a", "a: b", "# c", "'", "é", "- d"]
)
_letters = (
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12)
    .map(composed)
    .filter(lambda text: not re.search(f"[{HIDDEN}]", text))
)
_names = st.one_of(_awkward, _letters).filter(bool)
_slugs = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?", fullmatch=True)
_limit = st.none() | st.integers(0, 2_000_000_000)
_cap = st.none() | st.integers(0, 10**18).map(Nanos)
_thresholds = st.lists(st.integers(1, 100), max_size=10, unique=True).map(sorted).map(tuple)
_settings = st.builds(
    Setting,
    st.builds(RateLimits, _limit, _limit, _limit, _limit),
    st.builds(Budget, _cap, _cap, _cap, _thresholds),
)


@st.composite
def _models(draw: st.DrawFn, slug: str) -> ModelState:
    kind = draw(st.sampled_from(ModelKind))
    fitting = [offer for offer, of in OFFERS.items() if of is kind]
    chosen = draw(st.lists(st.sampled_from(fitting), unique=True))
    backends = frozenset(BackendState(*offer, draw(st.integers(0, 9)), draw(st.integers(1, 9))) for offer in chosen)
    states = [ModelStatus.DRAFT, ModelStatus.DISABLED, *([ModelStatus.ACTIVE] if backends else [])]
    return ModelState(slug, draw(_letters), kind, draw(st.sampled_from(states)), backends)


@st.composite
def states(draw: st.DrawFn) -> PolicyState:
    slugs = draw(st.lists(_slugs, max_size=3, unique=True))
    names = draw(st.lists(_names, max_size=3, unique_by=str.lower))
    some = st.frozensets(st.sampled_from(slugs)) if slugs else st.just(frozenset[str]())
    groups: dict[str, GroupState] = {}
    for name in names:
        members = draw(st.frozensets(st.sampled_from(PEOPLE)))
        description = draw(st.one_of(_awkward, _letters, st.just("two\nlines: of it\n\tand a tab")).map(str.strip))
        groups[name] = GroupState(
            name, description, draw(some), members, draw(_settings), draw(_settings), len(members)
        )
    models = {slug: draw(_models(slug)) for slug in slugs}
    users = {email: UserState(email, draw(some), draw(_settings)) for email in draw(st.sets(st.sampled_from(PEOPLE)))}
    return PolicyState(models, groups, OFFERS, frozenset(PEOPLE), users)


def without_sizes(state: PolicyState) -> Any:
    groups = {name: (g.description, g.grants, g.members, g.each, g.pool) for name, g in state.groups.items()}
    return state.models, groups, set_alone(state)


def set_alone(state: PolicyState) -> dict[str, UserState]:
    return {email: user for email, user in state.users.items() if user != UserState(email)}


@settings(max_examples=150, deadline=None)
@given(states())
def test_what_is_exported_changes_nothing_when_it_is_applied(state: PolicyState) -> None:
    for members, users, prune in product((True, False), repeat=3):
        file = read_policy(write_policy(state, members=members, users=users))
        assert make_plan(state, file, prune=prune) == Plan(())


@settings(max_examples=150, deadline=None)
@given(states())
def test_an_export_makes_the_same_of_an_empty_installation(state: PolicyState) -> None:
    empty = PolicyState(offers=OFFERS, people=frozenset(PEOPLE))
    text = write_policy(state, members=True, users=True)
    made = applied(empty, make_plan(empty, read_policy(text)))
    assert without_sizes(made) == without_sizes(state)
    assert write_policy(made, members=True, users=True) == text


@settings(max_examples=150, deadline=None)
@given(states(), states(), st.booleans())
def test_a_plan_that_is_done_leaves_nothing_to_do(here: PolicyState, wanted: PolicyState, prune: bool) -> None:
    kinds = {slug: model.kind for slug, model in here.models.items()}
    if any(kinds.get(slug, model.kind) is not model.kind for slug, model in wanted.models.items()):
        return
    file = read_policy(write_policy(wanted, members=True, users=True))
    plan = make_plan(here, file, prune=prune)
    then = applied(here, plan)
    assert make_plan(then, file, prune=prune).changes == ()
    assert all(change.fields for change in plan.changes if change.before is not None and change.after is not None)
    if prune:
        assert {n.lower() for n in then.groups} == {n.lower() for n in wanted.groups}
        assert (then.models, set_alone(then)) == (wanted.models, set_alone(wanted))
    else:
        for name, group in here.groups.items():
            kept = next(g for n, g in then.groups.items() if n.lower() == name.lower())
            assert (kept.grants >= group.grants, kept.members >= group.members) == (True, True)
        for email, user in here.users.items():
            assert then.users[email].grants >= user.grants


TEAM = GroupState(
    "Team",
    "Those who build",
    frozenset({"fast", "slow"}),
    frozenset(PEOPLE[:2]),
    Setting(RateLimits(requests=60), Budget(month=Nanos(100 * NANOS_PER_USD))),
    size=2,
)
HERE = PolicyState(
    {
        "fast": ModelState(
            "fast", "Fast", ModelKind.CHAT, ModelStatus.ACTIVE, frozenset({BackendState("Acme", "large", 0, 1)})
        ),
        "slow": ModelState("slow"),
    },
    {"Team": TEAM, "Old": GroupState("Old", grants=frozenset({"slow"}), size=12)},
    OFFERS,
    frozenset(PEOPLE),
)


def told(
    text: str, *, prune: bool = False, state: PolicyState = HERE
) -> list[tuple[str, str, str, list[tuple[str, str, Any, Any]]]]:
    plan = make_plan(state, read_policy(f"version: 1\n{text}"), prune=prune)
    return [
        (c["action"], c["kind"], c["name"], [(f["action"], f["field"], f["before"], f["after"]) for f in c["fields"]])
        for c in plan.told()
    ]


def test_values_that_are_named_change_and_others_stay() -> None:
    budgets = "budget: {monthly: null, daily: 5}, pool: {budget: {weekly: 9}}"
    assert told(f"groups: {{Team: {{limits: {{requests_per_minute: 30}}, {budgets}}}}}") == [
        (
            "change",
            "group",
            "Team",
            [
                ("change", "limits.requests_per_minute", 60, 30),
                ("add", "budget.daily", None, "5"),
                ("delete", "budget.monthly", "100", None),
                ("add", "pool.budget.weekly", None, "9"),
            ],
        )
    ]


def test_no_alerts_are_not_the_usual_ones() -> None:
    assert told("groups: {Team: {budget: {alert_thresholds: []}}}") == [
        ("change", "group", "Team", [("change", "budget.alert_thresholds", [80, 100], [])])
    ]


def test_lists_add_and_with_prune_also_take_away() -> None:
    text = "groups: {Team: {grants: [fast], members: [noor@example.com]}}"
    joined = ("add", "members", None, "noor@example.com")
    assert told(text) == [("change", "group", "Team", [joined])]
    assert told(text, prune=True) == [
        ("delete", "group", "Old", [("delete", "grants", "slow", None), ("delete", "members", 12, None)]),
        (
            "change",
            "group",
            "Team",
            [
                ("delete", "grants", "slow", None),
                ("delete", "members", "ada@example.com", None),
                ("delete", "members", "mia@example.com", None),
                joined,
            ],
        ),
    ]


def test_only_sections_that_are_there_are_pruned() -> None:
    assert told("", prune=True) == []
    assert [change[:3] for change in told("models: {fast: {}}", prune=True)] == [
        ("change", "group", "Old"),
        ("change", "group", "Team"),
        ("delete", "model", "slow"),
    ]
    assert [change[:3] for change in told("groups: {}", prune=True)] == [
        ("delete", "group", "Old"),
        ("delete", "group", "Team"),
    ]


def test_what_is_deleted_becomes_nothing_else() -> None:
    model = ModelState("fast", "Fast", ModelKind.EMBEDDING, ModelStatus.DISABLED)
    group = GroupState("Team", each=Setting(budget=Budget(alert_thresholds=(50,))))
    state = PolicyState(models={"fast": model}, groups={"Team": group})
    plan = make_plan(state, read_policy("version: 1\nmodels: {}\ngroups: {}"), prune=True)
    assert [(one.field, one.before, one.after) for change in plan.changes for one in change.fields] == [
        ("budget.alert_thresholds", [50], None),
        ("name", "Fast", None),
        ("kind", "embedding", None),
        ("status", "disabled", None),
    ]
    assert {field["action"] for change in plan.told() for field in change["fields"]} == {"delete"}


def test_what_is_set_for_people_alone_is_managed_value_by_value() -> None:
    mia = UserState("mia@example.com", frozenset({"slow"}), Setting(RateLimits(requests=5, output_tokens=9)))
    state = replace(HERE, users={mia.email: mia, "ada@example.com": replace(mia, email="ada@example.com")})
    text = "users: {MIA@example.com: {grants: [fast], limits: {requests_per_minute: null}, budget: {daily: 1.50}}}"
    values = [
        ("delete", "limits.requests_per_minute", 5, None),
        ("add", "budget.daily", None, "1.5"),
    ]
    granted, taken = ("add", "grants", None, "fast"), ("delete", "grants", "slow", None)
    assert told(text, state=state) == [("change", "user", "mia@example.com", [*values, granted])]
    lifted = [
        ("delete", f"limits.{name}_per_minute", *was, None) for name, *was in (("requests", 5), ("output_tokens", 9))
    ]
    assert told(text, prune=True, state=state) == [
        ("change", "user", "ada@example.com", [*lifted, taken]),
        ("change", "user", "mia@example.com", [*values, taken, granted]),
    ]
    assert told("groups: {Team: {}, Old: {}}", prune=True, state=state) == []


def test_a_provider_is_itself_however_it_is_typed() -> None:
    text = "models: {fast: {backends: [{provider: ACME, model: large}]}}"
    assert told(text) == []


def test_a_group_is_itself_however_it_is_typed_and_takes_the_spelling() -> None:
    assert told("groups: {TEAM: {}}") == [("change", "group", "Team", [("change", "name", "Team", "TEAM")])]


def test_models_come_before_what_is_granted_and_go_after_it() -> None:
    text = "models: {new: {backends: [{provider: Acme, model: 'no'}], status: active}}\ngroups: {Team: {grants: [new]}}"
    assert [change[:3] for change in told(text, prune=True)] == [
        ("add", "model", "new"),
        ("delete", "group", "Old"),
        ("change", "group", "Team"),
        ("delete", "model", "fast"),
        ("delete", "model", "slow"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("groups: {Team: {grants: [fsat]}}", "groups.Team.grants[0]: there is no model fsat; did you mean fast?"),
        ("groups: {Team: {members: [eve@example.com]}}", "groups.Team.members[0]: nobody here has the address eve@"),
        (
            "users: {eve@example.com: {}}",
            "users.'eve@example.com': nobody here has the address eve@example.com; invite",
        ),
        ("users: {mia@example.com: {grants: [fsat]}}", "grants[0]: there is no model fsat; did you mean fast?"),
        ("models: {fast: {kind: embedding}}", "models.fast.kind: is chat and cannot be changed"),
        ("models: {slow: {status: active}}", "models.slow.status: must have at least one backend"),
        ("models: {fast: {backends: []}}", "models.fast: must have at least one backend"),
        ("models: {m: {backends: [{provider: Akme, model: x}]}}", "called Akme; did you mean Acme?"),
        ("models: {m: {backends: [{provider: Acme, model: larg}]}}", "Acme has no model larg; did you mean large?"),
        ("models: {m: {backends: [{provider: Acme, model: vectors}]}}", "is for embedding, the model here for chat"),
        (
            "models: {m: {backends: [{provider: Acme, model: large}, {provider: acme, model: large}]}}",
            "models.m.backends[1].model: stands behind this model already",
        ),
    ],
)
def test_what_is_referred_to_must_be_there(text: str, sentence: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        told(text)
    (fault,) = caught.value.faults
    assert str(fault).startswith("line 2: ")
    assert sentence in str(fault)


def test_a_grant_for_a_model_that_is_pruned_is_at_fault() -> None:
    with pytest.raises(InvalidDocument, match="there is no model slow"):
        told("models: {fast: {}}\ngroups: {Team: {grants: [slow]}}", prune=True)


def test_the_id_of_a_plan_stands_for_what_is_there_and_what_is_wanted() -> None:
    def plan(state: PolicyState, requests: int) -> Plan:
        text = f"version: 1\ngroups: {{Team: {{limits: {{requests_per_minute: {requests}}}}}}}"
        return make_plan(state, read_policy(text))

    elsewhere = PolicyState(HERE.models, {**HERE.groups, "New": GroupState("New")}, OFFERS, HERE.people)
    other = GroupState("Team", each=Setting(RateLimits(requests=61)))
    assert plan(HERE, 30).id == plan(elsewhere, 30).id
    assert len({plan(HERE, 30).id, plan(HERE, 31).id, plan(PolicyState({}, {"Team": other}), 30).id}) == 3
