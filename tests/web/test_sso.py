"""Single sign-on through a real server: cookies, redirects, and what people get to see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from fakes.oidc_issuer import CLIENT_ID, CLIENT_SECRET, Answer, Issuer, oidc_issuer
from gateway.bench import Bench, running_bench
from sluicegate.app import create_app
from sluicegate.container import Container
from sluicegate.domain.audit import SYSTEM
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.kit.secret import Secret
from sluicegate.premises import make_data_dir
from sluicegate.services.caller import Caller
from sluicegate.services.sso.settings import SsoChange
from sluicegate.settings import load
from sluicegate.storage import migrate

START, CALLBACK = "/auth/sso/start", "/auth/sso/callback"


async def set_up(container: Container, issuer: Issuer, **values: Any) -> None:
    admin = User("boss", "boss@example.com", "Boss", Role.ADMIN, UserStatus.ACTIVE, container.clock.now())
    async with container.store.write() as tx:
        await tx.users.add(admin)
    change = SsoChange(
        enabled=True,
        issuer=issuer.url,
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        creates_people=True,
        **values,
    )
    await container.services.sso.update(Caller(admin, SYSTEM), change)


@asynccontextmanager
async def furnished(folder: Path, public_url: str, **values: Any) -> AsyncIterator[tuple[httpx.AsyncClient, Issuer]]:
    """A browser's view of a server that people reach under `public_url`."""
    async with (
        oidc_issuer() as issuer,
        running_bench(folder, everything=True, allow_private_issuers=True) as bench,
        browser_of(bench) as browser,
    ):
        bench.container.public_url = public_url
        await set_up(bench.container, issuer, **values)
        yield browser, issuer


def browser_of(bench: Bench) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{bench.port}", verify=False)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Issuer]]:
    async with furnished(tmp_path, "http://gate.example.com", label="Acme") as made:
        yield made


def cookies_of(answer: httpx.Response) -> dict[str, Morsel[str]]:
    found: dict[str, Morsel[str]] = {}
    for line in answer.headers.get_list("set-cookie"):
        found |= SimpleCookie(line)
    return found


async def sent(browser: httpx.AsyncClient, wanted: str = "/") -> str:
    """Where somebody is sent to who wants to sign in."""
    answer = await browser.get(START, params={"next": wanted})
    assert (answer.status_code, answer.headers["cache-control"]) == (303, "no-store")
    return answer.headers["location"]


def problem_of(answer: httpx.Response) -> str:
    assert answer.status_code == 303
    page = urlsplit(answer.headers["location"])
    assert (page.netloc, page.path) == ("", "/sign-in")
    return parse_qs(page.query)["problem"][0]


async def test_the_whole_way_leads_back_to_the_page_that_was_wanted(door: tuple[httpx.AsyncClient, Issuer]) -> None:
    browser, _ = door
    ways = await browser.get("/auth/sso")
    assert ways.json() == {"enabled": True, "label": "Acme", "passwords": True}
    there = await sent(browser, "/admin/users?q=a b")
    # Nothing is gone on to that would have to be written otherwise.
    assert parse_qs(urlsplit(there).query)["redirect_uri"] == [f"http://gate.example.com{CALLBACK}"]
    there = await sent(browser, "/admin/users?q=ab")
    async with httpx.AsyncClient() as elsewhere:
        back = (await elsewhere.get(there)).headers["location"]
    answer = await browser.get(f"{CALLBACK}?{urlsplit(back).query}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/users?q=ab")
    given = cookies_of(answer)
    assert given["sluicegate"]["httponly"]
    assert given["sluicegate"]["samesite"] == "lax"
    assert given["sluicegate-sso"]["max-age"] == "0"
    assert "sluicegate-sso" not in browser.cookies
    assert (await browser.get("/auth/session")).json() == {"authenticated": True}
    # Who brings it again is told so, and stays who they are.
    assert problem_of(await browser.get(f"{CALLBACK}?{urlsplit(back).query}")) == "expired"
    assert (await browser.get("/auth/session")).json() == {"authenticated": True}


