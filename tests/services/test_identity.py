"""People, groups, keys and sessions, from the first invitation to the last revocation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from fakes.identity import Site
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.user import LinkKind, Role, User, UserStatus
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.errors import Conflict, Forbidden, InvalidInput, NotFound, Throttled, Unauthenticated
from sluicegate.kit.secret import Secret
from sluicegate.ports.pages import AuditFilter, KeyState, PageRequest, UserFilter
from sluicegate.ports.store import Transaction
from sluicegate.services.audit import AuditService
from sluicegate.services.auth import AuthService, LinkStatus
from sluicegate.services.caller import Caller
from sluicegate.services.groups import GroupService
from sluicegate.services.keys import KeyService
from sluicegate.services.users import UserService, edit_held, require_user, set_status

PASSWORD = "correct horse battery"


async def test_two_admins_cannot_demote_each_other_at_once(site: Site) -> None:
    users = UserService(site.store)
    ada, bob = await site.person("ada@example.com", Role.ADMIN), await site.person("bob@example.com", Role.ADMIN)
    results = await asyncio.gather(
        users.update(ada, bob.user.id, role=Role.MEMBER),
        users.suspend(bob, ada.user.id),
        return_exceptions=True,
    )
    assert [type(result) for result in results if isinstance(result, Exception)] == [Conflict]


async def test_the_last_admin_stays(site: Site) -> None:
    users = UserService(site.store)
    ada = await site.person("ada@example.com", Role.ADMIN)
    await site.person("bob@example.com", Role.ADMIN, UserStatus.SUSPENDED)
    for attempt in (
        users.update(ada, ada.user.id, role=Role.MEMBER),
        users.suspend(ada, ada.user.id),
        users.delete(ada, ada.user.id),
    ):
        with pytest.raises(Conflict):
            await attempt


async def test_the_log_names_the_groups_of_an_invitation(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    groups = GroupService(site.store, site.clock)
    ids = [(await groups.create(ada, name)).id for name in ("Platform", "Data")]
    await site.invitations().invite(ada, ["eve@example.com"], Role.MEMBER, ids)
    page = await AuditService(site.store).page(ada, AuditFilter(action="user.invite"), PageRequest(1))
    assert page.items[0][0].after == {"email": "eve@example.com", "role": "member", "groups": ["Data", "Platform"]}


async def test_a_group_that_is_deleted_while_people_are_invited_is_told_to_each(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    team = await GroupService(site.store, site.clock).create(ada, "Team")

    @asynccontextmanager
    async def after_the_group_went() -> AsyncIterator[Transaction]:
        monkeypatch.undo()
        async with site.store.write() as tx:
            await tx.groups.delete(team.id)
        async with site.store.write() as tx:
            yield tx

    monkeypatch.setattr(site.store, "write", after_the_group_went)
    results = await site.invitations().invite(ada, ["eve@example.com", "mia@example.com"], group_ids=[team.id])
    assert [(type(one.error), getattr(one.error, "field", None)) for one in results] == [(NotFound, "groupIds")] * 2
    async with site.store.read() as tx:
        assert await tx.users.count(UserFilter()) == 1


@asynccontextmanager
async def held_while_accepting(
    site: Site, auth: AuthService, by: Caller
) -> AsyncIterator[tuple[Transaction, User, asyncio.Task[Secret]]]:
    """Somebody who is invited, held by a transaction, and the task in which they accept meanwhile."""
    (eve,) = await site.invitations().invite(by, ["eve@example.com"])
    assert eve.user is not None
    assert eve.url is not None
    async with site.store.write() as tx:
        await tx.versions.hold(Edited(Editable.USER, eve.user.id))
        held = await require_user(tx, eve.user.id)
        coming = asyncio.create_task(auth.accept(eve.url.rsplit("/", 1)[1], "Eve", PASSWORD))
        await asyncio.wait([coming], timeout=0.5)
        yield tx, held, coming


async def test_who_accepts_while_somebody_edits_them_loses_nothing(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    auth = AuthService(site.store, site.clock)
    async with held_while_accepting(site, auth, ada) as (tx, held, coming):
        await edit_held(tx, ada, held, role=Role.ADMIN)
    caller = await auth.caller_of_session((await coming).reveal())
    assert caller is not None
    assert (caller.user.name, caller.user.role, caller.user.status) == ("Eve", Role.ADMIN, UserStatus.ACTIVE)


async def test_who_accepts_while_a_provider_suspends_them_has_no_session(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    auth = AuthService(site.store, site.clock)
    async with held_while_accepting(site, auth, ada) as (tx, held, coming):
        await tx.links.replace(held.id, LinkKind.INVITE, site.clock.now())
        await set_status(tx, ada, held, UserStatus.SUSPENDED, "user.suspend")
    with pytest.raises(Conflict):
        await coming
    async with site.store.read() as tx:
        assert (await tx.sessions.of_users([held.id]))[held.id] == []


async def test_an_invitation_lives_once_and_for_seven_days(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    auth = AuthService(site.store, site.clock)
    invitations = site.invitations()
    good, bad, twice = await invitations.invite(ada, ["Eve@Example.com", "nobody", "eve@example.com"])
    assert good.user is not None
    assert good.url is not None
    assert isinstance(bad.error, InvalidInput)
    assert isinstance(twice.error, Conflict)
    first = good.url.removeprefix("https://ai.example.com/welcome/")
    _, url = await invitations.resend(ada, good.user.id)
    assert url is not None
    token = url.rsplit("/", 1)[1]
    assert (await auth.link(first)).status is LinkStatus.REPLACED
    assert (await auth.link(token)).status is LinkStatus.VALID
    with pytest.raises(InvalidInput):
        await auth.accept(token, "", PASSWORD)
    session = await auth.accept(token, "Eve", PASSWORD)
    caller = await auth.caller_of_session(session.reveal())
    assert caller is not None
    assert (caller.user.name, caller.user.status) == ("Eve", UserStatus.ACTIVE)
    with pytest.raises(Conflict):
        await auth.accept(token, "Mallory", PASSWORD)

    (late,) = await invitations.invite(ada, ["late@example.com"])
    assert late.user is not None
    assert late.url is not None
    site.clock.advance(7 * 24 * 3600)
    assert (await auth.link(late.url.rsplit("/", 1)[1])).status is LinkStatus.EXPIRED
    with pytest.raises(Conflict):
        await auth.accept(late.url.rsplit("/", 1)[1], "Late", PASSWORD)
    await invitations.withdraw(ada, late.user.id)
    assert await UserService(site.store).get(ada, late.user.id) is None


async def test_a_session_ends_when_idle_old_or_its_owner_is_suspended(site: Site) -> None:
    auth, users = AuthService(site.store, site.clock), UserService(site.store)
    admin = await auth.create_admin("ada@example.com", PASSWORD, "Ada")
    await auth.create_admin("bob@example.com", PASSWORD, "Bob")
    token = (await auth.sign_in("Ada@example.com ", PASSWORD, "10.0.0.1")).reveal()
    for _ in range(27):
        site.clock.advance(11.9 * 3600)
        assert await auth.caller_of_session(token) is not None
    site.clock.advance(11.9 * 3600 * 2)
    assert await auth.caller_of_session(token) is None

    token = (await auth.sign_in("ada@example.com", PASSWORD, "10.0.0.1")).reveal()
    caller = await auth.caller_of_session(token)
    assert caller is not None
    await users.suspend(caller, admin.id)
    assert await auth.caller_of_session(token) is None
    with pytest.raises(Unauthenticated):
        await auth.sign_in("ada@example.com", PASSWORD, "10.0.0.1")


async def test_guessing_is_throttled_also_for_unknown_addresses(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            await auth.sign_in("nobody@example.com", "wrong password", "10.0.0.1")
    with pytest.raises(Throttled):
        await auth.sign_in("nobody@example.com", "wrong password", "10.0.0.2")
    site.clock.advance(301)
    with pytest.raises(Unauthenticated):
        await auth.sign_in("nobody@example.com", "wrong password", "10.0.0.2")


async def test_a_key_is_its_owners_until_it_is_revoked(site: Site) -> None:
    keys = KeyService(site.store, site.clock)
    ada, eve = await site.person("ada@example.com", Role.ADMIN), await site.person("eve@example.com")
    bob = await site.person("bob@example.com")
    with pytest.raises(InvalidInput):
        await keys.create(eve, "late", site.clock.now() - timedelta(seconds=1))
    key, secret = await keys.create(eve, "", None)
    assert key.name == "API key"
    assert secret.reveal().startswith(key.prefix)
    with pytest.raises(NotFound):
        await keys.revoke(bob, key.id)
    with pytest.raises(Forbidden):
        await keys.of_users(bob, [eve.user.id])
    assert [k.id for k in (await keys.of_users(ada, [eve.user.id]))[eve.user.id]] == [key.id]
    assert (await keys.revoke(ada, key.id)).revoked_at == site.clock.now()
    assert site.feed.published.count(PolicyChange(ChangeKind.KEY, key.id)) == 2


async def test_administrators_find_the_keys_that_nobody_uses(site: Site) -> None:
    keys = KeyService(site.store, site.clock)
    ada, eve = await site.person("ada@example.com", Role.ADMIN), await site.person("eve@example.com")
    for name in ("quiet", "used", "gone", "short-lived 100%"):
        end = site.clock.now() + timedelta(days=3) if name.startswith("short") else None
        await keys.create(eve, name, end)
    found = {key.name: key for key in (await keys.of_users(ada, [eve.user.id]))[eve.user.id]}
    await keys.revoke(eve, found["gone"].id)
    site.clock.advance(31 * 86400)
    async with site.store.write() as tx:
        await tx.keys.update(found["used"].id, last_used_at=site.clock.now() - timedelta(days=29))
    await keys.create(ada, "fresh", None)

    async def names(search: str | None = None, state: KeyState | None = None) -> list[str]:
        page = await keys.page_of_all(ada, search, state, PageRequest())
        assert await keys.count_of_all(ada, search, state) == len(page.items)
        return [key.name for key, _ in page.items]

    assert await names() == ["fresh", "short-lived 100%", "gone", "used", "quiet"]
    assert await names(state=KeyState.ACTIVE) == ["fresh", "used", "quiet"]
    assert await names(state=KeyState.STALE) == ["quiet"]
    assert await names(state=KeyState.EXPIRED) == ["short-lived 100%"]
    assert await names(state=KeyState.REVOKED) == ["gone"]
    assert await names("ADA@example") == ["fresh"]
    assert await names("0%") == ["short-lived 100%"]
    assert await names(found["used"].prefix) == ["used"]
    with pytest.raises(Forbidden):
        await keys.page_of_all(eve, None, None, PageRequest())
    with pytest.raises(Forbidden):
        await keys.count_of_all(eve, None, None)


async def test_a_deleted_group_is_told_of_with_its_members(site: Site) -> None:
    groups = GroupService(site.store, site.clock)
    ada, eve = await site.person("ada@example.com", Role.ADMIN), await site.person("eve@example.com")
    group = await groups.create(ada, "Platform")
    with pytest.raises(Conflict):
        await groups.create(ada, "platform")
    await groups.add_members(ada, group.id, [eve.user.id, eve.user.id])
    assert await groups.member_counts(ada, [group.id]) == {group.id: 1}
    site.feed.published.clear()
    await groups.delete(ada, group.id)
    assert set(site.feed.published) == {
        PolicyChange(ChangeKind.GROUP, group.id),
        PolicyChange(ChangeKind.USER, eve.user.id),
    }


async def test_members_see_nobody_else(site: Site) -> None:
    users = UserService(site.store)
    ada, eve = await site.person("ada@example.com", Role.ADMIN), await site.person("eve@example.com")
    for attempt in (
        users.get(eve, ada.user.id),
        users.page(eve, UserFilter(), "name_asc", PageRequest()),
        users.update(eve, eve.user.id, role=Role.ADMIN),
    ):
        with pytest.raises(Forbidden):
            await attempt


@pytest.mark.parametrize("sort", ["name_asc", "name_desc", "created_asc", "created_desc"])
async def test_pages_give_everybody_once(site: Site, sort: str) -> None:
    users = UserService(site.store)
    ada = await site.person("ada@example.com", Role.ADMIN)
    for name in ("bob", "carl", "dora", "eve"):
        await site.person(f"{name}@example.com")
    seen: list[str] = []
    after: str | None = None
    while True:
        page = await users.page(ada, UserFilter(), sort, PageRequest(2, after))
        seen += [user.email[0] for user, _ in page.items]
        if not page.has_next:
            break
        after = page.items[-1][1]
    assert sorted(seen) == list("abcde")
    if sort.startswith("name"):
        assert seen == sorted(seen, reverse=sort.endswith("desc"))
