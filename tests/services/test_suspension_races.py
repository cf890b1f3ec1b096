"""Somebody who comes in at the very moment in which an administrator shuts the door gets nothing that outlives it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.util import await_only

from fakes.identity import Site
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Conflict, Forbidden, NotFound, Unauthenticated
from sluicegate.kit.secret import Secret
from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller
from sluicegate.services.keys import KeyService
from sluicegate.services.tokens import TokenService
from sluicegate.services.users import UserService

PASSWORD = "correct horse battery"
ROUNDS = 25
# What whoever came second may be told.
EXPECTED = Conflict | Forbidden | NotFound | Unauthenticated

Prepare = Callable[[Site, Caller, Caller], Awaitable[Callable[[], Awaitable[Any]]]]


@pytest.fixture
async def unhurried(site: Site) -> AsyncIterator[None]:
    """Every statement takes a while of its own, so that two transactions meet in every order."""
    chance = random.Random(7)

    def wait(*_: Any) -> None:
        await_only(asyncio.sleep(chance.random() * 0.004))

    event.listen(site.store.engine.sync_engine, "before_cursor_execute", wait)
    yield
    event.remove(site.store.engine.sync_engine, "before_cursor_execute", wait)


async def signs_in(site: Site, admin: Caller, person: Caller) -> Callable[[], Awaitable[Any]]:
    auth = AuthService(site.store, site.clock)
    return lambda: auth.sign_in(person.user.email, PASSWORD, "10.0.0.1")


async def resets(site: Site, admin: Caller, person: Caller) -> Callable[[], Awaitable[Any]]:
    auth = AuthService(site.store, site.clock)
    _, url = await site.recovery().create_link(admin, person.user.id)
    assert url is not None
    return lambda: auth.accept(url.rsplit("/", 1)[1], None, PASSWORD)


async def makes_a_key(site: Site, admin: Caller, person: Caller) -> Callable[[], Awaitable[Any]]:
    return lambda: KeyService(site.store, site.clock).create(person, "new", None)


async def rotates_a_key(site: Site, admin: Caller, person: Caller) -> Callable[[], Awaitable[Any]]:
    keys = KeyService(site.store, site.clock)
    key, _ = await keys.create(person, "old", None)
    return lambda: keys.rotate(person, key.id, 1)


async def makes_a_token(site: Site, admin: Caller, person: Caller) -> Callable[[], Awaitable[Any]]:
    return lambda: TokenService(site.store, site.clock).create(person, "new", [TokenScope.READ], None)


async def at_once(*doings: Awaitable[Any]) -> list[Any]:
    results = await asyncio.gather(*doings, return_exceptions=True)
    for result in results:
        assert not isinstance(result, BaseException) or isinstance(result, EXPECTED), repr(result)
    return results


async def count(site: Site, table: str, user_id: str) -> int:
    async with site.store.engine.connect() as connection:
        found = await connection.execute(
            text(f"SELECT count(*) FROM {table} WHERE user_id = :user"),
            {"user": user_id},
        )
        return int(found.scalar_one())


@pytest.mark.parametrize("prepare", [signs_in, resets])
@pytest.mark.usefixtures("unhurried")
async def test_a_session_does_not_outlive_a_suspension(site: Site, prepare: Prepare) -> None:
    auth, users = AuthService(site.store, site.clock), UserService(site.store)
    admin = await site.person("admin@example.com", Role.ADMIN)
    person = await known(site, admin, "eve@example.com")
    for _ in range(ROUNDS):
        come_in = await prepare(site, admin, person)
        _, entered = await at_once(users.suspend(admin, person.user.id), come_in())
        assert await count(site, "sessions", person.user.id) == 0
        if isinstance(entered, Secret):
            assert await auth.caller_of_session(entered.reveal()) is None
        # Coming back does not bring back what a suspension has ended.
        await users.reactivate(admin, person.user.id)
        if isinstance(entered, Secret):
            assert await auth.caller_of_session(entered.reveal()) is None


@pytest.mark.parametrize("prepare", [signs_in, resets, makes_a_key, rotates_a_key, makes_a_token])
@pytest.mark.usefixtures("unhurried")
async def test_nothing_is_left_of_somebody_who_is_deleted(site: Site, prepare: Prepare) -> None:
    users = UserService(site.store)
    admin = await site.person("admin@example.com", Role.ADMIN)
    for number in range(ROUNDS // 3):
        person = await known(site, admin, f"eve{number}@example.com")
        come_in = await prepare(site, admin, person)
        gone, _ = await at_once(users.delete(admin, person.user.id), come_in())
        assert gone is None
        for table in ("sessions", "api_keys", "automation_tokens", "one_time_links"):
            assert await count(site, table, person.user.id) == 0


@pytest.mark.parametrize(("prepare", "table"), [(makes_a_key, "api_keys"), (makes_a_token, "automation_tokens")])
@pytest.mark.usefixtures("unhurried")
async def test_nobody_makes_a_credential_after_being_suspended(site: Site, prepare: Prepare, table: str) -> None:
    users = UserService(site.store)
    admin = await site.person("admin@example.com", Role.ADMIN)
    person = await known(site, admin, "eve@example.com")
    for _ in range(ROUNDS):
        before = await count(site, table, person.user.id)
        make = await prepare(site, admin, person)
        _, made = await at_once(users.suspend(admin, person.user.id), make())
        added = await count(site, table, person.user.id) - before
        assert added == (0 if isinstance(made, BaseException) else 1)
        with pytest.raises(Unauthenticated):
            await (await prepare(site, admin, person))()
        assert await count(site, table, person.user.id) == before + added
        await users.reactivate(admin, person.user.id)


@pytest.mark.usefixtures("unhurried")
async def test_an_invitation_that_is_withdrawn_or_used_ends_one_way(site: Site) -> None:
    auth, users = AuthService(site.store, site.clock), UserService(site.store)
    invitations = site.invitations()
    admin = await site.person("admin@example.com", Role.ADMIN)
    for number in range(ROUNDS):
        (invited,) = await invitations.invite(admin, [f"new{number}@example.com"])
        assert invited.url is not None
        assert invited.user is not None
        withdrawn, entered = await at_once(
            invitations.withdraw(admin, invited.user.id), auth.accept(invited.url.rsplit("/", 1)[1], "New", PASSWORD)
        )
        came_in = isinstance(entered, Secret)
        assert came_in == isinstance(withdrawn, BaseException)
        assert (await users.get(admin, invited.user.id) is not None) == came_in
        assert await count(site, "sessions", invited.user.id) == int(came_in)


async def known(site: Site, admin: Caller, email: str) -> Caller:
    """Somebody with a password."""
    auth = AuthService(site.store, site.clock)
    (invited,) = await site.invitations().invite(admin, [email])
    assert invited.url is not None
    session = await auth.accept(invited.url.rsplit("/", 1)[1], "Eve", PASSWORD)
    caller = await auth.caller_of_session(session.reveal())
    assert caller is not None
    await auth.sign_out(session.reveal())
    return caller