async def test_what_a_browser_keeps_on_the_way_is_its_own_and_short(tmp_path: Path) -> None:
    async with furnished(tmp_path, "https://gate.example.com") as (browser, issuer):
        begun = await browser.get(START)
        kept = cookies_of(begun)["__Host-sluicegate-sso"]
        assert (kept["httponly"], kept["secure"], kept["path"]) == (True, True, "/")
        assert (kept["samesite"], kept["max-age"], kept["domain"]) == ("lax", "600", "")
        assert len(kept.value) < 3_000
        answer = issuer.consent(begun.headers["location"])
        cookie = f"__Host-sluicegate-sso={kept.coded_value}"
        ended = await browser.get(CALLBACK, params=answer, headers={"cookie": cookie})
        session = cookies_of(ended)["__Host-sluicegate"]
        assert (session["secure"], session["httponly"], session["samesite"]) == (True, True, "lax")


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "/auth/sso/start"])
async def test_nobody_is_sent_to_another_site(door: tuple[httpx.AsyncClient, Issuer], wanted: str) -> None:
    browser, issuer = door
    answer = issuer.consent(await sent(browser, wanted))
    assert (await browser.get(CALLBACK, params=answer)).headers["location"] == "/"


async def test_failures_lead_to_the_sign_in_page_and_keep_the_page_that_was_wanted(
    door: tuple[httpx.AsyncClient, Issuer],
) -> None:
    browser, issuer = door
    issuer.error = "access_denied"
    ended = await browser.get(CALLBACK, params=issuer.consent(await sent(browser, "/models")))
    assert problem_of(ended) == "cancelled"
    assert ended.headers["location"].endswith("next=%2Fmodels")
    assert "sluicegate" not in cookies_of(ended)
    issuer.error = None
    issuer.person["email_verified"] = False
    assert problem_of(await browser.get(CALLBACK, params=issuer.consent(await sent(browser)))) == "unverified"
    issuer.instead["/token"] = Answer(500)
    assert problem_of(await browser.get(CALLBACK, params=issuer.consent(await sent(browser)))) == "unreachable"
    assert problem_of(await browser.get(CALLBACK)) == "expired"
    assert problem_of(await browser.get(CALLBACK, params={"state": "x" * 5000, "code": "\0"})) == "expired"


async def test_a_second_tab_leaves_the_first_its_turn_only_if_it_came_last(
    door: tuple[httpx.AsyncClient, Issuer],
) -> None:
    browser, issuer = door
    first = issuer.consent(await sent(browser))
    second = issuer.consent(await sent(browser))
    assert problem_of(await browser.get(CALLBACK, params=first)) == "expired"
    assert (await browser.get(CALLBACK, params=second)).headers["location"] == "/"


async def test_nothing_is_offered_while_it_is_off(tmp_path: Path) -> None:
    async with running_bench(tmp_path, everything=True) as bench, browser_of(bench) as browser:
        assert (await browser.get("/auth/sso")).json()["enabled"] is False
        assert problem_of(await browser.get(START)) == "off"
        assert problem_of(await browser.get(CALLBACK, params={"code": "a", "state": "b"})) == "expired"


@asynccontextmanager
async def server_on(folder: Path, url: str, **values: Any) -> AsyncIterator[tuple[Container, httpx.AsyncClient]]:
    settings = load({}, data_dir=folder, database_url=url, kek_primary="ab" * 32, allow_private_issuers=True, **values)
    make_data_dir(settings)
    container = Container(settings, "https://gate.example.com")
    await container.start()
    transport = httpx.ASGITransport(create_app(container))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="https://gate.example.com") as client:
            yield container, client
    finally:
        await container.stop()


@pytest.mark.embedded
@pytest.mark.slow
async def test_one_server_sends_somebody_away_and_another_takes_them_in(
    fresh_postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(migrate.upgrade, fresh_postgres_url)
    shared = {"redis_url": redis_url, "redis_prefix": f"test-{uuid4().hex}"}
    async with (
        oidc_issuer() as issuer,
        server_on(tmp_path / "one", fresh_postgres_url, **shared) as (one, here),
        server_on(tmp_path / "other", fresh_postgres_url, **shared) as (_, there),
    ):
        await set_up(one, issuer)
        begun = await here.get(START, params={"next": "/models"})
        kept = cookies_of(begun)["__Host-sluicegate-sso"]
        answer = issuer.consent(begun.headers["location"])
        cookie = {"cookie": f"__Host-sluicegate-sso={kept.coded_value}"}
        ended = await there.get(CALLBACK, params=answer, headers=cookie)
        assert ended.headers["location"] == "/models"
        session = {"cookie": f"__Host-sluicegate={cookies_of(ended)['__Host-sluicegate'].value}"}
        assert (await here.get("/auth/session", headers=session)).json() == {"authenticated": True}
        # Neither takes the same a second time.
        for server in (here, there):
            assert problem_of(await server.get(CALLBACK, params=answer, headers=cookie)) == "expired"
