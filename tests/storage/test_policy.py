"""Grants, limits and budgets as the database keeps them, and as they are read for compiling."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.catalog import ModelStatus
from sluicegate.domain.policy import Budget, Dimension, Override, RateLimits, Subject, SubjectKind, Window
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.cursor import encode_cursor
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import Nanos
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.policy import KeyRows
from sluicegate.storage.engine import SqlStore
from sluicegate.storage.policy_source import SqlPolicySource
from sluicegate.storage.snapshot import snapshot
from storage.databases import sync_engine
from storage.records import NOW
from storage.test_catalog import MODEL, OTHER, PROVIDER, TARGET, fill

ADA = User("ada", "ada@example.com", "Ada", Role.MEMBER, UserStatus.ACTIVE, NOW)
BOB = replace(ADA, id="bob", email="bob@example.com", name="Bob")
TEAM, OPS, EMPTY = (Group(i, i.title(), "", NOW) for i in ("team", "ops", "empty"))
USER, GROUP = Subject(SubjectKind.USER, "ada"), Subject(SubjectKind.GROUP, "team")
POOL = Subject(SubjectKind.POOL, "team")
LIMITS = RateLimits(requests=0, input_tokens=2_000_000_000)
SHARED = Budget(week=Nanos(5))
BUDGET = Budget(Nanos(0), None, Nanos(10**18), (50, 90))


async def people(store: SqlStore) -> None:
    async with store.write() as tx:
        for user in (ADA, BOB):
            await tx.users.add(user)
        for group in (TEAM, OPS, EMPTY):
            await tx.groups.add(group)
        await tx.groups.add_members("team", ["ada", "bob"])
        await tx.groups.add_members("ops", ["bob"])
        await tx.groups.add_members("empty", ["ada"])


async def test_granting_twice_is_granting_once(store: SqlStore) -> None:
    await fill(store)
    async with store.write() as tx:
        first = await tx.policy.add_grants(USER, ["m1", "m1"], NOW)
        second = await tx.policy.add_grants(USER, ["m1"], NOW)
    assert first == second
    (grant,) = first
    assert (grant.subject, grant.model_id, grant.created_at) == (USER, "m1", NOW)
    async with store.write() as tx:
        assert await tx.policy.grant(grant.id) == grant
        await tx.policy.remove_grant(grant.id)
        assert await tx.policy.grants_of([USER]) == []


async def test_the_same_grant_from_many_hands_is_there_once(store: SqlStore) -> None:
    await fill(store)

    async def grant() -> list[str]:
        async with store.write() as tx:
            return [g.id for g in await tx.policy.add_grants(USER, ["m1"], NOW)]

    found = await asyncio.gather(*(grant() for _ in range(8)))
    assert len({tuple(ids) for ids in found}) == 1


async def test_the_holders_of_a_model_come_page_by_page_groups_first(store: SqlStore) -> None:
    await fill(store)
    async with store.write() as tx:
        await tx.catalog.add_model(replace(MODEL, id="m2", slug="other", backends=()))
        (first,) = await tx.policy.add_grants(USER, ["m1"], NOW)
        (second,) = await tx.policy.add_grants(Subject(SubjectKind.USER, "bob"), ["m1"], NOW)
        (team,) = await tx.policy.add_grants(GROUP, ["m1"], NOW)
        await tx.policy.add_grants(GROUP, ["m2"], NOW)
    async with store.read() as tx:
        page, other = await tx.policy.pages_of_grants_for([("m1", PageRequest(2)), ("m2", PageRequest(2))])
        assert [grant.subject for grant, _ in other.items] == [GROUP]
        assert ([grant for grant, _ in page.items], page.has_next) == ([team, first], True)
        (rest,) = await tx.policy.pages_of_grants_for([("m1", PageRequest(2, page.items[-1][1]))])
        assert ([grant for grant, _ in rest.items], rest.has_next) == ([second], False)
        assert await tx.policy.counts_of_grants_for(["m1", "m2", "m3"]) == {"m1": 3, "m2": 1, "m3": 0}
        with pytest.raises(InvalidInput):
            await tx.policy.pages_of_grants_for([("m1", PageRequest(2, encode_cursor([1, "x"])))])


async def test_limits_and_budgets_are_replaced_and_removed(store: SqlStore) -> None:
    async with store.write() as tx:
        await tx.policy.set_rate_limits(USER, RateLimits(requests=5))
        await tx.policy.set_rate_limits(USER, LIMITS)
        await tx.policy.set_rate_limits(GROUP, RateLimits(concurrent_requests=1))
        await tx.policy.set_budget(USER, BUDGET)
    async with store.read() as tx:
        assert await tx.policy.rate_limits([USER, GROUP]) == {USER: LIMITS, GROUP: RateLimits(concurrent_requests=1)}
        assert await tx.policy.budgets([USER, GROUP]) == {USER: BUDGET}
        assert await tx.policy.budgets([]) == {}
    async with store.write() as tx:
        await tx.policy.set_rate_limits(USER, RateLimits())
        await tx.policy.set_budget(USER, Budget())
    async with store.read() as tx:
        assert await tx.policy.rate_limits([USER]) == {}
        assert await tx.policy.budgets([USER]) == {}


async def test_two_who_set_the_same_limit_at_once_both_succeed(store: SqlStore) -> None:
    async def set_to(value: int) -> None:
        async with store.write() as tx:
            await tx.policy.set_rate_limits(USER, RateLimits(requests=value))

    await asyncio.gather(*(set_to(value) for value in range(8)))
    async with store.read() as tx:
        assert (await tx.policy.rate_limits([USER]))[USER].requests in range(8)


async def test_a_user_is_read_with_everything_that_decides(store: SqlStore) -> None:
    await fill(store)
    await people(store)
    async with store.write() as tx:
        (own,) = await tx.policy.add_grants(USER, ["m1"], NOW)
        (through_team,) = await tx.policy.add_grants(GROUP, ["m1"], NOW)
        await tx.policy.add_grants(Subject(SubjectKind.GROUP, "ops"), ["m1"], NOW)
        await tx.policy.add_grants(Subject(SubjectKind.USER, "bob"), ["m1"], NOW)
        await tx.policy.set_rate_limits(GROUP, LIMITS)
        await tx.policy.set_rate_limits(Subject(SubjectKind.GROUP, "ops"), RateLimits(requests=1))
        await tx.policy.set_budget(USER, BUDGET)
        await tx.policy.set_budget(POOL, SHARED)
        await tx.policy.set_rate_limits(Subject(SubjectKind.POOL, "ops"), RateLimits(requests=1))

    rows = (await SqlPolicySource(store.engine).users(["ada"])).get("ada")
    assert rows is not None
    assert rows.user == ADA
    assert {group.id: group for group in rows.groups} == {"team": TEAM, "empty": EMPTY}
    assert {grant.id: grant for grant in rows.grants} == {own.id: own, through_team.id: through_team}
    assert rows.limits == {GROUP: LIMITS}
    assert rows.budgets == {USER: BUDGET, POOL: SHARED}


async def test_overrides_that_nobody_ended_are_read_with_their_user(store: SqlStore) -> None:
    await people(store)
    raised = Override("1", "ada", Dimension.REQUESTS, 2_000_000_000, "why", "Root", NOW, NOW + timedelta(hours=1))
    lifted = replace(raised, id="2", target=Window.MONTH, value=None)
    ended = replace(raised, id="3")
    async with store.write() as tx:
        for override in (raised, lifted, ended, replace(raised, id="4", user_id="bob")):
            await tx.overrides.add(override)
        await tx.overrides.end("3", NOW, "Root")
        await tx.overrides.end("3", NOW + timedelta(hours=1), "somebody else, too late")
        await tx.policy.set_budget(USER, BUDGET)

    rows = (await SqlPolicySource(store.engine).users(["ada"])).get("ada")
    assert rows is not None
    assert sorted(rows.overrides, key=lambda o: o.id) == [raised, lifted]
    assert rows.budgets == {USER: BUDGET}
    async with store.write() as tx:
        found = await tx.overrides.of_users(["ada", "nobody"])
        assert found == {"ada": [replace(ended, ended_at=NOW, ended_by="Root"), lifted, raised], "nobody": []}
        await tx.users.delete("ada")
        assert await tx.overrides.get("1") is None


async def test_a_user_takes_three_statements_however_many_groups(store: SqlStore) -> None:
    await people(store)
    statements: list[str] = []
    event.listen(store.engine.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    await SqlPolicySource(store.engine).users(["ada"])
    assert len([s for s in statements if s.startswith("SELECT")]) == 3


async def test_many_users_take_as_many_statements_as_one_and_say_the_same(store: SqlStore) -> None:
    await people(store)
    await fill(store)
    async with store.write() as tx:
        for subject in (USER, GROUP, Subject(SubjectKind.USER, "bob")):
            await tx.policy.add_grants(subject, ["m1"], NOW)
        await tx.policy.set_rate_limits(GROUP, LIMITS)
        await tx.policy.set_budget(USER, BUDGET)
        await tx.overrides.add(
            Override("1", "ada", Dimension.REQUESTS, 9, "why", "Root", NOW, NOW + timedelta(hours=1))
        )
        await tx.overrides.add(Override("2", "ada", Window.MONTH, None, "why", "Root", NOW, NOW + timedelta(hours=1)))
    source = SqlPolicySource(store.engine)
    apart = {user_id: rows for one in ("ada", "bob", "ghost") for user_id, rows in (await source.users([one])).items()}

    statements: list[str] = []
    event.listen(store.engine.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert await source.users(["ada", "bob", "ghost"]) == apart
    assert set(apart) == {"ada", "bob"}
    assert [len(apart[user_id].grants) for user_id in ("ada", "bob")] == [2, 2]
    assert len([s for s in statements if s.startswith("SELECT")]) == 3


async def test_nobody_is_nobody(store: SqlStore) -> None:
    source = SqlPolicySource(store.engine)
    assert await source.users(["ghost"]) == {}
    assert await source.key("ghost") is None


async def test_a_key_is_found_by_its_public_id(store: SqlStore) -> None:
    await people(store)
    key = ApiKey("k1", "abcdefghijkl", "ada", "laptop", "sg_abcdefghijkl", "hash", NOW)
    subject = Subject(SubjectKind.KEY, "k1")
    async with store.write() as tx:
        await tx.keys.add(key)
    assert await SqlPolicySource(store.engine).key("abcdefghijkl") == KeyRows(key)
    async with store.write() as tx:
        await tx.policy.set_rate_limits(subject, LIMITS)
        await tx.policy.set_budget(subject, BUDGET)
    assert await SqlPolicySource(store.engine).key("abcdefghijkl") == KeyRows(key, LIMITS, BUDGET)


async def test_a_rotated_key_is_found_by_both_public_ids(store: SqlStore) -> None:
    await people(store)
    key = ApiKey("k1", "newer", "ada", "laptop", "sg_newer", "hash", NOW, model_ids=("m1",))
    key = replace(key, previous_public_id="older", previous_secret_hash="before", previous_expires_at=NOW)
    async with store.write() as tx:
        await tx.keys.add(key)
        await tx.keys.add(replace(key, id="k2", public_id="x", previous_public_id=None, model_ids=None))
    source = SqlPolicySource(store.engine)
    assert await source.key("newer") == await source.key("older") == await source.key_by_id("k1") == KeyRows(key)
    assert key.hash_of("older") == "before"
    other = await source.key_by_id("k2")
    assert other is not None
    assert other.key.model_ids is None


async def test_the_catalogue_is_read_whole(store: SqlStore) -> None:
    await fill(store)
    async with store.write() as tx:
        await tx.catalog.add_model(replace(MODEL, id="m2", slug="draft", status=ModelStatus.DRAFT, backends=()))
        await tx.catalog.set_sealed_credential("p1", "v1.a.b", "…", NOW)

    rows = await SqlPolicySource(store.engine).catalog(NOW)
    assert [model.slug for model in rows.models] == ["draft", "gpt-5"]
    assert rows.models[1] == MODEL
    assert rows.provider_models == {"pm1": TARGET, "pm2": OTHER}
    assert rows.providers == {"p1": replace(PROVIDER, credential_prefix="…", credential_updated_at=NOW)}
    assert rows.credentials == {"p1": "v1.a.b"}


async def test_a_user_is_read_as_of_one_instant(store: SqlStore, database_url: str) -> None:
    """Between two statements of a read, somebody takes the user out of the group and drops what the group had."""
    await people(store)
    async with store.write() as tx:
        await tx.policy.set_rate_limits(GROUP, LIMITS)
    async with snapshot(store.engine) as connection:
        await connection.execute(text("SELECT 1 FROM users"))
        with sync_engine(database_url) as other, other.begin() as writing:
            writing.execute(text("DELETE FROM memberships"))
            writing.execute(text("DELETE FROM rate_limits"))
        assert (await connection.execute(text("SELECT count(*) FROM memberships"))).scalar() == 4
        assert (await connection.execute(text("SELECT count(*) FROM rate_limits"))).scalar() == 1

    rows = (await SqlPolicySource(store.engine).users(["ada"])).get("ada")
    assert rows is not None
    assert (list(rows.groups), rows.limits) == ([], {})
