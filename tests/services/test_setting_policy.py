"""Grants, rate limits and budgets: who may set them, what is taken, what is written down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from fakes.identity import Site
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import Model, ModelKind, ModelStatus
from sluicegate.domain.policy import Budget, ChangeKind, PolicyChange, RateLimits, Subject, SubjectKind
from sluicegate.domain.user import Group, Role
from sluicegate.kit.errors import AppError, Forbidden, InvalidInput, NotFound
from sluicegate.kit.money import Nanos
from sluicegate.ports.pages import PageRequest
from sluicegate.services.budgets import BudgetService
from sluicegate.services.caller import Caller
from sluicegate.services.grants import GrantService
from sluicegate.services.limits import LimitService

TEAM = Subject(SubjectKind.GROUP, "team")
TEAM_CHANGED = PolicyChange(ChangeKind.GROUP, "team")


class Stage:
    """An admin, a member of one group, two models, the services."""

    def __init__(self, site: Site, admin: Caller, member: Caller) -> None:
        self.site, self.admin, self.member = site, admin, member
        self.user = Subject(SubjectKind.USER, member.user.id)
        self.grants = GrantService(site.store, site.clock)
        self.limits = LimitService(site.store)
        self.budgets = BudgetService(site.store)

    async def audit(self) -> list[dict[str, Any]]:
        statement = text(
            "SELECT action, target_kind, target_id, target_label, before, after FROM audit_events ORDER BY id"
        )
        async with self.site.store.engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(statement)]


@pytest.fixture
async def stage(site: Site) -> Stage:
    admin, member = await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com")
    now = site.clock.now()
    async with site.store.write() as tx:
        for group_id in ("team", "ops"):
            await tx.groups.add(Group(group_id, group_id.title(), "", now))
        await tx.groups.add_members("team", [member.user.id])
        for slug in ("fast", "wise"):
            await tx.catalog.add_model(Model(slug, slug, "", ModelKind.CHAT, ModelStatus.ACTIVE, (), now))
    return Stage(site, admin, member)


async def test_administrators_see_who_holds_a_model(stage: Stage) -> None:
    (own,) = await stage.grants.add(stage.admin, stage.user, ["fast"])
    (team,) = await stage.grants.add(stage.admin, TEAM, ["fast"])
    (page,) = await stage.grants.pages_for(stage.admin, [("fast", PageRequest())])
    assert [grant for grant, _ in page.items] == [team, own]
    assert await stage.grants.counts_for(stage.admin, ["fast", "wise"]) == {"fast": 2, "wise": 0}
    for caller in (stage.member, replace(stage.admin, scopes=frozenset({TokenScope.POLICY}))):
        with pytest.raises(Forbidden):
            await stage.grants.pages_for(caller, [("fast", PageRequest())])
        with pytest.raises(Forbidden):
            await stage.grants.counts_for(caller, ["fast"])


async def test_a_grant_is_given_once_and_audited(stage: Stage) -> None:
    first = await stage.grants.add(stage.admin, TEAM, ["fast"])
    both = await stage.grants.add(stage.admin, TEAM, ["fast", "wise", "fast"])
    again = await stage.grants.add(stage.admin, TEAM, ["wise"])

    assert [g.model_id for g in first] == ["fast"]
    assert sorted(g.model_id for g in both) == ["fast", "wise"]
    assert [g for g in both if g.model_id == "wise"] == again
    assert stage.site.feed.published == [TEAM_CHANGED] * 2
    events = await stage.audit()
    assert [(e["action"], e["target_kind"], e["target_label"]) for e in events] == [("grant.add", "group", "Team")] * 2
    assert ["wise" in str(e["after"]) for e in events] == [False, True]


async def test_revoking_takes_it_back_and_audits(stage: Stage) -> None:
    (grant,) = await stage.grants.add(stage.admin, stage.user, ["fast"])
    await stage.grants.revoke(stage.admin, grant.id)

    assert await stage.grants.of(stage.admin, [stage.user]) == {stage.user: []}
    assert stage.site.feed.published == [PolicyChange(ChangeKind.USER, stage.user.id)] * 2
    assert [e["action"] for e in await stage.audit()] == ["grant.add", "grant.revoke"]
    with pytest.raises(NotFound):
        await stage.grants.revoke(stage.admin, grant.id)


async def test_inherited_grants_come_group_by_group(stage: Stage) -> None:
    async with stage.site.store.write() as tx:
        await tx.groups.add_members("ops", [stage.member.user.id])
    await stage.grants.add(stage.admin, TEAM, ["fast"])
    await stage.grants.add(stage.admin, Subject(SubjectKind.GROUP, "ops"), ["wise", "fast"])
    await stage.grants.add(stage.admin, stage.user, ["fast"])

    found = await stage.grants.inherited(stage.member, [stage.member.user.id])
    assert [g.subject.id for g in found[stage.member.user.id]] == ["ops", "ops", "team"]


@pytest.mark.parametrize(
    ("models", "error", "field"),
    [([], InvalidInput, "modelIds"), (["fast", "ghost"], NotFound, "modelIds"), (["x"] * 101, NotFound, "modelIds")],
)
async def test_wrong_models_are_refused_as_a_whole(
    stage: Stage, models: list[str], error: type[AppError], field: str
) -> None:
    with pytest.raises(error) as caught:
        await stage.grants.add(stage.admin, TEAM, models)
    assert caught.value.field == field
    await unchanged(stage)


async def test_too_many_models_at_once_are_refused(stage: Stage) -> None:
    with pytest.raises(InvalidInput, match="at most 100"):
        await stage.grants.add(stage.admin, TEAM, [f"m{n}" for n in range(101)])


async def test_limits_are_set_shown_and_audited(stage: Stage) -> None:
    limits = RateLimits(requests=0, input_tokens=1000)
    assert await stage.limits.set(stage.admin, stage.user, limits) == limits
    assert await stage.limits.set(stage.admin, stage.user, limits) == limits

    assert await stage.limits.of(stage.member, [stage.user]) == {stage.user: limits}
    assert stage.site.feed.published == [PolicyChange(ChangeKind.USER, stage.user.id)]
    (event,) = await stage.audit()
    assert event["action"] == "rate_limit.set"
    # Only what differs: null has become 0, and other fields stayed.
    assert "requests" in str(event["after"])
    assert "output_tokens" not in str(event["after"])


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        (RateLimits(requests=-1), "requestsPerMinute"),
        (RateLimits(input_tokens=-1), "inputTokensPerMinute"),
        (RateLimits(output_tokens=2_000_000_001), "outputTokensPerMinute"),
        (RateLimits(concurrent_requests=-5), "concurrentRequests"),
    ],
)
async def test_absurd_limits_are_refused_by_name(stage: Stage, limits: RateLimits, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await stage.limits.set(stage.admin, TEAM, limits)
    assert caught.value.field == field
    await unchanged(stage)


async def test_budgets_are_set_shown_and_audited_in_dollars(stage: Stage) -> None:
    budget = Budget(Nanos(0), None, Nanos(12_500_000_000), (100, 50, 50))
    stored = await stage.budgets.set(stage.admin, TEAM, budget)

    assert stored == replace(budget, alert_thresholds=(50, 100))
    assert await stage.budgets.of(stage.admin, [TEAM]) == {TEAM: stored}
    assert stage.site.feed.published == [TEAM_CHANGED]
    (event,) = await stage.audit()
    assert event["action"] == "budget.set"
    assert "12.5" in str(event["after"])
    assert "weekly" not in str(event["after"])


@pytest.mark.parametrize(
    ("budget", "field"),
    [
        (Budget(day=Nanos(-1)), "daily"),
        (Budget(week=Nanos(10**18 + 1)), "weekly"),
        (Budget(month=Nanos(-1)), "monthly"),
        (Budget(alert_thresholds=(0,)), "alertThresholds"),
        (Budget(alert_thresholds=(101,)), "alertThresholds"),
        (Budget(alert_thresholds=tuple(range(1, 12))), "alertThresholds"),
    ],
)
async def test_absurd_budgets_are_refused_by_name(stage: Stage, budget: Budget, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await stage.budgets.set(stage.admin, TEAM, budget)
    assert caught.value.field == field
    await unchanged(stage)


async def test_a_pool_is_apart_from_what_each_member_has_and_filed_under_its_group(stage: Stage) -> None:
    pool, limits = Subject(SubjectKind.POOL, "team"), RateLimits(requests=5)
    await stage.limits.set(stage.admin, pool, limits)
    await stage.budgets.set(stage.admin, pool, Budget(day=Nanos(1)))

    assert await stage.limits.of(stage.admin, [TEAM, pool]) == {TEAM: RateLimits(), pool: limits}
    assert stage.site.feed.published == [TEAM_CHANGED] * 2
    events = [(e["action"], e["target_kind"], e["target_id"], e["target_label"]) for e in await stage.audit()]
    assert events == [(f"pool_{what}.set", "group", "team", "Team") for what in ("rate_limit", "budget")]
    with pytest.raises(Forbidden):
        await stage.limits.of(stage.member, [pool])
    async with stage.site.store.write() as tx:
        await tx.groups.delete("team")
    assert await stage.limits.of(stage.admin, [pool]) == {pool: RateLimits()}


Change = Callable[[Stage, Caller, Subject], Awaitable[object]]
CHANGES: list[Change] = [
    lambda stage, caller, subject: stage.grants.add(caller, subject, ["fast"]),
    lambda stage, caller, subject: stage.limits.set(caller, subject, RateLimits(requests=1)),
    lambda stage, caller, subject: stage.budgets.set(caller, subject, Budget(day=Nanos(1))),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("kind", "field"), [(SubjectKind.USER, "userId"), (SubjectKind.GROUP, "groupId"), (SubjectKind.POOL, "groupId")]
)
async def test_nobody_is_refused(stage: Stage, change: Change, kind: SubjectKind, field: str) -> None:
    with pytest.raises(NotFound) as caught:
        await change(stage, stage.admin, Subject(kind, "ghost"))
    assert caught.value.field == field
    await unchanged(stage)


@pytest.mark.parametrize("change", CHANGES)
async def test_members_and_tokens_without_the_scope_change_nothing(stage: Stage, change: Change) -> None:
    reader = replace(stage.admin, scopes=frozenset({TokenScope.READ, TokenScope.CATALOG}))
    owned_by_member = replace(stage.member, scopes=frozenset(TokenScope))
    for caller in (stage.member, reader, owned_by_member):
        with pytest.raises(Forbidden):
            await change(stage, caller, stage.user)
    await unchanged(stage)
    await change(stage, replace(stage.admin, scopes=frozenset({TokenScope.POLICY})), stage.user)


async def test_members_see_only_their_own(stage: Stage) -> None:
    for subject in (TEAM, Subject(SubjectKind.USER, stage.admin.user.id)):
        for service in (stage.grants, stage.limits, stage.budgets):
            with pytest.raises(Forbidden):
                await service.of(stage.member, [stage.user, subject])
    with pytest.raises(Forbidden):
        await stage.grants.inherited(stage.member, [stage.admin.user.id])
    with pytest.raises(Forbidden):
        await stage.limits.of(replace(stage.admin, scopes=frozenset({TokenScope.POLICY})), [TEAM])


async def unchanged(stage: Stage) -> None:
    """Nothing is stored, nobody was told, nothing is in the audit log."""
    subjects = [TEAM, stage.user]
    assert await stage.grants.of(stage.admin, subjects) == {s: [] for s in subjects}
    assert await stage.limits.of(stage.admin, subjects) == dict.fromkeys(subjects, RateLimits())
    assert await stage.budgets.of(stage.admin, subjects) == dict.fromkeys(subjects, Budget())
    assert stage.site.feed.published == []
    assert await stage.audit() == []
