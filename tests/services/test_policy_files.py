"""A policy file put into force: all of it or nothing, by the rules of every single change, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from fakes.identity import Site
from services.test_policy_file_reading import example
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.policy import ChangeKind, PolicyChange, RateLimits, Subject, SubjectKind
from sluicegate.domain.user import Role
from sluicegate.domain.version import Edited
from sluicegate.kit.errors import Forbidden, StaleVersion
from sluicegate.kit.secret import Secret
from sluicegate.services import limits
from sluicegate.services.caller import Caller, operator
from sluicegate.services.groups import GroupService
from sluicegate.services.limits import LimitService
from sluicegate.services.policy_file import storing
from sluicegate.services.policy_file.nodes import InvalidDocument
from sluicegate.services.policy_file.service import PolicyFileService
from sluicegate.services.provider_models import NewProviderModel, ProviderModelService
from sluicegate.services.providers import NewProvider, ProviderService

MIA = "Mia <mia@example.com>"


class Stage:
    def __init__(self, site: Site, admin: Caller) -> None:
        self.site, self.admin = site, admin
        self.files = PolicyFileService(site.store, site.clock)
        self.groups = GroupService(site.store, site.clock)

    async def providers(self) -> None:
        """Those that the example names."""
        store, clock = self.site.store, self.site.clock
        providers = ProviderService(store, EnvelopeVault(b"k" * 32), clock, allow_private=False)
        offers = ProviderModelService(store, clock)
        for name in ("Anthropic", "Fallback"):
            new = NewProvider(ProviderKind.ANTHROPIC, name, credential=Secret("sk-ant-0123456789abcdef"))
            made = await providers.create(self.admin, new)
            await offers.create(self.admin, NewProviderModel(made.id, "claude-sonnet-4-5"))

    async def apply(self, text: str, *, prune: bool = False, caller: Caller | None = None) -> list[tuple[str, str]]:
        plan = await self.files.apply(caller or self.admin, text, prune=prune)
        return [(change["action"], change["name"]) for change in plan.told()]

    async def everything(self) -> dict[str, list[Any]]:
        tables = ("groups", "models", "backends", "grants", "rate_limits", "budgets", "memberships", "audit_events")
        async with self.site.store.engine.connect() as connection:
            rows = {name: await connection.execute(text(f'SELECT * FROM "{name}"')) for name in tables}
            return {name: sorted(map(tuple, found), key=repr) for name, found in rows.items()}

    async def audit(self) -> list[tuple[str, str, str]]:
        async with self.site.store.engine.connect() as connection:
            statement = text("SELECT actor_label, action, target_label FROM audit_events ORDER BY id")
            return [tuple(row) for row in await connection.execute(statement)]  # type: ignore[misc]


@pytest.fixture
async def stage(site: Site) -> Stage:
    made = Stage(site, await site.person("root@example.com", Role.ADMIN))
    await site.person("mia@example.com")
    await made.providers()
    return made


def token(stage: Stage, *scopes: TokenScope) -> Caller:
    return replace(stage.admin, scopes=frozenset(scopes))


async def test_the_documented_example_is_applied_once(stage: Stage) -> None:
    before = len(await stage.audit())
    stage.site.feed.published.clear()
    assert await stage.apply(example(), caller=operator()) == [
        ("add", "claude-sonnet"),
        ("add", "embed-small"),
        ("add", "Contractors"),
        ("add", "Engineering"),
        ("change", "mia@example.com"),
    ]
    assert (await stage.audit())[before:] == [
        ("command line", action, target)
        for action, target in (
            ("model.create", "claude-sonnet"),
            ("model.create", "embed-small"),
            ("group.create", "Contractors"),
            ("grant.add", "Contractors"),
            ("group.add_members", "Contractors"),
            ("rate_limit.set", "Contractors"),
            ("budget.set", "Contractors"),
            ("group.create", "Engineering"),
            ("grant.add", "Engineering"),
            ("rate_limit.set", "Engineering"),
            ("budget.set", "Engineering"),
            ("pool_budget.set", "Engineering"),
            ("grant.add", MIA),
            ("budget.set", MIA),
        )
    ]
    assert PolicyChange(ChangeKind.CATALOG) in stage.site.feed.published
    stage.site.feed.published.clear()
    rows = await stage.everything()
    for prune in (False, True):
        assert await stage.apply(example(), prune=prune) == []
    assert stage.site.feed.published == []
    assert await stage.everything() == rows


async def test_an_export_is_the_same_again_and_fills_an_empty_installation(stage: Stage) -> None:
    await stage.apply(example())
    exported = await stage.files.export(stage.admin, members=True)
    for prune in (False, True):
        assert await stage.apply(exported, prune=prune) == []
    await stage.apply("version: 1\nmodels: {}\ngroups: {}", prune=True)
    assert await stage.files.export(stage.admin, members=True) == "version: 1\nmodels: {}\ngroups: {}\n"
    await stage.apply(exported)
    assert await stage.files.export(stage.admin, members=True) == exported
    without = await stage.files.export(stage.admin)
    assert "mia@example.com" not in without
    assert await stage.apply(without, prune=True) == []


async def test_every_kind_of_change_and_its_return(stage: Stage) -> None:
    await stage.apply(example())
    before = await stage.files.export(stage.admin, members=True)
    changed = """
