"""The audit log as administrators read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fakes.identity import Site
from sluicegate.domain.audit import AuditEvent
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Forbidden, InvalidInput
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.services.audit import AuditService
from sluicegate.services.caller import Caller
from sluicegate.services.groups import GroupService
from sluicegate.services.users import UserService


async def history(site: Site) -> tuple[Caller, Caller, str]:
    """Ada makes a group and renames it, hours later Bob suspends Eve."""
    ada, bob = await site.person("ada@example.com", Role.ADMIN), await site.person("bob@example.com", Role.ADMIN)
    eve = await site.person("eve@example.com")
    groups = GroupService(site.store, site.clock)
    group = await groups.create(ada, "100% Rust_lovers", "fast")
    site.clock.advance(3600)
    await groups.update(ada, group.id, name="Crab people")
    site.clock.advance(3600)
    await UserService(site.store).suspend(bob, eve.user.id)
    return ada, bob, group.id


ALL = AuditFilter()


async def found(site: Site, caller: Caller, where: AuditFilter = ALL, first: int = 100) -> list[AuditEvent]:
    events: list[AuditEvent] = []
    after: str | None = None
    while True:
        page = await AuditService(site.store).page(caller, where, PageRequest(first, after))
        events += [event for event, _ in page.items]
        if not page.has_next:
            return events
        after = page.items[-1][1]


async def test_changes_come_newest_first_with_what_differed(site: Site) -> None:
    ada, bob, group_id = await history(site)
    suspended, renamed, created = await found(site, ada)
    assert (suspended.action, suspended.actor, suspended.target_label) == (
        "user.suspend",
        bob.actor,
        "Eve <eve@example.com>",
    )
    assert (suspended.before, suspended.after) == ({"status": "active"}, {"status": "suspended"})
    assert (renamed.before, renamed.after) == ({"name": "100% Rust_lovers"}, {"name": "Crab people"})
    assert (created.target_kind, created.target_id, created.actor) == ("group", group_id, ada.actor)
    assert suspended.at - created.at == timedelta(hours=2)


@pytest.mark.parametrize("first", [1, 2, 3, 100])
async def test_pages_give_every_event_once(site: Site, first: int) -> None:
    ada, _, _ = await history(site)
    groups = GroupService(site.store, site.clock)
    for n in range(5):
        # Of one instant: only their ids tell them apart.
        await groups.create(ada, f"Group {n}")
    events = await found(site, ada, first=first)
    assert len(events) == len({event.id for event in events}) == 8
    assert events == sorted(events, key=lambda e: (e.at, e.id), reverse=True)


Narrow = Callable[[Any, Any, str, Any], AuditFilter]


@pytest.mark.parametrize(
    ("narrow", "actions"),
    [
        (lambda ada, bob, group, now: AuditFilter(actor=bob.user.id), ["user.suspend"]),
        (lambda ada, bob, group, now: AuditFilter(action="group.update"), ["group.update"]),
        (lambda ada, bob, group, now: AuditFilter(target_kind="group"), ["group.update", "group.create"]),
        (
            lambda ada, bob, group, now: AuditFilter(target_kind="group", target_id=group),
            ["group.update", "group.create"],
        ),
        (lambda ada, bob, group, now: AuditFilter(target_kind="user", target_id=group), []),
        (lambda ada, bob, group, now: AuditFilter(since=now), ["user.suspend"]),
        (lambda ada, bob, group, now: AuditFilter(until=now), ["group.update", "group.create"]),
        (lambda ada, bob, group, now: AuditFilter(search=" CRAB"), ["group.update"]),
        (lambda ada, bob, group, now: AuditFilter(search="bob@"), ["user.suspend"]),
        (lambda ada, bob, group, now: AuditFilter(search="group."), ["group.update", "group.create"]),
        (lambda ada, bob, group, now: AuditFilter(search="0% rust_"), ["group.create"]),
        (lambda ada, bob, group, now: AuditFilter(search="%"), ["group.create"]),
        (lambda ada, bob, group, now: AuditFilter(search="_lovers"), ["group.create"]),
        (lambda ada, bob, group, now: AuditFilter(search="  "), ["user.suspend", "group.update", "group.create"]),
        (lambda ada, bob, group, now: AuditFilter(actor=ada.user.id, search="crab", until=now), ["group.update"]),
    ],
)
async def test_filters_narrow(site: Site, narrow: Narrow, actions: list[str]) -> None:
    ada, bob, group = await history(site)
    where = narrow(ada, bob, group, site.clock.now())
    assert [event.action for event in await found(site, ada, where)] == actions
    assert await AuditService(site.store).count(ada, where) == len(actions)


async def test_a_time_that_ends_before_it_begins_is_refused(site: Site) -> None:
    ada, now = await site.person("ada@example.com", Role.ADMIN), site.clock.now()
    with pytest.raises(InvalidInput) as refused:
        await found(site, ada, AuditFilter(since=now, until=now))
    assert refused.value.field == "to"


async def test_members_see_nothing_of_it(site: Site) -> None:
    ada, _, _ = await history(site)
    eve = replace(ada, user=replace(ada.user, role=Role.MEMBER))
    audit = AuditService(site.store)
    with pytest.raises(Forbidden):
        await found(site, eve)
    with pytest.raises(Forbidden):
        await audit.count(eve, AuditFilter())
    with pytest.raises(Forbidden):
        await audit.actions(eve)
    with pytest.raises(Forbidden):
        await anext(audit.export(eve, AuditFilter()))
    assert await audit.actions(ada) == ["group.create", "group.update", "user.suspend"]


async def test_an_export_reads_on_only_when_it_is_asked_for_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, _, _ = await history(site)
    groups = GroupService(site.store, site.clock)
    for n in range(1200):
        async with site.store.write() as tx:
            await tx.audit.record(ada.actor, "group.create", "group", str(n), f"Group {n}")
    assert groups is not None
    reads = 0
    read = site.store.read

    def counted() -> Any:
        nonlocal reads
        reads += 1
        return read()

    monkeypatch.setattr(site.store, "read", counted)
    export = AuditService(site.store).export(ada, AuditFilter())
    assert (len(await anext(export)), reads) == (500, 1)
    rest = [len(batch) async for batch in export]
    assert (rest, reads) == ([500, 203], 3)


PLANS = [
    (AuditFilter(), "ix_audit_events_newest"),
    (AuditFilter(search="qq"), "ix_audit_events_newest"),
    (AuditFilter(actor="x"), "ix_audit_events_actor"),
    (AuditFilter(action="x"), "ix_audit_events_action"),
    (AuditFilter(target_kind="user", target_id="x"), "ix_audit_events_target"),
]


@pytest.mark.parametrize(("where", "index"), PLANS)
async def test_every_way_of_looking_follows_an_index_and_sorts_nothing(
    site: Site, where: AuditFilter, index: str, explain: Callable[..., Any]
) -> None:
    await site.person("ada@example.com", Role.ADMIN)
    plan = await explain(site, lambda tx: tx.audit.page(where, PageRequest(50)))
    assert index in plan
    assert "sort" not in plan.lower()
    assert "temp b-tree" not in plan.lower()


async def test_a_search_follows_trigrams(site: Site, explain: Callable[..., Any]) -> None:
    plan = await explain(site, lambda tx: tx.audit.page(AuditFilter(search="nothing like it"), PageRequest(50)))
    found = "audit_search VIRTUAL TABLE" if site.store.engine.name == "sqlite" else "ix_audit_events_"
    assert found in plan
    assert "SCAN audit_events" not in plan
