"""Every threshold is told once: whoever looks, how often, from how many processes, and whatever dies in between."""

from __future__ import annotations

import asyncio
import multiprocessing
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import text

from fakes.identity import Site
from services.alerting import hooks, look_in_a_process, watch
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.alert import AdminAlerts, Alert
from sluicegate.domain.apikey import ApiKey, TokenScope, new_credential
from sluicegate.domain.policy import Budget, Override, Subject, SubjectKind, Window
from sluicegate.domain.user import Group, Role, UserStatus
from sluicegate.kit.errors import Forbidden, InvalidInput
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import NANOS_PER_USD, Nanos
from sluicegate.kit.secret import Secret
from sluicegate.ports.alerts import AlertFilter
from sluicegate.ports.pages import PageRequest
from sluicegate.services.alerts import AlertService
from sluicegate.services.budgets import BudgetService
from sluicegate.services.caller import Caller
from sluicegate.services.webhooks import NewWebhook
from sluicegate.storage.usage_writer import make_usage_writer
from storage.records import call


def dollars(amount: float) -> Nanos:
    return Nanos(round(amount * NANOS_PER_USD))


async def spend(site: Site, who: Caller | str, amount: float, *, at: datetime | None = None, **values: Any) -> None:
    user_id = who if isinstance(who, str) else who.user.id
    record = call(at or site.clock.now(), user_id=user_id, cost_nanos=dollars(amount), **{"group_ids": (), **values})
    writer = make_usage_writer(site.store.engine.url, cast("Any", UTC))
    await asyncio.to_thread(writer.write, [record])
    writer.close()


async def cap(site: Site, subject: Subject, **caps: Any) -> None:
    async with site.store.write() as tx:
        await tx.policy.set_budget(subject, Budget(**caps))


async def told(site: Site) -> list[Alert]:
    """Oldest first."""
    async with site.store.read() as tx:
        page = await tx.alerts.page(AlertFilter(), PageRequest(100))
    return [alert for alert, _ in reversed(page.items)]


async def shown(site: Site) -> list[tuple[str, str, int, str]]:
    return [(a.subject.kind.value, a.period, a.threshold, f"{a.cap / NANOS_PER_USD:g}") for a in await told(site)]


async def letters(site: Site) -> list[str]:
    async with site.store.engine.connect() as connection:
        statement = "SELECT recipient FROM mail_outbox WHERE kind = 'budget_alert' ORDER BY recipient"
        return [row.recipient for row in await connection.execute(text(statement))]


async def posts(site: Site) -> int:
    async with site.store.engine.connect() as connection:
        return (await connection.execute(text("SELECT count(*) FROM webhook_posts"))).scalar_one()


def user(caller: Caller) -> Subject:
    return Subject(SubjectKind.USER, caller.user.id)


async def group_of(site: Site, *callers: Caller) -> str:
    async with site.store.write() as tx:
        await tx.groups.add(Group("team", "Team", "", site.clock.now()))
        await tx.groups.add_members("team", [caller.user.id for caller in callers])
    return "team"


async def test_each_threshold_is_told_once_as_it_is_reached(site: Site) -> None:
    mia = await site.person("mia@example.com")
    await cap(site, user(mia), day=dollars(10))
    looking = watch(site)
    for amount in (7.99, 0.01, 0.5, 1.5, 3.0):
        await spend(site, mia, amount)
        await looking.look()
        await looking.look()
    assert await shown(site) == [("user", "2026-11-24", 80, "10"), ("user", "2026-11-24", 100, "10")]
    assert await letters(site) == ["mia@example.com"] * 2
    first, second = await told(site)
    assert (first.spent, first.blocks) == (dollars(8), False)
    assert (second.spent, second.blocks) == (dollars(10), True)


async def test_a_jump_over_several_thresholds_is_one_letter_about_the_highest(site: Site) -> None:
    mia = await site.person("mia@example.com")
    await cap(site, user(mia), day=dollars(10), alert_thresholds=(10, 50, 90))
    await spend(site, mia, 9.5)
    await watch(site).look()
    assert await shown(site) == [("user", "2026-11-24", 90, "10")]
    await cap(site, user(mia), day=dollars(10), alert_thresholds=(10, 50))
    await watch(site).look()
    assert len(await letters(site)) == 1


