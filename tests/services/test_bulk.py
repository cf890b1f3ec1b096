"""Many people at once: one transaction, one answer each, one notice to the processes that admit calls."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import event

from fakes.identity import Site
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.user import Role, UserStatus
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import AuditFilter, UserFilter
from sluicegate.services.bulk import MAX_AT_ONCE, BulkService, Chosen, Matching, Outcome
from sluicegate.services.caller import Caller
from sluicegate.services.users import UserService

# Statements: what is written down of a person, and what is looked at before that.
_FOR_EACH = 6


@pytest.fixture
async def admin(site: Site) -> Caller:
    return await site.person("root@example.com", Role.ADMIN)


@pytest.fixture
def bulk(site: Site) -> BulkService:
    return BulkService(site.store, site.clock)


async def crowd(site: Site, many: int) -> list[str]:
    return [(await site.person(f"p{n:03}@example.com")).user.id for n in range(many)]


async def test_as_many_as_may_be_are_suspended_in_one_go(site: Site, admin: Caller, bulk: BulkService) -> None:
    ids = await crowd(site, MAX_AT_ONCE)
    statements: list[str] = []
    engine = site.store.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    results = await bulk.suspend(admin, [Chosen(user_id) for user_id in ids])
    # A few for each, however many others there are.
    assert len(statements) < _FOR_EACH * MAX_AT_ONCE + 50
    assert [(r.user_id, r.outcome) for r in results] == [(user_id, Outcome.DONE) for user_id in ids]
    assert sorted(site.feed.published, key=lambda c: c.id) == [
        PolicyChange(ChangeKind.USER, user_id) for user_id in sorted(ids)
    ]
    async with site.store.read() as tx:
        assert await tx.users.count(UserFilter(status=UserStatus.SUSPENDED)) == MAX_AT_ONCE
        assert await tx.audit.count(AuditFilter(action="user.suspend")) == MAX_AT_ONCE
    again = await bulk.suspend(admin, [Chosen(user_id) for user_id in ids])
    assert {r.outcome for r in again} == {Outcome.ALREADY}
    assert len(site.feed.published) == MAX_AT_ONCE


async def test_more_than_that_is_refused_whole(site: Site, admin: Caller, bulk: BulkService) -> None:
    await crowd(site, MAX_AT_ONCE)
    everybody = Matching(UserFilter(), MAX_AT_ONCE + 1)
    with pytest.raises(InvalidInput, match="more than 500"):
        await bulk.suspend(admin, everybody)
    assert site.feed.published == []


async def test_of_two_administrators_who_delete_each_other_one_stays(site: Site, bulk: BulkService) -> None:
    for turn in range(4):
        one = await site.person(f"one{turn}@example.com", Role.ADMIN)
        two = await site.person(f"two{turn}@example.com", Role.ADMIN)
        outcomes = await asyncio.gather(
            bulk.delete(one, [Chosen(two.user.id)]), bulk.suspend(two, [Chosen(one.user.id)])
        )
        assert sorted(results[0].outcome for results in outcomes) == [Outcome.DONE, Outcome.REFUSED]
        async with site.store.write() as tx:
            for user_id in await tx.users.lock_active_admins():
                await tx.users.delete(user_id)


async def test_somebody_who_was_edited_meanwhile_is_left_alone(site: Site, admin: Caller, bulk: BulkService) -> None:
    first, second = await crowd(site, 2)
    await UserService(site.store).update(admin, first, name="Renamed")
    published = len(site.feed.published)
    results = await bulk.suspend(admin, [Chosen(first, 0), Chosen(second, 0)])
    assert [(r.outcome, r.error.code if r.error else None) for r in results] == [
        (Outcome.REFUSED, "stale_version"),
        (Outcome.DONE, None),
    ]
    assert site.feed.published[published:] == [PolicyChange(ChangeKind.USER, second)]


async def test_selections_that_overlap_do_not_block_each_other(site: Site, admin: Caller, bulk: BulkService) -> None:
    ids = [Chosen(user_id) for user_id in await crowd(site, 40)]
    runs = (
        bulk.suspend(admin, ids),
        bulk.suspend(admin, ids[::-1]),
        bulk.delete(admin, ids[10:30][::-1]),
        bulk.reactivate(admin, ids[5:]),
    )
    results = await asyncio.wait_for(asyncio.gather(*runs), 20)
    assert [len(each) for each in results] == [40, 40, 20, 35]
    assert {r.outcome for r in results[2]} == {Outcome.DONE}
