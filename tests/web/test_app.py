"""The web application over HTTP: cookies, forged requests, the console's files."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from fakes.identity import Site, new_site
from sluicegate.services.audit import AuditService
from sluicegate.services.auth import AuthService
from sluicegate.services.bundle import Services
from sluicegate.services.caller import Caller
from sluicegate.services.usage import UsageService
from sluicegate.services.users import UserService
from sluicegate.storage.usage_reader import SqlUsageReader
from sluicegate.web.app import create_web_app

PASSWORD = "correct horse battery"
OWN = {"x-sluicegate-csrf": "1"}


async def _echo(
    caller: Caller | None, request_id: str, query: str, variables: dict[str, Any], operation: str | None
) -> dict[str, Any]:
    return {"data": {"caller": caller.user.email if caller else None}}


def services_of(site: Site, auth: AuthService) -> Services:
    some = SimpleNamespace(
        auth=auth,
        recovery=site.recovery(),
        audit=AuditService(site.store),
        users=UserService(site.store),
        usage=UsageService(SqlUsageReader(site.store.engine, UTC), UTC, site.clock),
        overview=None,
        overrides=None,
        scim_tokens=None,
        scim_people=None,
        scim_groups=None,
        sso_sign_in=None,
        device_sign_in=None,
    )
    return cast("Services", some)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>console</title>")
    (dist / "assets/app-1.js").write_text("plain")
    (dist / "assets/app-1.js.gz").write_bytes(b"packed")
    (dist / ".secret").write_text("hidden")
    async with new_site(tmp_path) as site:
        auth = AuthService(site.store, site.clock)
        await auth.create_admin("ada@example.com", PASSWORD, "Ada")
        app = create_web_app(
            services_of(site, auth),
            _echo,
            live=cast("Any", None),
            public_url=lambda: "http://test",
            console=dist,
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            yield http


async def _sign_in(client: httpx.AsyncClient, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/auth/sign-in", json={"email": "ada@example.com", "password": password}, headers=OWN)


async def test_signing_in_and_out(client: httpx.AsyncClient) -> None:
    wrong = await _sign_in(client, "wrong password")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "unauthenticated")
    assert (await client.get("/auth/session")).json() == {"authenticated": False}
    right = await _sign_in(client)
    assert (right.status_code, right.json()) == (200, {})
    assert "httponly" in right.headers["set-cookie"].lower()
    assert (await client.get("/auth/session")).json() == {"authenticated": True}
    assert (await client.post("/auth/sign-out", headers=OWN)).status_code == 200
    assert (await client.get("/auth/session")).json() == {"authenticated": False}


async def test_graphql_takes_a_cookie_only_from_our_own_pages(client: httpx.AsyncClient) -> None:
    await _sign_in(client)
    body = {"query": "{ viewer { isAdmin } }"}
    good = await client.post("/graphql", json=body, headers=OWN)
    assert good.json() == {"data": {"caller": "ada@example.com"}}
    for headers in (
        {},
        OWN | {"sec-fetch-site": "cross-site"},
        OWN | {"sec-fetch-site": "same-site"},
        OWN | {"origin": "https://evil.example"},
    ):
        assert (await client.post("/graphql", json=body, headers=headers)).status_code == 403
    both = await client.post("/graphql", json=body, headers=OWN | {"authorization": "Bearer sgt_x"})
    assert both.status_code == 401
    form = await client.post("/graphql", content="query=x", headers=OWN | {"content-type": "text/plain"})
    assert form.status_code == 415
    big = await client.post("/graphql", json={"query": "x" * 1_100_000}, headers=OWN)
    assert big.status_code == 413
    assert (await client.get("/graphql?query=x")).status_code == 404


async def test_signing_in_needs_no_cookie_and_so_no_header_but_not_from_another_site(client: httpx.AsyncClient) -> None:
    body = {"email": "ada@example.com", "password": PASSWORD}
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert (await client.post("/auth/sign-in", json=body, headers=headers)).status_code == 403
    assert (await client.post("/auth/sign-in", json=body)).status_code == 200
    assert (await client.post("/auth/sign-out")).status_code == 403
    assert (await client.get("/auth/session")).json() == {"authenticated": True}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":' * 100_000, b"\xff", b"nul"])
async def test_bodies_that_are_no_objects_are_refused(client: httpx.AsyncClient, body: bytes) -> None:
    headers = OWN | {"content-type": "application/json"}
    for path in ("/graphql", "/auth/sign-in", "/auth/link/x"):
        answer = await client.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_input")


@pytest.mark.parametrize("value", ["a\0b", "\ud800", 7, None])
async def test_credentials_that_are_no_text_are_refused(client: httpx.AsyncClient, value: object) -> None:
    content = json.dumps({"email": "ada@example.com", "password": value})
    answer = await client.post("/auth/sign-in", content=content, headers=OWN | {"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "password")


async def test_a_link_that_nobody_made_is_unknown(client: httpx.AsyncClient) -> None:
    assert (await client.get("/auth/link/nothing")).json()["status"] == "unknown"
    answer = await client.post("/auth/link/nothing", json={"name": "Eve", "password": PASSWORD})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert "set-cookie" not in answer.headers


async def test_console_files(client: httpx.AsyncClient) -> None:
    for accept in ("*/*", "", "application/json"):
        first = await client.get("/", headers={"accept": accept})
        assert (first.status_code, first.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert (await client.get("/admin/users", headers={"accept": accept})).status_code == 404
    page = await client.get("/admin/users", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    asset = await client.get("/assets/app-1.js", headers={"accept-encoding": "identity"})
    assert "immutable" in asset.headers["cache-control"]
    again = await client.get(
        "/assets/app-1.js", headers={"accept-encoding": "identity", "if-none-match": asset.headers["etag"]}
    )
    assert again.status_code == 304
    for path in ("/assets/gone.js", "/.secret", "/assets/../.secret"):
        assert (await client.get(path, headers={"accept": "text/html"})).status_code == 404


async def test_a_cookie_over_https_belongs_to_this_host_alone(tmp_path: Path) -> None:
    async with new_site(tmp_path) as site:
        auth = AuthService(site.store, site.clock)
        await auth.create_admin("ada@example.com", PASSWORD, "Ada")
        app = create_web_app(
            services_of(site, auth),
            _echo,
            live=cast("Any", None),
            public_url=lambda: "https://test",
            console=tmp_path / "none",
        )
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://test") as http:
            cookie = (await _sign_in(http)).headers["set-cookie"]
            assert cookie.startswith("__Host-sluicegate=")
            assert {"httponly", "path=/", "samesite=lax", "secure"} <= set(cookie.lower().split("; "))
            assert (await http.get("/auth/session")).json() == {"authenticated": True}
            unbuilt = await http.get("/", headers={"accept": "text/html"})
            assert (unbuilt.status_code, "npm run build" in unbuilt.text) == (503, True)