version: 1
models:
  claude-sonnet: {name: Sonnet, backends: [{provider: fallback, model: claude-sonnet-4-5, weight: 3}]}
groups:
  engineering:
    description: Others
    grants: []
    members: [mia@example.com, root@example.com]
    limits: {requests_per_minute: 0}
    budget: {monthly: null, weekly: 0.000000001, alert_thresholds: []}
    pool: {limits: {concurrent_requests: 3}, budget: {monthly: null}}
"""
    planned = await stage.files.plan(stage.admin, changed, prune=True)
    done = await stage.files.apply(stage.admin, changed, prune=True, expected_plan=planned.id)
    assert done == planned
    assert (await stage.files.plan(stage.admin, changed, prune=True)).changes == ()
    assert await stage.apply(before, prune=True)
    assert await stage.files.export(stage.admin, members=True) == before


async def test_what_is_set_for_people_alone_comes_and_goes(stage: Stage) -> None:
    await stage.apply(example())
    setting = (
        "{grants: [embed-small], limits: {requests_per_minute: 0}, budget: {weekly: '7.25', alert_thresholds: []}}"
    )
    text = f"version: 1\nusers: {{mia@example.com: {setting}, Root@example.com: {{limits: {{}}}}}}"
    before = await stage.files.export(stage.admin, users=True)
    stage.site.feed.published.clear()
    assert await stage.apply(text) == [("change", "mia@example.com")]
    async with stage.site.store.read() as tx:
        mia = await tx.users.by_email("mia@example.com")
        assert mia is not None
        subject = Subject(SubjectKind.USER, mia.id)
        assert await tx.policy.rate_limits([subject]) == {subject: RateLimits(requests=0)}
        budget = (await tx.policy.budgets([subject]))[subject]
    assert (budget.week, budget.month, budget.alert_thresholds) == (7_250_000_000, 20_000_000_000, ())
    assert stage.site.feed.published == [PolicyChange(ChangeKind.USER, mia.id)]
    assert [row[1:] for row in (await stage.audit())[-2:]] == [("rate_limit.set", MIA), ("budget.set", MIA)]
    assert await stage.apply(text) == []

    exported = await stage.files.export(stage.admin, users=True)
    assert "root@example.com" not in exported
    assert "mia@example.com" not in await stage.files.export(stage.admin)
    for prune in (False, True):
        assert await stage.apply(exported, prune=prune) == []
    assert await stage.apply("version: 1\nusers: {}") == []
    assert await stage.apply("version: 1\nusers: {}", prune=True) == [("change", "mia@example.com")]
    async with stage.site.store.read() as tx:
        assert await tx.policy.owners(SubjectKind.USER) == []
    assert await stage.apply(exported) == [("change", "mia@example.com")]
    assert await stage.files.export(stage.admin, users=True) == exported
    assert await stage.apply(before, prune=True) == [("change", "mia@example.com")]
    assert await stage.files.export(stage.admin, users=True) == before


async def test_a_person_who_is_not_there_is_named_with_the_line(stage: Stage) -> None:
    before = await stage.everything()
    text = "version: 1\nusers:\n  mia@example.com: {budget: {daily: 1}}\n  eve@example.com: {budget: {daily: 1}}"
    with pytest.raises(InvalidDocument, match=r"line 4: users\.'eve@example\.com': nobody here .* invite them first"):
        await stage.apply(text)
    assert await stage.everything() == before


async def test_of_a_file_and_an_edit_of_the_same_person_the_later_is_stale(stage: Stage) -> None:
    text = "version: 1\nusers: {mia@example.com: {limits: {requests_per_minute: 10}}}"
    plan = await stage.files.plan(stage.admin, text, prune=False)
    async with stage.site.store.read() as tx:
        mia = await tx.users.by_email("mia@example.com")
    assert mia is not None
    subject, service = Subject(SubjectKind.USER, mia.id), LimitService(stage.site.store)
    await service.set(stage.admin, subject, RateLimits(requests=31))
    with pytest.raises(StaleVersion, match="Look at a new plan"):
        await stage.files.apply(stage.admin, text, prune=False, expected_plan=plan.id)
    async with stage.site.store.read() as tx:
        seen = (await tx.versions.of([Edited.limits_of(subject)]))[Edited.limits_of(subject)]
    await stage.apply(text)
    with pytest.raises(StaleVersion):
        await service.set(stage.admin, subject, RateLimits(requests=32), seen)


async def test_a_fault_half_way_leaves_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await stage.everything()
    published = len(stage.site.feed.published)
    changes = re.sub("mia@", "eve@", example())
    with pytest.raises(InvalidDocument, match=r"nobody here has the address eve@example\.com"):
        await stage.apply(changes)
    assert await stage.everything() == before

    async def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(limits, "record_setting", fail)
    with pytest.raises(OSError, match="disk full"):
        await stage.apply(example())
    assert await stage.everything() == before
    assert len(stage.site.feed.published) == published


async def test_a_plan_that_is_stale_is_not_done(stage: Stage) -> None:
    await stage.apply(example())
    text = "version: 1\ngroups: {Contractors: {limits: {requests_per_minute: 10}}}"
    plan = await stage.files.plan(stage.admin, text, prune=False)
    # What the plan does not touch may change.
    await stage.groups.create(stage.admin, "Others")
    async with stage.site.store.read() as tx:
        group = await tx.groups.by_name("Contractors")
    assert group is not None
    subject = Subject(SubjectKind.GROUP, group.id)
    limit_service = LimitService(stage.site.store)
    await limit_service.set(stage.admin, subject, RateLimits(requests=31, concurrent_requests=4))
    before = await stage.everything()
    with pytest.raises(StaleVersion, match="Look at a new plan") as caught:
        await stage.files.apply(stage.admin, text, prune=False, expected_plan=plan.id)
    assert caught.value.field == "expectedPlan"
    assert await stage.everything() == before
    again = await stage.files.plan(stage.admin, text, prune=False)
    assert (await stage.files.apply(stage.admin, text, prune=False, expected_plan=again.id)) == again


async def test_of_many_who_apply_one_plan_one_does(stage: Stage) -> None:
    plan = await stage.files.plan(stage.admin, example(), prune=False)
    outcomes = await asyncio.gather(
        *(stage.files.apply(stage.admin, example(), prune=False, expected_plan=plan.id) for _ in range(4)),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Plan", *["StaleVersion"] * 3]


async def test_two_files_at_once_and_edits_beside_them_are_not_mixed(stage: Stage) -> None:
    await stage.apply(example())

    def wanted(number: int) -> str:
        setting = f"limits: {{requests_per_minute: {number}}}, budget: {{daily: {number}}}, description: '{number}'"
        return f"version: 1\ngroups: {{Engineering: {{{setting}}}, Contractors: {{{setting}}}, New: {{{setting}}}}}"

    async with stage.site.store.read() as tx:
        group = await tx.groups.by_name("Engineering")
    assert group is not None
    subject, service = Subject(SubjectKind.GROUP, group.id), LimitService(stage.site.store)
    for number in range(1, 4):
        low, high = number * 10, number * 10 + 1
        await asyncio.gather(
            stage.apply(wanted(low)),
            service.set(stage.admin, subject, RateLimits(requests=999)),
            stage.apply(wanted(high)),
        )
        exported = await stage.files.export(stage.admin)
        plans = [await stage.files.plan(stage.admin, wanted(n), prune=False) for n in (low, high)]
        # One of the two stands whole, but for what was edited after both.
        left = min([(c["name"], f["field"]) for c in p.told() for f in c["fields"]] for p in plans)
        assert left in ([], [("Engineering", "limits.requests_per_minute")]), exported


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("groups: {Contractors: {limits: {requests_per_minute: 1}, budget: {daily: 1}, grants: [embed-small]}}", ""),
        ("groups: {Contractors: {description: x}}", "users"),
        ("groups: {Contractors: {members: [root@example.com]}}", "users"),
        ("groups: {New: {}}", "users"),
        ("groups: {CONTRACTORS: {}}", "users"),
        ("users: {mia@example.com: {limits: {requests_per_minute: 1}, grants: [claude-sonnet]}}", ""),
        ("models: {embed-small: {name: x}}", "catalog"),
        ("models: {new: {}}\ngroups: {New: {}}", "users and the scope catalog"),
        ("groups: {Contractors: {}}", "users"),
    ],
)
async def test_a_token_needs_the_scopes_of_what_it_changes(stage: Stage, text: str, needed: str) -> None:
    await stage.apply(example())
    document, prune = f"version: 1\n{text}", text == "groups: {Contractors: {}}"
    if not needed:
        assert await stage.apply(document, caller=token(stage, TokenScope.POLICY))
        return
    before = await stage.everything()
    with pytest.raises(Forbidden, match=f"lacks what the plan needs: the scope {needed}\\."):
        await stage.apply(document, prune=prune, caller=token(stage, TokenScope.POLICY, TokenScope.READ))
    assert await stage.everything() == before
    assert await stage.apply(
        document, prune=prune, caller=token(stage, TokenScope.POLICY, TokenScope.USERS, TokenScope.CATALOG)
    )


async def test_only_administrators_and_tokens_with_the_scope(stage: Stage) -> None:
    member = await stage.site.person("noor@example.com")
    for caller in (member, token(stage, TokenScope.USERS), token(stage, TokenScope.CATALOG)):
        for ask in (
            stage.files.export(caller),
            stage.files.plan(caller, example(), prune=False),
            stage.files.apply(caller, example(), prune=False),
        ):
            with pytest.raises(Forbidden):
                await ask
    reader = token(stage, TokenScope.READ)
    assert (await stage.files.plan(reader, example(), prune=False)).changes
    with pytest.raises(Forbidden):
        await stage.files.apply(reader, example(), prune=False)


async def test_more_groups_and_members_than_fit_one_page(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "_PORTION", 5)
    people = [f"p{n:04}@example.com" for n in range(12)]
    async with stage.site.store.write() as tx:
        base = stage.admin.user
        for number, email in enumerate(people):
            await tx.users.add(replace(base, id=f"p{number}", email=email, role=Role.MEMBER))
    users = "".join(f"  {email}: {{budget: {{daily: {n}}}}}\n" for n, email in enumerate(people))
    groups = "".join(f"  G{n}: {{limits: {{requests_per_minute: {n}}}}}\n" for n in range(12))
    text = f"version: 1\ngroups:\n{groups}  All: {{members: [{', '.join(people)}]}}\nusers:\n{users}"
    assert len(await stage.apply(text)) == 25
    assert await stage.apply(text, prune=True) == []
    assert await stage.apply("version: 1\ngroups: {All: {members: []}}", prune=True)
    assert await stage.groups.count(stage.admin, None) == 1
