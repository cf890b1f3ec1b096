"""A look goes only at what changed since the last one, and finds all that a look at everybody would."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import text

from fakes.identity import Site
from services.alerting import watch
from sluicegate.domain.apikey import ApiKey, new_credential
from sluicegate.domain.policy import Budget, ChangeKind, PolicyChange, Subject, SubjectKind, Window
from sluicegate.domain.user import Group, Role
from sluicegate.kit.money import NANOS_PER_USD, Nanos
from sluicegate.services.alert_watch import PROGRESS, AlertWatch, Progress
from sluicegate.services.budgets import BudgetService
from sluicegate.services.caller import Caller
from sluicegate.services.groups import GroupService
from sluicegate.services.overrides import NewOverride, OverrideService
from sluicegate.storage.usage_writer import make_usage_writer
from storage.records import call

TEAM, KEY = "team", "laptop"


def dollars(amount: float) -> Nanos:
    return Nanos(round(amount * NANOS_PER_USD))


async def alerts(site: Site) -> int:
    async with site.store.engine.connect() as connection:
        return (await connection.execute(text("SELECT count(*) FROM alerts"))).scalar_one()


async def progress(site: Site) -> Progress:
    async with site.store.read() as tx:
        return msgspec.json.decode(await tx.switches.get(PROGRESS) or "", type=Progress)


async def set_progress(site: Site, value: Progress | None) -> None:
    async with site.store.write() as tx:
        await tx.switches.set(PROGRESS, "" if value is None else msgspec.json.encode(value).decode())


async def age(site: Site) -> None:
    """As if what was written so far had been written long before the last look, so that nothing is found by overlap."""
    async with site.store.engine.begin() as connection:
        await connection.execute(text("UPDATE budget_spend SET changed_ms = changed_ms - 600000"))
        moved = {"at": site.clock.now() - timedelta(hours=1)}
        await connection.execute(text("UPDATE policy_changes SET at = :at"), {"at": f"{moved['at']:%Y-%m-%d %H:%M:%S}"})


async def new_alerts(site: Site, looking: AlertWatch) -> int:
    """How much a look at what changed finds; checks that one at everybody finds no more."""
    before, told = await progress(site), await alerts(site)
    await looking.look()
    after, found = await progress(site), await alerts(site) - told
    assert after.everybody_at == before.everybody_at
    await set_progress(site, None)
    await watch(site).look()
    assert await alerts(site) == told + found
    await set_progress(site, after)
    await age(site)
    return found


class Scene:
    """Two people, of whom one has a key, and a group."""

    def __init__(self, site: Site, mia: Caller, noor: Caller, admin: Caller) -> None:
        self.site, self.mia, self.noor, self.admin = site, mia, noor, admin
        self.budgets = BudgetService(site.store)
        self.groups = GroupService(site.store, site.clock)
        self.overrides = OverrideService(site.store, site.clock)
        self.writer = make_usage_writer(site.store.engine.url, cast("Any", UTC))

    async def spend(self, who: Caller, amount: float, *group_ids: str, at: datetime | None = None) -> None:
        key_id = KEY if who is self.mia else "other"
        values = {"user_id": who.user.id, "key_id": key_id, "cost_nanos": dollars(amount), "group_ids": group_ids}
        await asyncio.to_thread(self.writer.write, [call(at or self.site.clock.now(), **values)])

    async def cap(self, kind: SubjectKind, subject_id: str, **caps: Any) -> None:
        if kind is SubjectKind.KEY:
            async with self.site.store.write() as tx:
                await tx.policy.set_budget(Subject(kind, subject_id), Budget(**caps))
                tx.changed(PolicyChange(ChangeKind.KEY, subject_id))
        else:
            await self.budgets.set(self.admin, Subject(kind, subject_id), Budget(**caps))

    async def raise_to(self, who: Caller, amount: float | None, hours: float) -> str:
        value = None if amount is None else dollars(amount)
        ends_at = self.site.clock.now() + timedelta(hours=hours)
        made = await self.overrides.create(self.admin, NewOverride(who.user.id, Window.DAY, value, "Launch", ends_at))
        return made.id


@asynccontextmanager
async def scene_of(site: Site) -> AsyncIterator[Scene]:
    mia, noor = await site.person("mia@example.com"), await site.person("noor@example.com")
    admin, made, now = await site.person("ada@example.com", Role.ADMIN), new_credential(), site.clock.now()
    async with site.store.write() as tx:
        await tx.groups.add(Group(TEAM, "Team", "", now))
        await tx.keys.add(ApiKey(KEY, made.public_id, mia.user.id, "laptop", "sg_x", "no hash", now))
    scene = Scene(site, mia, noor, admin)
    try:
        await watch(site).look()
        yield scene
    finally:
        scene.writer.close()


async def test_each_change_is_found_by_a_look_at_what_changed_alone(site: Site) -> None:
    async with scene_of(site) as scene:
        looking, mia, noor = watch(site), scene.mia.user.id, scene.noor.user.id

        async def found(change: Awaitable[object]) -> int:
            await change
            return await new_alerts(site, looking)

        assert await found(scene.spend(scene.mia, 10, TEAM)) == 0
        assert await found(scene.cap(SubjectKind.USER, mia, day=dollars(12))) == 1
        assert await found(scene.cap(SubjectKind.POOL, TEAM, week=dollars(10))) == 1
        assert await found(scene.cap(SubjectKind.KEY, KEY, month=dollars(9))) == 1
        assert await found(scene.cap(SubjectKind.GROUP, TEAM, day=dollars(2))) == 0
        assert await found(scene.groups.add_members(scene.admin, TEAM, [mia, noor])) == 1
        assert await found(scene.cap(SubjectKind.GROUP, TEAM, day=dollars(1))) == 1
        assert await found(scene.spend(scene.noor, 1)) == 1
        lifted = await scene.raise_to(scene.noor, None, 2)
        assert await found(scene.cap(SubjectKind.GROUP, TEAM, day=dollars(0.5))) == 1
        assert await found(scene.overrides.end(scene.admin, lifted)) == 1
        await scene.raise_to(scene.mia, 100, 0.25)
        assert await found(scene.cap(SubjectKind.GROUP, TEAM, day=dollars(0.25))) == 1
        site.clock.advance(1800)
        assert await found(scene.spend(scene.noor, 0)) == 1
        assert await found(scene.groups.remove_members(scene.admin, TEAM, [mia])) == 0
        assert await found(scene.cap(SubjectKind.USER, mia, day=dollars(10))) == 1


async def test_what_was_written_for_a_period_before_anybody_looked_at_it_is_found(site: Site) -> None:
    """By a process whose clock is ahead."""
    async with scene_of(site) as scene:
        await scene.cap(SubjectKind.USER, scene.mia.user.id, day=dollars(1))
        tomorrow = site.clock.now() + timedelta(days=1)
        await scene.spend(scene.mia, 1, at=tomorrow)
        looking = watch(site)
        assert await new_alerts(site, looking) == 0
        reached = await progress(site)
        # As if everybody had been looked at a moment ago, a day later.
        site.clock.advance(timedelta(days=1).total_seconds())
        now = site.clock.now()
        await set_progress(site, replace(reached, looked_at=now, everybody_at=now))
        assert await new_alerts(site, looking) == 1


async def test_everybody_is_looked_at_where_changes_cannot_be_told(site: Site) -> None:
    strayed: dict[str, Callable[[Progress], Progress | None]] = {
        "nobody looked yet": lambda reached: None,
        "the server's clock": lambda reached: replace(reached, looked_at=reached.looked_at + timedelta(minutes=5)),
        "the database's clock": lambda reached: replace(reached, database_ms=reached.database_ms + 300_000),
        "an older database": lambda reached: replace(reached, version=reached.version + 1_000),
        "an hour": lambda reached: replace(reached, everybody_at=reached.everybody_at - timedelta(hours=1)),
    }
    async with scene_of(site) as scene:
        await scene.spend(scene.mia, 1)
        looking = watch(site)
        for told, (what, stray) in enumerate(strayed.items()):
            await scene.cap(SubjectKind.USER, scene.mia.user.id, day=dollars(1 - told / 10))
            await age(site)
            async with site.store.read() as tx:
                _, version = await tx.alerts.moment()
            await set_progress(site, replace(await progress(site), version=version))
            await looking.look()
            assert await alerts(site) == told, f"nothing tells of the cap: {what}"
            await set_progress(site, stray(await progress(site)))
            await looking.look()
            assert await alerts(site) == told + 1, what


async def test_a_change_that_was_visible_late_is_found(site: Site) -> None:
    """Of two transactions the one that began first, and has the smaller number, may be the last to end."""
    async with scene_of(site) as scene:
        await scene.spend(scene.mia, 1)
        assert await new_alerts(site, looking := watch(site)) == 0
        await scene.cap(SubjectKind.USER, scene.mia.user.id, day=dollars(1))
        reached = await progress(site)
        await set_progress(site, replace(reached, version=reached.version + 1))
        site.clock.advance(20)
        assert await new_alerts(site, looking) == 1


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_happens_a_look_at_everybody_finds_nothing_that_was_missed(site: Site, seed: int) -> None:
    dice, amounts = random.Random(seed), (0.5, 1, 2, 3, 5)
    async with scene_of(site) as scene:
        watches, running = [watch(site), watch(site)], list[str]()
        people = (scene.mia, scene.noor)

        async def cap() -> None:
            kind = dice.choice(list(SubjectKind))
            owner = {SubjectKind.USER: dice.choice(people).user.id, SubjectKind.KEY: KEY}.get(kind, TEAM)
            caps = {window.value: dollars(dice.choice(amounts)) for window in Window if dice.random() < 0.6}
            await scene.cap(kind, owner, **caps, alert_thresholds=tuple(sorted(dice.sample((20, 50, 80, 100), 2))))

        async def spend() -> None:
            await scene.spend(dice.choice(people), dice.choice(amounts) / 4, *dice.sample((TEAM,), dice.randrange(2)))

        async def join() -> None:
            change = dice.choice((scene.groups.add_members, scene.groups.remove_members))
            await change(scene.admin, TEAM, [dice.choice(people).user.id])

        async def lift() -> None:
            running.append(await scene.raise_to(dice.choice(people), dice.choice((None, 1, 4)), dice.choice((0.1, 1))))

        async def wait() -> None:
            site.clock.advance(dice.choice((30, 600, 1700)))

        found = 0
        for _ in range(30):
            for act in dice.choices((cap, spend, join, lift, wait), (3, 6, 1, 1, 2), k=dice.randrange(1, 4)):
                await act()
            if dice.random() < 0.3:
                watches[dice.randrange(2)] = watch(site)
            # An hour may have passed, which is another reason to look at everybody.
            reached = await progress(site)
            await set_progress(site, replace(reached, everybody_at=site.clock.now()))
            found += await new_alerts(site, dice.choice(watches))
        assert found > 5


async def test_a_look_that_fails_begins_again_where_it_began(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene_of(site) as scene:
        await scene.cap(SubjectKind.USER, scene.mia.user.id, day=dollars(1))
        await scene.cap(SubjectKind.POOL, TEAM, day=dollars(1))
        await scene.spend(scene.mia, 1, TEAM)
        looking, telling, calls = watch(site), AlertWatch._tell, list[str]()  # pyright: ignore[reportPrivateUsage]

        async def once(self: AlertWatch, alert: Any) -> bool:
            calls.append(alert.id)
            if len(calls) == 2:
                raise OSError("the disk is full")
            return await telling(self, alert)

        monkeypatch.setattr(AlertWatch, "_tell", once)
        with pytest.raises(OSError, match="full"):
            await looking.look()
        assert await alerts(site) == 1
        assert await new_alerts(site, looking) == 1


async def test_a_look_at_everybody_rests_for_as_long_as_it_works(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that calls never share a core with it for more than half of the time; one at what changed does not."""
    looking_at, rests = AlertWatch._look_at, list[float]()  # pyright: ignore[reportPrivateUsage]

    async def slow(self: AlertWatch, *given: Any) -> int:
        site.clock.advance(3)
        return await looking_at(self, *given)

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    async with scene_of(site) as scene:
        await scene.cap(SubjectKind.KEY, KEY, day=dollars(1))
        monkeypatch.setattr(AlertWatch, "_look_at", slow)
        monkeypatch.setattr("sluicegate.services.alert_watch.asyncio", SimpleNamespace(sleep=rest))
        await watch(site).look()
        assert rests == []
        await set_progress(site, None)
        await watch(site).look()
        assert rests == [3.0, 3.0]
