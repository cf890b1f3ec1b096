"""Forgotten passwords, changed passwords, and the sessions that end with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from fakes.identity import SITE_URL, Site
from fakes.mail_server import MailServer, mail_server
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.sso import SsoSettings
from sluicegate.domain.user import LinkKind, Role
from sluicegate.kit.errors import Conflict, Forbidden, InvalidInput, Throttled, Unauthenticated
from sluicegate.ports.mail import Mailer
from sluicegate.ports.pages import PageRequest
from sluicegate.services.auth import AuthService, LinkStatus
from sluicegate.services.caller import Caller
from sluicegate.services.recovery import RecoveryService
from sluicegate.services.users import UserService, suspend_held

PASSWORD, NEW = "correct horse battery", "trombone lamp quarrel"
HERE = "10.0.0.1"


async def signed_in(site: Site, auth: AuthService, email: str = "ada@example.com") -> Caller:
    caller = await auth.caller_of_session((await auth.sign_in(email, PASSWORD, HERE)).reveal())
    assert caller is not None
    return caller


async def ask(recovery: RecoveryService, email: str, address: str = HERE) -> None:
    await recovery.forgot(email, address)
    await recovery.settle()


async def rows(site: Site, table: str) -> int:
    async with site.store.engine.connect() as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def tokens_in(server: MailServer) -> list[str]:
    bodies = [message.get_body(("plain",)) for message in server.messages]
    lines = [line for body in bodies if body is not None for line in body.get_content().splitlines()]
    return [line.rsplit("/", 1)[1] for line in lines if line.startswith(f"{SITE_URL}/reset/")]


async def test_members_who_come_in_without_a_password_get_no_link_to_a_new_one(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    await auth.create_admin("ada@example.com", "correct horse battery", "Ada")
    await site.person("mia@example.com")
    async with site.store.write() as tx:
        await tx.sso.save(SsoSettings(enabled=True, members_use_passwords=False))
    async with mail_server() as server:
        for email in ("mia@example.com", "ada@example.com"):
            await ask(site.recovery(server.mailer(site.clock)), email)
        await site.mail(server.mailer(site.clock)).deliver_due()
        assert len(tokens_in(server)) == 1
    async with site.store.read() as tx:
        (letter,) = (await tx.mail.page(None, PageRequest(10))).items
    assert letter[0].recipient == "ada@example.com"


async def test_a_forgotten_password_is_set_anew_and_everybody_else_is_out(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    await auth.create_admin("ada@example.com", PASSWORD, "Ada")
    thief = (await auth.sign_in("ada@example.com", PASSWORD, "10.6.6.6")).reveal()
    async with mail_server() as server:
        mailer = server.mailer(site.clock)
        recovery = site.recovery(mailer)
        await ask(recovery, "Ada@Example.com")
        await site.mail(mailer).deliver_due()
    (token,) = tokens_in(server)
    state = await auth.link(token)
    assert (state.status, state.kind, state.email) == (LinkStatus.VALID, LinkKind.RESET, "ada@example.com")
    with pytest.raises(InvalidInput, match="too easy to guess"):
        await auth.accept(token, None, "ada@example 2026")
    session = await auth.accept(token, None, NEW)
    assert await auth.caller_of_session(session.reveal()) is not None
    assert await auth.caller_of_session(thief) is None
    with pytest.raises(Unauthenticated):
        await auth.sign_in("ada@example.com", PASSWORD, HERE)
    assert await auth.sign_in("ada@example.com", NEW, HERE)
    with pytest.raises(Conflict, match="used already"):
        await auth.accept(token, None, PASSWORD)


async def test_a_link_to_set_a_password_lives_one_hour(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    await auth.create_admin("ada@example.com", PASSWORD, "Ada")
    _, url = await site.recovery().create_link(await signed_in(site, auth), (await signed_in(site, auth)).user.id)
    assert url is not None
    token = url.removeprefix(f"{SITE_URL}/reset/")
    site.clock.advance(3599)
    assert (await auth.link(token)).status is LinkStatus.VALID
    site.clock.advance(1)
    assert (await auth.link(token)).status is LinkStatus.EXPIRED
    with pytest.raises(Conflict, match="expired"):
        await auth.accept(token, None, NEW)
    assert await auth.sign_in("ada@example.com", PASSWORD, HERE)


async def test_nobody_learns_whether_an_address_has_an_account(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    await auth.create_admin("ada@example.com", PASSWORD, "Ada")
    suspended = await auth.create_admin("sue@example.com", PASSWORD, "Sue")
    await UserService(site.store).suspend(await signed_in(site, auth), suspended.id)
    await site.invitations().invite(await signed_in(site, auth), ["eve@example.com"])
    links = await rows(site, "one_time_links")
    async with mail_server() as server:
        recovery = site.recovery(server.mailer(site.clock))
        for email in ("nobody@example.com", "sue@example.com", "eve@example.com"):
            await ask(recovery, email)
    assert (await rows(site, "mail_outbox"), await rows(site, "one_time_links")) == (0, links)


async def test_the_answer_comes_before_anything_is_looked_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await AuthService(site.store, site.clock).create_admin("ada@example.com", PASSWORD, "Ada")
    async with mail_server() as server:
        recovery = site.recovery(server.mailer(site.clock))
        async with site.store.write():
            # Nobody else can write now, and still both are answered.
            await recovery.forgot("ada@example.com", HERE)
            await recovery.forgot("nobody@example.com", HERE)
        await recovery.settle()
    assert await rows(site, "mail_outbox") == 1


async def test_asking_is_throttled_and_fills_no_mailbox(site: Site) -> None:
    await AuthService(site.store, site.clock).create_admin("ada@example.com", PASSWORD, "Ada")
    async with mail_server() as server:
        mailer = server.mailer(site.clock)
        for email in ("ada@example.com", "nobody@example.com"):
            recovery = site.recovery(mailer)
            for _ in range(5):
                await ask(recovery, email)
            with pytest.raises(Throttled):
                await recovery.forgot(email, "10.0.0.2")
        # Other processes count for themselves, and are still not a way to send more.
        await asyncio.gather(*(ask(site.recovery(mailer), "ada@example.com") for _ in range(4)))
        assert await rows(site, "mail_outbox") == 1
        site.clock.advance(300)
        await ask(site.recovery(mailer), "ada@example.com")
    assert await rows(site, "mail_outbox") == 2


async def test_without_mail_nothing_happens_and_people_are_told(site: Site) -> None:
    await AuthService(site.store, site.clock).create_admin("ada@example.com", PASSWORD, "Ada")
    recovery = site.recovery()
    await ask(recovery, "ada@example.com")
    assert not recovery.by_mail
    assert await rows(site, "one_time_links") == 0
    with pytest.raises(InvalidInput):
        await recovery.forgot("not an address", HERE)


async def test_a_newer_link_ends_the_older_one_also_by_another_hand(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    await auth.create_admin("ada@example.com", PASSWORD, "Ada")
    ada = await signed_in(site, auth)
    _, first = await site.recovery().create_link(ada, ada.user.id)
    _, second = await site.recovery().create_link(ada, ada.user.id)
    assert first is not None
    assert second is not None
    assert (await auth.link(first.rsplit("/", 1)[1])).status is LinkStatus.REPLACED
    with pytest.raises(Conflict, match="newer link"):
        await auth.accept(first.rsplit("/", 1)[1], None, NEW)
    await auth.accept(second.rsplit("/", 1)[1], None, NEW)


async def test_of_many_who_use_a_link_at_once_one_sets_the_password(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    await auth.create_admin("ada@example.com", PASSWORD, "Ada")
    ada = await signed_in(site, auth)
    _, url = await site.recovery().create_link(ada, ada.user.id)
    assert url is not None
    results = await asyncio.gather(
        *(auth.accept(url.rsplit("/", 1)[1], None, f"{NEW} {n}") for n in range(6)), return_exceptions=True
    )
    winners = [n for n, result in enumerate(results) if not isinstance(result, Exception)]
    assert {type(result) for result in results if isinstance(result, Exception)} == {Conflict}
    assert len(winners) == 1
    assert await auth.sign_in("ada@example.com", f"{NEW} {winners[0]}", HERE)
    assert await rows(site, "sessions") == 2


async def test_links_for_others_are_made_by_administrators_for_people_who_can_use_them(site: Site) -> None:
    ada, eve = await site.person("ada@example.com", Role.ADMIN), await site.person("eve@example.com")
    (invited,) = await site.invitations().invite(ada, ["new@example.com"])
    assert invited.user is not None
    recovery = site.recovery()
    with pytest.raises(Forbidden):
        await recovery.create_link(eve, eve.user.id)
    with pytest.raises(Conflict, match="invitation"):
        await recovery.create_link(ada, invited.user.id)
    await UserService(site.store).suspend(ada, eve.user.id)
    with pytest.raises(Conflict, match="reactivate"):
        await recovery.create_link(ada, eve.user.id)
    assert await rows(site, "one_time_links") == 1


async def test_a_suspended_person_can_set_no_password(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    ada, eve = await site.person("ada@example.com", Role.ADMIN), await site.person("eve@example.com")
    _, url = await site.recovery().create_link(ada, eve.user.id)
    assert url is not None
    await UserService(site.store).suspend(ada, eve.user.id)
    with pytest.raises(Conflict, match="suspended"):
        await auth.accept(url.rsplit("/", 1)[1], None, NEW)
    async with site.store.read() as tx:
        assert await tx.users.password_hash(eve.user.id) is None


def token_of(caller: Caller, *scopes: TokenScope) -> Caller:
    return Caller(caller.user, caller.actor, frozenset(scopes))


async def link(site: Site, caller: Caller, eve: Caller, mailer: Mailer | None) -> Any:
    return await site.recovery(mailer).create_link(caller, eve.user.id)


async def promote(site: Site, caller: Caller, eve: Caller, mailer: Mailer | None) -> Any:
    return await UserService(site.store).update(caller, eve.user.id, role=Role.ADMIN)


async def invite(site: Site, caller: Caller, eve: Caller, mailer: Mailer | None) -> Any:
    return await site.invitations(mailer).invite(caller, ["root@example.com"], Role.ADMIN)


@pytest.mark.parametrize("act", [link, promote, invite])
async def test_a_token_cannot_make_itself_somebody_who_may_do_more(site: Site, act: Callable[..., Any]) -> None:
    ada, eve = await site.person("ada@example.com", Role.ADMIN), await site.person("eve@example.com")
    with pytest.raises(Forbidden, match="every scope"):
        await act(site, token_of(ada, TokenScope.READ, TokenScope.USERS), eve, None)
    assert await rows(site, "one_time_links") == 0
    async with site.store.read() as tx:
        assert (await tx.users.get(eve.user.id)) == eve.user
        assert await tx.users.by_email("root@example.com") is None
    await act(site, token_of(ada, *TokenScope), eve, None)


async def test_a_password_is_changed_by_whoever_knows_it(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    await auth.create_admin("ada@example.com", PASSWORD, "Ada")
    here = (await auth.sign_in("ada@example.com", PASSWORD, HERE)).reveal()
    there = (await auth.sign_in("ada@example.com", PASSWORD, "10.0.0.2")).reveal()
    ada = await auth.caller_of_session(here)
    assert ada is not None
    _, url = await site.recovery().create_link(ada, ada.user.id)
    assert url is not None
    recovery = site.recovery()
    for wrong in ("", NEW, PASSWORD + " "):
        with pytest.raises(InvalidInput) as refused:
            await recovery.change(ada, wrong, NEW)
        assert refused.value.field == "currentPassword"
    with pytest.raises(InvalidInput) as refused:
        await recovery.change(ada, PASSWORD, "ada@example 2026")
    assert refused.value.field == "newPassword"
    assert await auth.caller_of_session(there) is not None

    await recovery.change(ada, PASSWORD, NEW)
    assert await auth.caller_of_session(here) is not None
    assert await auth.caller_of_session(there) is None
    assert (await auth.link(url.rsplit("/", 1)[1])).status is LinkStatus.REPLACED
    with pytest.raises(Unauthenticated):
        await auth.sign_in("ada@example.com", PASSWORD, HERE)


async def test_guessing_the_present_password_is_throttled(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    await auth.create_admin("ada@example.com", PASSWORD, "Ada")
    ada = await signed_in(site, auth)
    recovery = site.recovery()
    outcomes = await asyncio.gather(
        *(recovery.change(ada, f"guess {n} of many", NEW) for n in range(14)), return_exceptions=True
    )
    assert [type(o) for o in outcomes].count(InvalidInput) == 10
    assert [type(o) for o in outcomes].count(Throttled) == 4


async def test_a_token_changes_no_password(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    await auth.create_admin("ada@example.com", PASSWORD, "Ada")
    ada = await signed_in(site, auth)
    with pytest.raises(Forbidden, match="not with a token"):
        await site.recovery().change(token_of(ada, *TokenScope), PASSWORD, NEW)
    assert await auth.sign_in("ada@example.com", PASSWORD, HERE)


async def test_no_session_of_an_old_password_outlives_its_change(site: Site) -> None:
    auth = AuthService(site.store, site.clock)
    await auth.create_admin("ada@example.com", PASSWORD, "Ada")
    here = (await auth.sign_in("ada@example.com", PASSWORD, HERE)).reveal()
    ada = await auth.caller_of_session(here)
    assert ada is not None
    results = await asyncio.gather(
        *(auth.sign_in("ada@example.com", PASSWORD, HERE) for _ in range(4)),
        site.recovery().change(ada, PASSWORD, NEW),
        *(auth.sign_in("ada@example.com", PASSWORD, HERE) for _ in range(4)),
        return_exceptions=True,
    )
    assert not isinstance(results[4], Exception)
    assert {type(r) for r in results if isinstance(r, Exception)} <= {Unauthenticated}
    assert await rows(site, "sessions") == 1
    assert await auth.caller_of_session(here) is not None


async def test_no_link_is_made_for_who_is_suspended_at_this_moment(site: Site) -> None:
    ada, mia = await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com")
    async with site.store.write() as tx:
        await suspend_held(tx, ada, mia.user)
        making = asyncio.create_task(site.recovery().create_link(ada, mia.user.id))
        await asyncio.wait([making], timeout=0.5)
    with pytest.raises(Conflict, match="suspended"):
        await making
