"""Previews over a real database: right for the few, quick for the many, and changing nothing."""

from __future__ import annotations

import asyncio
import gc
import time
from datetime import UTC, timedelta

import pytest
from sqlalchemy import insert

from fakes.identity import Site
from sluicegate.domain.policy import Budget, Dimension, Override, RateLimits, Subject, SubjectKind, Window
from sluicegate.domain.user import Group, Role
from sluicegate.kit.errors import Forbidden, InvalidInput, NotFound
from sluicegate.kit.money import Nanos
from sluicegate.policy.windows import PeriodClock
from sluicegate.services.previews import PreviewService
from sluicegate.storage.crowd_source import SqlCrowdSource
from sluicegate.storage.tables.identity import MEMBERSHIPS, USERS
from sluicegate.storage.tables.usage import SPEND

TEAM, OPS = Subject(SubjectKind.GROUP, "team"), Subject(SubjectKind.GROUP, "ops")


def service(site: Site) -> PreviewService:
    return PreviewService(site.store, SqlCrowdSource(site.store.engine), PeriodClock(UTC), site.clock)


async def groups(site: Site) -> None:
    async with site.store.write() as tx:
        for group_id in ("team", "ops"):
            await tx.groups.add(Group(group_id, group_id.title(), "", site.clock.now()))


async def spend(site: Site, *rows: tuple[str, str, str, int]) -> None:
    async with site.store.engine.begin() as connection:
        names = ("subject_kind", "subject_id", "period", "spent_nanos", "changed_ms")
        await connection.execute(insert(SPEND), [dict(zip(names, (*row, 0), strict=True)) for row in rows])


async def test_members_are_judged_by_everything_that_holds_for_them(site: Site) -> None:
    admin = await site.person("root@example.com", Role.ADMIN)
    ada, bob, cyd = [(await site.person(f"{name}@example.com")).user.id for name in ("ada", "bob", "cyd")]
    outsider = (await site.person("eve@example.com")).user.id
    await groups(site)
    now = site.clock.now()
    raise_of_cyd = Override("o", cyd, Window.MONTH, None, "why", "Root", now, now + timedelta(hours=1))
    async with site.store.write() as tx:
        await tx.groups.add_members("team", [ada, bob, cyd])
        await tx.groups.add_members("ops", [bob, outsider])
        await tx.policy.set_rate_limits(TEAM, RateLimits(requests=60))
        await tx.policy.set_budget(OPS, Budget(month=Nanos(5)))
        await tx.policy.set_rate_limits(Subject(SubjectKind.USER, ada), RateLimits(requests=10))
        await tx.policy.set_rate_limits(Subject(SubjectKind.POOL, "team"), RateLimits(requests=0))
        await tx.overrides.add(raise_of_cyd)
    month, last = "2026-11", "2026-10"
    await spend(
        site, ("user", ada, month, 30), ("user", ada, last, 99), ("user", bob, month, 4), ("key", ada, month, 7)
    )

    found = await service(site).of_group(admin, "team", RateLimits(requests=30), Budget(month=Nanos(20)), 20)
    assert (found.people, found.stricter, found.looser, found.blocked, found.unchanged) == (3, 3, 0, 1, 0)
    by_id = {effect.person.id: effect for effect in found.affected}
    assert found.affected[0].person.id == ada
    assert by_id[ada].changes == {Window.MONTH: (None, 20)}
    assert by_id[ada].person.spent == {Window.MONTH: 30}
    assert by_id[bob].changes == by_id[cyd].changes == {Dimension.REQUESTS: (60, 30)}

    own = await service(site).of_user(admin, ada, RateLimits(), None)
    assert own.affected[0].changes == {Dimension.REQUESTS: (10, 60)}
    assert (own.people, own.looser) == (1, 1)
    async with site.store.read() as tx:
        assert (await tx.policy.rate_limits([TEAM]))[TEAM].requests == 60
    assert site.feed.published == []


async def test_previews_are_for_administrators_and_say_what_is_wrong(site: Site) -> None:
    admin, member = await site.person("root@example.com", Role.ADMIN), await site.person("mia@example.com")
    await groups(site)
    previews = service(site)
    with pytest.raises(Forbidden):
        await previews.of_group(member, "team", RateLimits(), None, 20)
    with pytest.raises(Forbidden):
        await previews.of_user(member, member.user.id, RateLimits(), None)
    with pytest.raises(NotFound):
        await previews.of_group(admin, "ghost", None, None, 20)
    for limits, budget, first, field in (
        (RateLimits(requests=-1), None, 20, "rateLimit.requestsPerMinute"),
        (None, Budget(day=Nanos(-1)), 20, "budget.daily"),
        (None, None, 101, "first"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await previews.of_group(admin, "team", limits, budget, first)
        assert caught.value.field == field
    empty = await previews.of_group(admin, "team", RateLimits(requests=0), None, 20)
    assert (empty.people, empty.affected) == (0, ())


async def test_five_thousand_members_are_previewed_while_others_are_served(site: Site) -> None:
    admin = await site.person("root@example.com", Role.ADMIN)
    await groups(site)
    ids = [f"u{number:05}" for number in range(5_000)]
    now = site.clock.now()
    common = {"role": "member", "status": "active", "created_at": now, "sort_name": "x", "last_active_at": None}
    async with site.store.engine.begin() as connection:
        users = [{"id": i, "email": f"{i}@example.com", "name": f"User {i}", **common} for i in ids]
        await connection.execute(insert(USERS), users)
        members = [{"group_id": group, "user_id": i} for i in ids for group in ("team", "ops")]
        await connection.execute(insert(MEMBERSHIPS), members)
    await spend(site, *(("user", i, "2026-11", number) for number, i in enumerate(ids)))
    async with site.store.write() as tx:
        await tx.policy.set_budget(TEAM, Budget(month=Nanos(4_000)))
        for i in ids[:1_000]:
            await tx.policy.set_budget(Subject(SubjectKind.USER, i), Budget(month=Nanos(100)))

    longest, running = 0.0, True

    async def others() -> None:
        """Wait their turn; measured in what this thread computes, so that a busy machine does not matter."""
        nonlocal longest
        while running:
            before = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - before)

    # What other tests left behind is not to be collected in the middle of a turn.
    gc.collect()
    gc.freeze()
    beside = asyncio.create_task(others())
    found = await service(site).of_group(admin, "team", None, Budget(month=Nanos(3_000)), 20)
    running = False
    await beside
    # Those up to number 999 have a stricter cap of their own; from 4,000 on they were blocked before.
    assert (found.people, found.stricter, found.unchanged, found.blocked) == (5_000, 4_000, 1_000, 1_000)
    assert len(found.affected) == 20
    assert found.affected[0].person.id == "u03000"
    assert longest < 0.5
