"""What goes away by itself, and what stays because somebody may still ask."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import insert, text

from fakes.identity import Site
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.user import Role
from sluicegate.services.auth import AuthService, LinkStatus
from sluicegate.services.housekeeping import Housekeeping
from sluicegate.storage.tables.policy import PROCESSES

PASSWORD = "correct horse battery"
DAY = 24 * 3600.0


async def count(site: Site, table: str, where: str = "1 = 1") -> int:
    async with site.store.engine.connect() as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}")) or 0)


async def test_sessions_go_when_they_are_old_or_idle(site: Site) -> None:
    auth, keeping = AuthService(site.store, site.clock), Housekeeping(site.store, site.clock)
    await auth.create_admin("ada@example.com", PASSWORD, "Ada")
    await auth.sign_in("ada@example.com", PASSWORD, "10.0.0.1")
    site.clock.advance(6 * 3600)
    kept = await auth.sign_in("ada@example.com", PASSWORD, "10.0.0.1")
    await keeping.remove_ended_sessions()
    assert await count(site, "sessions") == 2
    site.clock.advance(6 * 3600)
    await keeping.remove_ended_sessions()
    assert await count(site, "sessions") == 1
    assert await auth.caller_of_session(kept.reveal()) is not None


async def test_a_lapsed_invitation_is_told_of_once(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    invitations = site.invitations()
    keeping = Housekeeping(site.store, site.clock)
    late, kept, resent = await invitations.invite(ada, ["late@example.com", "kept@example.com", "again@example.com"])
    assert late.user is not None
    assert kept.url is not None
    assert resent.user is not None
    await AuthService(site.store, site.clock).accept(kept.url.rsplit("/", 1)[1], "Kept", PASSWORD)
    await keeping.note_lapsed_invitations()
    site.clock.advance(6 * DAY)
    await invitations.resend(ada, resent.user.id)
    site.clock.advance(1 * DAY)
    await asyncio.gather(*(keeping.note_lapsed_invitations() for _ in range(4)))
    async with site.store.engine.connect() as connection:
        told = await connection.execute(text("SELECT target_id FROM audit_events WHERE action = 'invitation.expire'"))
    assert [row.target_id for row in told] == [late.user.id]
    async with site.store.read() as tx:
        assert (await tx.links.pending_of([late.user.id]))[late.user.id].expires_at == site.clock.now()


async def test_links_stay_as_long_as_they_explain_something(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    auth, keeping = AuthService(site.store, site.clock), Housekeeping(site.store, site.clock)
    invitations = site.invitations()
    used, waiting = await invitations.invite(ada, ["used@example.com", "waiting@example.com"])
    assert used.url is not None
    assert waiting.url is not None
    assert waiting.user is not None
    await auth.accept(used.url.rsplit("/", 1)[1], "Used", PASSWORD)
    _, newer = await invitations.resend(ada, waiting.user.id)
    assert newer is not None

    async def seen() -> list[LinkStatus]:
        return [(await auth.link(url.rsplit("/", 1)[1])).status for url in (used.url or "", waiting.url or "", newer)]

    assert await seen() == [LinkStatus.USED, LinkStatus.REPLACED, LinkStatus.VALID]
    site.clock.advance(timedelta(days=89).total_seconds())
    await keeping.remove_dead_links()
    assert await seen() == [LinkStatus.USED, LinkStatus.REPLACED, LinkStatus.EXPIRED]
    site.clock.advance(timedelta(days=30).total_seconds())
    await keeping.remove_dead_links()
    assert await seen() == [LinkStatus.UNKNOWN, LinkStatus.UNKNOWN, LinkStatus.EXPIRED]


async def change(site: Site, *names: str) -> None:
    for name in names:
        async with site.store.write() as tx:
            tx.changed(PolicyChange(ChangeKind.USER, name))


async def changes(site: Site) -> list[str]:
    async with site.store.engine.connect() as connection:
        return list(await connection.scalars(text("SELECT subject_id FROM policy_changes ORDER BY seq")))


async def note_process(site: Site, name: str, passed: str, lease_until: timedelta) -> None:
    async with site.store.engine.begin() as connection:
        found = text("SELECT seq FROM policy_changes WHERE subject_id = :name")
        seq = await connection.scalar(found, {"name": passed})
        row = {"id": name, "seq": seq, "lease_until": site.clock.now() + lease_until}
        await connection.execute(insert(PROCESSES), row)


async def test_of_old_policy_changes_the_newest_stays(site: Site) -> None:
    keeping = Housekeeping(site.store, site.clock)
    await change(site, "a", "b")
    site.clock.advance(DAY + 1)
    await keeping.remove_old_changes()
    assert await changes(site) == ["b"]
    await change(site, "c", "d")
    await keeping.remove_old_changes()
    assert await changes(site) == ["c", "d"]


async def test_policy_changes_stay_until_every_live_process_has_passed_them(site: Site) -> None:
    keeping = Housekeeping(site.store, site.clock)
    await change(site, "a", "b", "c", "d", "e")
    await note_process(site, "dead", "a", timedelta())
    site.clock.advance(DAY + 1)
    await note_process(site, "quick", "d", timedelta(seconds=1))
    await note_process(site, "slow", "b", timedelta(seconds=1))
    await keeping.remove_old_changes()
    assert await changes(site) == ["c", "d", "e"]


async def test_policy_changes_go_however_many_there_are_and_whoever_else_removes_them(site: Site) -> None:
    async with site.store.write() as tx:
        tx.changed(*(PolicyChange(ChangeKind.USER, str(number)) for number in range(1200)))
    site.clock.advance(DAY + 1)
    keeping = Housekeeping(site.store, site.clock)
    await asyncio.gather(*(keeping.remove_old_changes() for _ in range(4)), change(site, "meanwhile"))
    await keeping.remove_old_changes()
    assert await changes(site) == ["meanwhile"]