async def test_a_threshold_that_is_put_below_what_was_spent_is_told_without_a_call_unless_a_higher_one_was(
    site: Site,
) -> None:
    mia, admin = await site.person("mia@example.com"), await site.person("ada@example.com", Role.ADMIN)
    budgets, looking = BudgetService(site.store), watch(site)

    async def warn_at(*thresholds: int) -> None:
        await budgets.set(admin, user(mia), Budget(day=dollars(10), alert_thresholds=thresholds))
        await looking.look()

    await warn_at(80, 100)
    await spend(site, mia, 6)
    await looking.look()
    assert await shown(site) == []
    await warn_at(50, 100)
    await warn_at(20, 40, 100)
    await warn_at(60, 100)
    await warn_at(50, 60, 100)
    assert await shown(site) == [("user", "2026-11-24", 50, "10"), ("user", "2026-11-24", 60, "10")]


async def test_a_restart_tells_nothing_again_and_a_new_period_everything(site: Site) -> None:
    mia = await site.person("mia@example.com")
    await cap(site, user(mia), day=dollars(1), month=dollars(100))
    await spend(site, mia, 2)
    for _ in range(3):
        await watch(site).look()
    assert len(await letters(site)) == 1
    site.clock.advance(timedelta(days=1).total_seconds())
    long_running = watch(site)
    await long_running.look()
    await spend(site, mia, 2)
    await long_running.look()
    assert await shown(site) == [("user", "2026-11-24", 100, "1"), ("user", "2026-11-25", 100, "1")]


async def test_what_was_spent_in_the_last_moment_of_a_day_is_told_after_midnight(site: Site) -> None:
    mia = await site.person("mia@example.com")
    await cap(site, user(mia), day=dollars(1))
    looking = watch(site)
    late = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
    site.clock.advance((late - site.clock.now()).total_seconds())
    await looking.look()
    site.clock.advance(20)
    await spend(site, mia, 1, at=late)
    await looking.look()
    await looking.look()
    assert await shown(site) == [("user", "2026-11-24", 100, "1")]


async def test_a_change_of_the_cap_counts_anew_for_its_new_amount_only(site: Site) -> None:
    mia = await site.person("mia@example.com")
    admin = await site.person("ada@example.com", Role.ADMIN)
    budgets, looking = BudgetService(site.store), watch(site)
    await budgets.set(admin, user(mia), Budget(day=dollars(10)))
    await spend(site, mia, 8)
    await looking.look()
    await budgets.set(admin, user(mia), Budget(day=dollars(20)))
    await looking.look()
    assert await shown(site) == [("user", "2026-11-24", 80, "10")]
    # No call is made any more: that the cap now lies below what was spent is found by the change alone.
    await budgets.set(admin, user(mia), Budget(day=dollars(5)))
    await looking.look()
    await budgets.set(admin, user(mia), Budget(day=dollars(10)))
    await looking.look()
    assert await shown(site) == [("user", "2026-11-24", 80, "10"), ("user", "2026-11-24", 100, "5")]


async def test_a_raise_that_runs_out_is_found_without_a_call(site: Site) -> None:
    mia = await site.person("mia@example.com")
    await cap(site, user(mia), day=dollars(10), alert_thresholds=(50,))
    now, ends = site.clock.now(), site.clock.now() + timedelta(hours=1)
    async with site.store.write() as tx:
        await tx.overrides.add(Override("raise", mia.user.id, Window.DAY, dollars(40), "Launch", "Ada", now, ends))
    looking = watch(site)
    await spend(site, mia, 12)
    await looking.look()
    assert await shown(site) == []
    await spend(site, mia, 8)
    await looking.look()
    assert await shown(site) == [("user", "2026-11-24", 50, "40")]
    site.clock.advance(2 * 3600)
    await looking.look()
    assert await shown(site) == [("user", "2026-11-24", 50, "40"), ("user", "2026-11-24", 50, "10")]


async def test_the_strictest_cap_is_the_one_that_is_told_of(site: Site) -> None:
    mia, ada = await site.person("mia@example.com"), await site.person("ada@example.com", Role.ADMIN)
    await site.person("sue@example.com", Role.ADMIN, UserStatus.SUSPENDED)
    team = await group_of(site, mia)
    await cap(site, user(mia), day=dollars(100), alert_thresholds=(1,))
    await cap(site, Subject(SubjectKind.GROUP, team), day=dollars(10))
    await spend(site, mia, 8, group_ids=(team,))
    await watch(site).look()
    (alert,) = await told(site)
    assert (alert.subject, alert.set_by, alert.set_by_label) == (
        user(mia), Subject(SubjectKind.GROUP, team), "Team"
    )  # fmt: skip
    assert await letters(site) == ["ada@example.com", "mia@example.com"]
    notices = await AlertService(site.store, site.clock).notices(ada, True, PageRequest(10))
    assert [notice.alert.id for notice, _ in notices.items] == [alert.id]


