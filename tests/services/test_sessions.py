"""People see where they are signed in, and end what they do not know."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from fakes.identity import Site
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.client import describe_client
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Conflict, Forbidden, NotFound
from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller
from sluicegate.services.sessions import SessionService
from sluicegate.services.tokens import TokenService
from sluicegate.services.users import UserService

PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class People:
    """Ada, an administrator, and Eve, a member, each signed in twice."""

    def __init__(self, site: Site) -> None:
        self.auth = AuthService(site.store, site.clock)
        self.sessions = SessionService(site.store, site.clock)
        self.tokens: dict[str, list[str]] = {}

    async def arrive(self, site: Site) -> tuple[Caller, Caller]:
        await self.auth.create_admin("ada@example.com", PASSWORD, "Ada")
        ada = await self.enter("ada@example.com")
        (invited,) = await site.invitations().invite(ada, ["eve@example.com"])
        assert invited.url is not None
        session = await self.auth.accept(invited.url.rsplit("/", 1)[1], "Eve", PASSWORD, "2001:db8::1", FIREFOX)
        self.tokens["eve@example.com"] = [session.reveal()]
        await self.enter("ada@example.com")
        site.clock.advance(60)
        return ada, await self.enter("eve@example.com")

    async def enter(self, email: str) -> Caller:
        token = (await self.auth.sign_in(email, PASSWORD, "10.0.0.1", "curl/8.5.0\n\x1b[31m" + "x" * 400)).reveal()
        self.tokens.setdefault(email, []).append(token)
        caller = await self.auth.caller_of_session(token)
        assert caller is not None
        return caller

    async def alive(self, email: str) -> list[bool]:
        return [await self.auth.caller_of_session(token) is not None for token in self.tokens[email]]


async def test_everybody_sees_their_own(site: Site) -> None:
    people = People(site)
    ada, eve = await people.arrive(site)
    latest, first = (await people.sessions.of_users(eve, [eve.user.id]))[eve.user.id]
    assert (latest.id, latest.address) == (eve.session_id, "10.0.0.1")
    assert latest.user_agent.isprintable()
    assert len(latest.user_agent) == 300
    assert (first.address, describe_client(first.user_agent)) == ("2001:db8::1", "Firefox on Linux")
    with pytest.raises(Forbidden):
        await people.sessions.of_users(eve, [ada.user.id])
    assert len((await people.sessions.of_users(ada, [eve.user.id]))[eve.user.id]) == 2
    site.clock.advance(12 * 3600)
    assert (await people.sessions.of_users(eve, [eve.user.id]))[eve.user.id] == []


async def test_one_session_ends_and_the_others_go_on(site: Site) -> None:
    people = People(site)
    ada, eve = await people.arrive(site)
    _, first = (await people.sessions.of_users(eve, [eve.user.id]))[eve.user.id]
    await people.sessions.revoke(eve, first.id)
    assert await people.alive("eve@example.com") == [False, True]
    with pytest.raises(NotFound):
        await people.sessions.revoke(eve, first.id)
    adas = (await people.sessions.of_users(ada, [ada.user.id]))[ada.user.id]
    with pytest.raises(NotFound):
        await people.sessions.revoke(eve, adas[0].id)
    assert await people.alive("ada@example.com") == [True, True]


async def test_all_but_this_one_end(site: Site) -> None:
    people = People(site)
    _, eve = await people.arrive(site)
    await people.enter("eve@example.com")
    assert await people.sessions.end_others(eve) == 2
    assert await people.alive("eve@example.com") == [False, True, False]
    assert await people.sessions.end_others(eve) == 0
    with pytest.raises(Conflict):
        await people.sessions.end_others(Caller(eve.user, eve.actor))


async def test_administrators_sign_somebody_out_everywhere(site: Site) -> None:
    people = People(site)
    ada, eve = await people.arrive(site)
    with pytest.raises(Forbidden):
        await people.sessions.end_all(eve, ada.user.id)
    assert await people.alive("ada@example.com") == [True, True]
    assert await people.sessions.end_all(ada, eve.user.id) == 2
    assert await people.alive("eve@example.com") == [False, False]
    assert await people.alive("ada@example.com") == [True, True]
    with pytest.raises(NotFound):
        await people.sessions.end_all(ada, "nobody")
    async with site.store.engine.connect() as connection:
        told = await connection.execute(text("SELECT target_label FROM audit_events WHERE action = 'session.end_all'"))
        assert [row.target_label for row in told] == ["Eve <eve@example.com>"]


async def test_a_deleted_person_has_no_sessions(site: Site) -> None:
    people = People(site)
    _, eve = await people.arrive(site)
    async with site.store.write() as tx:
        await tx.users.delete(eve.user.id)
    assert await people.alive("eve@example.com") == [False, False]
    assert eve.user.role is Role.MEMBER


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
            "Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 "
            "Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "CriOS/140.0.0.0 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.5.0", "curl"),
        ("python-httpx/0.28.1 something", "python-httpx/0.28.1"),
        ("", "Unknown client"),
    ],
)
def test_browsers_are_told_by_name_and_system(user_agent: str, shown: str) -> None:
    assert describe_client(user_agent) == shown


async def test_who_is_still_there_is_told_for_all_at_once_and_is_no_use_of_a_session(site: Site) -> None:
    people = People(site)
    ada, eve = await people.arrive(site)
    _, secret = await TokenService(site.store, site.clock).create(ada, "ci", [TokenScope.READ], None)
    script = await people.auth.caller_of_token(secret.reveal())
    assert script is not None
    callers = [ada, eve, script]
    assert await people.auth.still(callers) == callers
    await UserService(site.store).update(ada, eve.user.id, role=Role.ADMIN)
    now = [caller and (caller.user.id, caller.is_admin, caller.scopes) for caller in await people.auth.still(callers)]
    assert now == [(ada.user.id, True, None), (eve.user.id, True, None), (ada.user.id, True, {TokenScope.READ})]
    await people.sessions.end_all(ada, eve.user.id)
    assert await people.auth.still(callers) == [ada, None, script]
    assert script.actor.token_id is not None
    await TokenService(site.store, site.clock).revoke(ada, script.actor.token_id)
    assert await people.auth.still([script, ada]) == [None, ada]
    for _ in range(13):
        assert await people.auth.still([ada]) is not None
        site.clock.advance(3600)
    assert await people.auth.still([ada]) == [None]
