"""Who is near a threshold is told by the database: never fewer than have reached one, and not many more."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from fakes.identity import Site
from sluicegate.domain.alert import threshold_reached
from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.policy import Budget, Override, Subject, SubjectKind, Window
from sluicegate.domain.user import Group
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import MAX_USD, NANOS_PER_USD, Nanos
from sluicegate.policy.windows import Period, period_of
from sluicegate.services.alert_caps import caps_of
from sluicegate.storage.tables.usage import SPEND

GROUPS = ("g0", "g1", "g2", "g3")
MOST = Nanos(int(MAX_USD) * NANOS_PER_USD)


def user(user_id: str) -> Subject:
    return Subject(SubjectKind.USER, user_id)


class Scene:
    """Groups, people and their keys, by ids of one letter and a number; nothing is capped or spent."""

    def __init__(self, site: Site) -> None:
        self.site, self.now = site, site.clock.now()
        periods = (period_of(window, self.now, UTC) for window in Window)
        self.periods: dict[str, Period] = {period.key: period for period in periods}
        self.people: list[str] = []
        self.subjects = [Subject(SubjectKind.POOL, group_id) for group_id in GROUPS]

    async def fill(self, memberships: Iterable[Iterable[str]]) -> None:
        async with self.site.store.write() as tx:
            for group_id in GROUPS:
                await tx.groups.add(Group(group_id, group_id, "", self.now))
        for number, groups in enumerate(memberships):
            user_id, key_id = (await self.site.person(f"p{number}@example.com")).user.id, f"k{number}"
            async with self.site.store.write() as tx:
                await tx.keys.add(ApiKey(key_id, key_id, user_id, "laptop", "sg_x", "-", self.now))
                for group_id in groups:
                    await tx.groups.add_members(group_id, [user_id])
            self.people.append(user_id)
            self.subjects += [user(user_id), Subject(SubjectKind.KEY, key_id)]

    async def cap(self, subject: Subject, budget: Budget) -> None:
        async with self.site.store.write() as tx:
            await tx.policy.set_budget(subject, budget)

    async def override(self, user_id: str, window: Window, value: int | None, hours: float, *, ended: bool) -> None:
        ends_at = self.now + timedelta(hours=hours)
        made = Override(new_id(), user_id, window, value, "Launch", "Ada", self.now - timedelta(days=3), ends_at)
        async with self.site.store.write() as tx:
            await tx.overrides.add(made)
            if ended:
                await tx.overrides.end(made.id, self.now - timedelta(days=2), "Ada")

    async def spend(self, spent: dict[tuple[Subject, str], int]) -> None:
        rows = [
            {"subject_kind": subject.kind.value, "subject_id": subject.id, "period": key}
            | {"spent_nanos": amount, "changed_ms": 0}
            for (subject, key), amount in spent.items()
        ]
        async with self.site.store.engine.begin() as connection:
            await connection.execute(insert(SPEND), rows)

    async def near(self) -> set[Subject]:
        windows = {key: period.window for key, period in self.periods.items()}
        async with self.site.store.read() as tx:
            found = await tx.alerts.near(self.subjects, windows, self.now)
        assert len(found) == len(set(found))
        return set(found)

    async def reached(self) -> set[Subject]:
        """By the rules themselves, asked of everybody."""
        async with self.site.store.read() as tx:
            caps = await caps_of(tx, self.subjects, self.now)
            spends = await tx.alerts.spends(self.subjects, self.periods)
        return {
            spend.subject
            for spend in spends
            if (cap := caps.get((spend.subject, self.periods[spend.period].window))) is not None
            and threshold_reached(spend.spent, cap.amount, cap.thresholds) is not None
        }


@pytest.mark.parametrize("seed", range(5))
async def test_whoever_has_reached_a_threshold_is_near(site: Site, seed: int) -> None:
    dice, scene = random.Random(seed), Scene(site)
    amounts = (0, 1, 49, 50, 99, 1_000, 10**9, 10**12, MOST)
    await scene.fill(dice.sample(GROUPS, dice.randrange(4)) for _ in range(12))

    def amount() -> Nanos:
        return Nanos(max(0, dice.choice(amounts) + dice.randrange(-1, 2)))

    for subject in (*scene.subjects, *(Subject(SubjectKind.GROUP, group_id) for group_id in GROUPS)):
        if dice.random() < 0.6:
            thresholds = tuple(sorted(dice.sample((1, 33, 50, 80, 100), dice.randrange(4))))
            caps = {window.value: amount() for window in Window if dice.random() < 0.6}
            await scene.cap(subject, Budget(**caps, alert_thresholds=thresholds))
    for user_id in dice.sample(scene.people, 4):
        value = dice.choice((None, amount()))
        await scene.override(user_id, dice.choice(list(Window)), value, dice.choice((-5, 5)), ended=dice.random() < 0.3)
    await scene.spend({(subject, key): amount() for subject in scene.subjects for key in scene.periods})
    reached = await scene.reached()
    assert reached
    assert reached <= await scene.near()


async def test_whoever_is_far_from_every_threshold_is_not_near(site: Site) -> None:
    scene = Scene(site)
    await scene.fill([["g0"], ["g1"], ["g0", "g1"], [], ["g0"], ["g2"], ["g3"]])
    capped, loose, both, free, raised, blocked, untold = map(user, scene.people)
    day, week, _ = scene.periods
    await scene.cap(Subject(SubjectKind.GROUP, "g0"), Budget(day=Nanos(1_000), alert_thresholds=(50, 90)))
    await scene.cap(Subject(SubjectKind.GROUP, "g1"), Budget(day=Nanos(10_000), week=Nanos(10_000)))
    await scene.cap(Subject(SubjectKind.GROUP, "g2"), Budget(day=Nanos(0)))
    await scene.cap(Subject(SubjectKind.GROUP, "g3"), Budget(day=Nanos(1_000), alert_thresholds=()))
    await scene.override(raised.id, Window.DAY, 10**12, 5, ended=False)
    everybody = (capped, loose, both, free, raised, blocked, untold)
    await scene.spend({(one, period): 400 for one in everybody for period in (day, week)})
    assert await scene.near() == {raised}
    await scene.override(raised.id, Window.DAY, 10**12, 5, ended=True)
    async with site.store.engine.begin() as connection:
        await connection.execute(SPEND.update().where(SPEND.c.period == day).values(spent_nanos=500))
    assert await scene.near() == {capped, both, raised}


async def test_each_persons_groups_are_found_by_the_index(
    site: Site, explain: Callable[[Site, Callable[[Any], Awaitable[Any]]], Awaitable[str]]
) -> None:
    """However many groups and people there are, those of others are not gone through."""
    scene = Scene(site)
    await scene.fill([["g0"]])
    windows = {key: period.window for key, period in scene.periods.items()}
    plan = await explain(site, lambda tx: tx.alerts.near(scene.subjects, windows, scene.now))
    # PostgreSQL may take the primary key, by group and person, where it knows that there are few groups.
    assert "ix_memberships_user_id" in plan or "pk_memberships" in plan