@pytest.mark.parametrize(
    ("wanted", "recipients"),
    [
        (AdminAlerts.EVERY, ["ada", "mia", "ada", "mia", "ada"]),
        (AdminAlerts.SHARED, ["mia", "mia", "ada"]),
        (AdminAlerts.POOLS, ["mia", "mia", "ada"]),
        (AdminAlerts.NONE, ["mia", "mia"]),
    ],
)
async def test_people_hear_of_themselves_and_administrators_of_what_they_chose(
    site: Site, wanted: AdminAlerts, recipients: list[str]
) -> None:
    mia, ada = await site.person("mia@example.com"), await site.person("ada@example.com", Role.ADMIN)
    team, made = await group_of(site, mia), new_credential()
    await AlertService(site.store, site.clock).set_admin_alerts(ada, wanted)
    async with site.store.write() as tx:
        await tx.keys.add(ApiKey("key", made.public_id, mia.user.id, "laptop", "sg_x", "no hash", site.clock.now()))
        await tx.policy.set_budget(Subject(SubjectKind.KEY, "key"), Budget(day=dollars(1)))
        await tx.policy.set_budget(Subject(SubjectKind.POOL, team), Budget(week=dollars(1)))
        await tx.policy.set_budget(user(mia), Budget(month=dollars(1)))
    await spend(site, mia, 1, group_ids=(team,), key_id="key")
    await watch(site).look()
    assert sorted(await shown(site)) == [
        ("key", "2026-11-24", 100, "1"), ("pool", "2026-W48", 100, "1"), ("user", "2026-11", 100, "1")
    ]  # fmt: skip
    assert sorted(await letters(site)) == sorted(f"{name}@example.com" for name in recipients)


async def test_without_caps_or_with_a_cap_of_nothing_there_is_nothing_to_tell(site: Site) -> None:
    mia, noor = await site.person("mia@example.com"), await site.person("noor@example.com")
    await cap(site, user(noor), day=dollars(0), month=dollars(9), alert_thresholds=())
    for who in (mia, noor, "gone"):
        await spend(site, who, 50)
    await watch(site).look()
    assert await told(site) == []


async def test_days_are_those_of_the_deployments_zone(site: Site) -> None:
    mia = await site.person("mia@example.com")
    await cap(site, user(mia), day=dollars(1))
    site.clock.advance(8 * 3600)
    async with site.store.engine.begin() as connection:
        row = {"id": mia.user.id, "spent": dollars(1)}
        statement = "INSERT INTO budget_spend VALUES ('user', :id, '2026-11-25', :spent, 0)"
        await connection.execute(text(statement), row)
    await watch(site).look()
    assert await told(site) == []
    await watch(site, "Asia/Tokyo").look()
    (alert,) = await told(site)
    assert (alert.period, alert.resets_at) == ("2026-11-25", datetime(2026, 11, 25, 15, tzinfo=UTC))


class FailsOnce(EnvelopeVault):
    """Something that breaks in the middle of telling."""

    broken = False

    def seal(self, secret: Secret, context: str) -> str:
        if not self.broken:
            self.broken = True
            raise OSError("the disk is full")
        return super().seal(secret, context)


async def test_nothing_is_told_by_halves(site: Site) -> None:
    mia, ada = await site.person("mia@example.com"), await site.person("ada@example.com", Role.ADMIN)
    await hooks(site).create(ada, NewWebhook("pager", "http://127.0.0.1:9/"))
    await cap(site, user(mia), day=dollars(1))
    await spend(site, mia, 1)
    looking = watch(site)
    looking._mail._vault = FailsOnce(b"k" * 32)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(OSError, match="full"):
        await looking.look()
    assert (await told(site), await letters(site), await posts(site)) == ([], [], 0)
    await looking.look()
    assert (len(await told(site)), await letters(site), await posts(site)) == (1, ["mia@example.com"], 1)


