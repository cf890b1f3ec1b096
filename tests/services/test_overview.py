"""All limits and caps in one list, by name, with what is used of each."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any, cast

import pytest

from fakes.identity import Site
from services.test_alerts import cap, dollars, group_of, spend, user
from sluicegate.domain.policy import Budget, Dimension, Override, RateLimits, Subject, SubjectKind, Window
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Forbidden, InvalidInput
from sluicegate.kit.money import MAX_USD, NANOS_PER_USD, Nanos
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.overview import CapUse, OwnerFilter
from sluicegate.ports.pages import PageRequest
from sluicegate.services.caller import Caller
from sluicegate.services.overview import OverviewService


def service(site: Site) -> OverviewService:
    return OverviewService(site.store, cast("Any", None), PeriodClock(UTC), site.clock)


async def names(
    site: Site, admin: Caller, use: CapUse | None = None, *, page: int = 100, **where: Any
) -> list[tuple[str, str]]:
    """Kind and name of all that match, read page by page."""
    found: list[tuple[str, str]] = []
    request, wanted = PageRequest(page), OwnerFilter(**where)
    while True:
        part = await service(site).budgets(admin, wanted, use, request)
        found += [(owner.subject.kind.value, owner.name) for owner, _ in part.items]
        if not part.has_next:
            assert await service(site).count_budgets(admin, wanted, use) == len(found)
            return found
        request = PageRequest(page, part.items[-1][1])


async def test_people_groups_and_pools_come_by_name_and_can_be_narrowed(site: Site) -> None:
    ada, zoe = await site.person("ada@example.com", Role.ADMIN), await site.person("zoe@example.com")
    await site.person("idle@example.com")
    team = await group_of(site, zoe)
    await cap(site, user(zoe), day=dollars(1))
    await cap(site, user(ada), month=dollars(0))
    await cap(site, Subject(SubjectKind.GROUP, team), week=dollars(1))
    await cap(site, Subject(SubjectKind.POOL, team), week=dollars(1))
    await cap(site, Subject(SubjectKind.KEY, "key"), week=dollars(1))
    await cap(site, Subject(SubjectKind.USER, "gone"), week=dollars(1))
    # Thresholds alone cap nothing.
    await cap(site, user(await site.person("bob@example.com")), alert_thresholds=(50,))
    everybody = [("user", "Ada"), ("group", "Team"), ("pool", "Team"), ("user", "Zoe")]
    for size in (1, 2, 3, 100):
        assert await names(site, ada, page=size) == everybody
    assert await names(site, ada, kind=SubjectKind.POOL) == [("pool", "Team")]
    assert await names(site, ada, search="TEA") == [("group", "Team"), ("pool", "Team")]
    assert await names(site, ada, search="zoe@") == [("user", "Zoe")]
    assert await names(site, ada, search="%") == []


async def test_spent_is_that_of_the_window_now_and_for_a_group_of_its_greatest_spender(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    mia, zoe = await site.person("mia@example.com"), await site.person("zoe@example.com")
    team = await group_of(site, mia, zoe)
    for subject in (user(mia), Subject(SubjectKind.GROUP, team), Subject(SubjectKind.POOL, team)):
        await cap(site, subject, day=dollars(10), month=dollars(50))
    await spend(site, mia, 3, group_ids=(team,))
    await spend(site, zoe, 8, group_ids=(team,))
    site.clock.advance(86_400)
    await spend(site, zoe, 1, group_ids=(team,))
    page = await service(site).budgets(ada, OwnerFilter(), None, PageRequest(10))
    spent = {o.subject.kind: (o.spent[Window.DAY], o.spent[Window.MONTH]) for o, _ in page.items}
    assert spent == {
        SubjectKind.USER: (0, dollars(3)),
        SubjectKind.GROUP: (dollars(1), dollars(9)),
        SubjectKind.POOL: (dollars(1), dollars(12)),
    }


@pytest.mark.parametrize(
    ("spent", "use", "listed"),
    [
        (0, CapUse.NEAR, False),
        (7.99, CapUse.NEAR, False),
        (8, CapUse.NEAR, True),
        (9.99, CapUse.REACHED, False),
        (10, CapUse.REACHED, True),
    ],
)
async def test_those_who_are_near_the_end_can_be_found(site: Site, spent: float, use: CapUse, listed: bool) -> None:
    mia = await site.person("mia@example.com", Role.ADMIN)
    await cap(site, user(mia), day=dollars(10), month=Nanos(int(MAX_USD) * NANOS_PER_USD))
    if spent:
        await spend(site, mia, spent)
    assert await names(site, mia, use) == ([("user", "Mia")] if listed else [])


@pytest.mark.parametrize(
    ("raised_to", "near", "reached"),
    [(dollars(12), True, False), (dollars(9), True, True), (dollars(20), False, False), (None, False, False)],
)
async def test_what_stands_in_for_a_cap_decides_who_is_near_the_end(
    site: Site, raised_to: Nanos | None, near: bool, reached: bool
) -> None:
    mia, zoe = await site.person("mia@example.com", Role.ADMIN), await site.person("zoe@example.com")
    for who in (mia, zoe):
        await cap(site, user(who), day=dollars(10))
        await spend(site, who, 10)
    now = site.clock.now()
    over = Override("over", mia.user.id, Window.DAY, dollars(99), "why", "Ada", now, now + timedelta(hours=1), now)
    other = Override("other", mia.user.id, Window.WEEK, dollars(99), "why", "Ada", now, now + timedelta(hours=1))
    runs = Override("runs", mia.user.id, Window.DAY, raised_to, "why", "Ada", now, now + timedelta(hours=1))
    async with site.store.write() as tx:
        for made in (over, other, runs):
            await tx.overrides.add(made)
    mine, hers = [("user", "Mia")], [("user", "Zoe")]
    assert await names(site, mia, CapUse.NEAR) == (mine if near else []) + hers
    assert await names(site, mia, CapUse.REACHED) == (mine if reached else []) + hers
    site.clock.advance(3600)
    assert await names(site, mia, CapUse.REACHED) == mine + hers


@pytest.mark.parametrize("thresholds", [None, (50,)])
async def test_a_cap_for_a_while_is_one_among_those_that_are_listed(
    site: Site, thresholds: tuple[int, ...] | None
) -> None:
    ada, mia = await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com")
    await cap(site, user(ada), day=dollars(1))
    if thresholds:
        await cap(site, user(mia), alert_thresholds=thresholds)
    await spend(site, mia, 8)
    now, until = site.clock.now(), site.clock.now() + timedelta(hours=1)
    async with site.store.write() as tx:
        for window in (Window.WEEK, Window.MONTH):
            await tx.overrides.add(Override(window.value, mia.user.id, window, dollars(9), "why", "Ada", now, until))
    both = [("user", "Ada"), ("user", "Mia")]
    for size in (1, 2):
        assert await names(site, ada, page=size) == both
    assert await names(site, ada, search="mia@") == await names(site, ada, CapUse.NEAR) == both[1:]
    assert await names(site, ada, kind=SubjectKind.USER) == both
    assert await names(site, ada, CapUse.REACHED) == await names(site, ada, kind=SubjectKind.GROUP) == []
    (owner,) = [o for o, _ in (await service(site).budgets(ada, OwnerFilter("mia"), None, PageRequest(9))).items]
    assert owner.budget == (Budget(alert_thresholds=thresholds) if thresholds else Budget())
    assert owner.spent == dict.fromkeys(Window, dollars(8))
    site.clock.advance(3600)
    assert await names(site, ada) == both[:1]


async def test_a_raise_of_something_else_or_one_that_was_ended_lists_nobody(site: Site) -> None:
    ada, mia = await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com")
    now, until = site.clock.now(), site.clock.now() + timedelta(hours=1)
    async with site.store.write() as tx:
        ended = Override("ended", mia.user.id, Window.DAY, dollars(9), "why", "Ada", now, until, now)
        await tx.overrides.add(ended)
        await tx.overrides.add(Override("limit", mia.user.id, Dimension.REQUESTS, 9, "why", "Ada", now, until))
        await tx.overrides.add(Override("cap", ada.user.id, Window.DAY, dollars(9), "why", "Ada", now, until))
    assert await names(site, ada) == [("user", "Ada")]
    page = await service(site).limits(ada, OwnerFilter(), PageRequest(10))
    assert [(o.name, o.limits) for o, _ in page.items] == [("Mia", RateLimits())]
    assert await service(site).count_limits(ada, OwnerFilter()) == 1
    site.clock.advance(3600)
    assert (await service(site).limits(ada, OwnerFilter(), PageRequest(10))).items == []
    assert await service(site).count_limits(ada, OwnerFilter()) == 0


async def test_limits_are_listed_the_same_way_for_administrators_alone(site: Site) -> None:
    ada, mia = await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com")
    team = await group_of(site, mia)
    async with site.store.write() as tx:
        await tx.policy.set_rate_limits(Subject(SubjectKind.GROUP, team), RateLimits(requests=5))
        await tx.policy.set_rate_limits(user(mia), RateLimits(requests=0))
        await tx.policy.set_budget(user(ada), Budget(day=dollars(1)))
    page = await service(site).limits(ada, OwnerFilter(), PageRequest(10))
    assert [(o.name, o.email, o.limits.requests) for o, _ in page.items] == [
        ("Mia", "mia@example.com", 0), ("Team", None, 5)
    ]  # fmt: skip
    assert await service(site).count_limits(ada, OwnerFilter()) == 2
    with pytest.raises(Forbidden):
        await service(site).limits(mia, OwnerFilter(), PageRequest(10))
    with pytest.raises(InvalidInput):
        await service(site).budgets(ada, OwnerFilter(kind=SubjectKind.KEY), None, PageRequest(10))