async def test_notices_are_counted_and_marked_each_for_their_owner(site: Site) -> None:
    mia, noor = await site.person("mia@example.com"), await site.person("noor@example.com")
    service = AlertService(site.store, site.clock)
    for who in (mia, noor):
        await cap(site, user(who), day=dollars(1), month=dollars(1))
        await spend(site, who, 1)
    await watch(site).look()
    page = await service.notices(mia, True, PageRequest(1))
    assert page.has_next
    ((notice, _),) = page.items
    assert await service.mark_read(noor, [notice.alert.id]) == 2
    assert await service.mark_read(mia, [notice.alert.id]) == 1
    assert await service.mark_read(mia, None) == 0
    assert (await service.count_notices(mia, unread=False), await service.count_notices(noor, unread=True)) == (2, 2)
    with pytest.raises(InvalidInput):
        await service.mark_read(mia, ["x"] * 101)
    with pytest.raises(Forbidden):
        await service.page(mia, AlertFilter(), PageRequest(10))
    with pytest.raises(Forbidden):
        await service.mark_read(Caller(mia.user, mia.actor, frozenset({TokenScope.READ})), None)
    async with site.store.write() as tx:
        await tx.users.delete(mia.user.id)
    assert len(await told(site)) == 4


async def test_administrators_find_alerts_by_kind_person_and_group_and_old_ones_are_forgotten(site: Site) -> None:
    mia, ada = await site.person("mia@example.com"), await site.person("ada@example.com", Role.ADMIN)
    team, service = await group_of(site, mia), AlertService(site.store, site.clock)
    await cap(site, Subject(SubjectKind.POOL, team), day=dollars(1))
    await cap(site, Subject(SubjectKind.GROUP, team), week=dollars(1))
    await cap(site, user(mia), month=dollars(1))
    await spend(site, mia, 1, group_ids=(team,))
    await watch(site).look()
    for where, count in (
        (AlertFilter(), 3),
        (AlertFilter(kind=SubjectKind.POOL), 1),
        (AlertFilter(user_id=mia.user.id), 2),
        (AlertFilter(group_id=team), 2),
        (AlertFilter(kind=SubjectKind.KEY), 0),
    ):
        assert (await service.count(ada, where), len((await service.page(ada, where, PageRequest(9))).items)) == (
            count, count
        )  # fmt: skip
    site.clock.advance(timedelta(days=399).total_seconds())
    await service.tidy()
    assert len(await told(site)) == 3
    site.clock.advance(timedelta(days=2).total_seconds())
    await service.tidy()
    assert await told(site) == []


async def test_processes_that_look_at_the_same_moment_tell_everything_once(site: Site, migrated_url: str) -> None:
    ada, people = await site.person("ada@example.com", Role.ADMIN), 25
    await hooks(site).create(ada, NewWebhook("pager", "http://127.0.0.1:9/"))
    for number in range(people):
        who = await site.person(f"p{number:02}@example.com")
        await cap(site, user(who), day=dollars(1))
        await spend(site, who, 1)
    spawning = multiprocessing.get_context("spawn")
    start = spawning.Barrier(3)
    processes = [
        spawning.Process(target=look_in_a_process, args=(migrated_url, site.clock.now(), start)) for _ in "123"
    ]
    for process in processes:
        process.start()
    for process in processes:
        await asyncio.to_thread(process.join, 120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(await told(site)) == people
    assert await letters(site) == [f"p{number:02}@example.com" for number in range(people)]
    assert await posts(site) == people


async def test_many_people_are_looked_at_in_parts(site: Site) -> None:
    people, rows = 1_201, list[dict[str, Any]]()
    async with site.store.write() as tx:
        await tx.groups.add(Group("team", "Team", "", site.clock.now()))
        await tx.policy.set_budget(
            Subject(SubjectKind.GROUP, "team"), Budget(month=dollars(1), alert_thresholds=(100,))
        )
    ids = [new_id() for _ in range(people)]
    async with site.store.engine.begin() as connection:
        for index, user_id in enumerate(ids):
            rows.append({"id": user_id, "email": f"{index}@example.com", "name": f"{index}", "at": site.clock.now()})
        columns = "id, email, name, role, status, created_at, last_active_at, sort_name"
        moment = "'2026-11-24 00:00:00'"
        await connection.execute(
            text(
                f"INSERT INTO users ({columns}) VALUES (:id, :email, :name, 'member', 'active', {moment}, {moment}, '')"
            ),
            [{key: value for key, value in row.items() if key != "at"} for row in rows],
        )
        await connection.execute(
            text("INSERT INTO memberships (group_id, user_id) VALUES ('team', :id)"), [{"id": i} for i in ids]
        )
        await connection.execute(
            text("INSERT INTO budget_spend VALUES ('user', :id, '2026-11', :spent, 0)"),
            [{"id": i, "spent": dollars(1) if n % 300 == 0 else 1} for n, i in enumerate(ids)],
        )
    await watch(site).look()
    assert [alert.subject.id for alert in await told(site)] == sorted(ids[::300])
