"""A database that is locked or gone: the console is told to wait, and calls go on by what is known."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

import stacks
from sluicegate.app import create_app
from sluicegate.container import Container
from sluicegate.kit.errors import Unavailable
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.usage import CallFilter
from sluicegate.services.demo_data import DemoFacts, seed_demo
from sluicegate.settings import load

RENAME = "mutation($name: String!) { createGroup(input: {name: $name}) { group { name } } }"
GROUPS = "{ groups { edges { node { name } } } }"
USAGE = '{ usage(from: "2026-11-01", to: "2026-11-24") { totals { requests } } }'
RETRY = 5


@dataclass
class Server:
    client: httpx.AsyncClient
    container: Container
    facts: DemoFacts
    url: str

    async def graphql(self, query: str, **variables: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.facts.admin_token}"}
        return await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    async def scim(self, method: str, token: str, body: Any = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"}
        return await self.client.request(method, "/scim/v2/Groups", json=body, headers=headers)

    async def call(self) -> httpx.Response:
        body = {"model": "demo-fast", "messages": [{"role": "user", "content": "hi"}]}
        headers = {"authorization": f"Bearer {self.facts.member_key}"}
        return await self.client.post("/v1/chat/completions", json=body, headers=headers)

    async def sign_in(self) -> httpx.Response:
        body = {"email": self.facts.admin_email, "password": self.facts.admin_password}
        return await self.client.post("/auth/sign-in", json=body)


@pytest.fixture
async def server(migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    # Nobody wants to wait as long as operators do.
    monkeypatch.setattr("sluicegate.storage.engine._BUSY_MS", 300)
    monkeypatch.setattr("sluicegate.storage.engine._CONNECT_SECONDS", 3)
    stacks.current().counters()
    values: dict[str, Any] = {**stacks.current().settings, "database_url": migrated_url}
    container = Container(load({}, data_dir=tmp_path, **values), "http://ai.example.com", demo_tokens_per_second=0.0)
    facts = await seed_demo(container.store, container.clock, container.usage_writer.write)
    await container.start()
    transport = httpx.ASGITransport(create_app(container))
    async with httpx.AsyncClient(transport=transport, base_url="http://ai.example.com", timeout=30) as client:
        yield Server(client, container, facts, migrated_url)
    await container.stop()


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Somebody holds what every write needs, such as a backup or a long migration."""
    # In threads, since the server may be in the middle of a write of its own.
    if url.startswith("sqlite"):
        holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
        await asyncio.to_thread(holder.execute, "BEGIN IMMEDIATE")
        yield
        holder.rollback()
        holder.close()
        return
    with psycopg.connect(url) as connection:
        await asyncio.to_thread(connection.execute, "LOCK TABLE groups, sessions, automation_tokens IN EXCLUSIVE MODE")
        yield
        connection.rollback()


@contextmanager
def gone(url: str) -> Iterator[None]:
    """The database server is there no more, as far as this database goes."""
    name = make_url(url).database
    admin_url = make_url(url).set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        admin.execute(allow.format(sql.Identifier(name or ""), sql.SQL("false")))
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            admin.execute(allow.format(sql.Identifier(name or ""), sql.SQL("true")))


@contextmanager
def only_read(url: str) -> Iterator[None]:
    """As a replica before it takes over: everything can be read."""
    name = sql.Identifier(make_url(url).database or "")
    admin_url = make_url(url).set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        admin.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
        admin.execute(others, (make_url(url).database,))
        try:
            yield
        finally:
            admin.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
            admin.execute(others, (make_url(url).database,))


def assert_told_to_wait(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.headers["retry-after"]) == (503, str(RETRY))
    body = answer.json()
    if "errors" in body:
        (error,) = body["errors"]
        assert (error["extensions"]["code"], error["extensions"]["retryAfter"]) == ("unavailable", RETRY)
        words = error["message"]
    else:
        assert body["error"]["code"] == "unavailable"
        words = body["error"]["message"]
    assert words == "The database does not answer at the moment. Try again soon."


async def assert_calls_go_on(server: Server) -> None:
    for _ in range(3):
        assert (await server.call()).status_code == 200


async def assert_changes_go_on(server: Server) -> None:
    """With the one that was told to wait."""
    assert (await server.graphql(RENAME, name="Late")).json()["data"]["createGroup"]["group"] == {"name": "Late"}


async def test_changes_wait_for_a_locked_database_and_calls_do_not(server: Server) -> None:
    assert (await server.call()).status_code == 200
    made = await server.graphql('mutation { createScimToken(name: "Okta") { secret } }')
    token = made.json()["data"]["createScimToken"]["secret"]
    async with locked(server.url):
        assert_told_to_wait(await server.graphql(RENAME, name="Late"))
        pushed = await server.scim("POST", token, {"displayName": "Late"})
        assert (pushed.status_code, pushed.headers["retry-after"]) == (503, str(RETRY))
        assert pushed.json()["detail"] == "The database does not answer at the moment. Try again soon."
        assert (await server.scim("GET", token)).status_code == 200
        assert_told_to_wait(await server.sign_in())
        # Looking goes on, and so do calls.
        assert (await server.graphql(GROUPS)).json()["data"]["groups"]["edges"]
        await assert_calls_go_on(server)
    await assert_changes_go_on(server)
    assert (await server.sign_in()).status_code == 200
    await assert_all_calls_arrived(server, 4)


@pytest.mark.parametrize("migrated_url", ["postgres"], indirect=True)
async def test_without_its_database_the_console_waits_and_calls_go_on(server: Server) -> None:
    assert (await server.call()).status_code == 200
    with gone(server.url):
        for query in (GROUPS, USAGE):
            assert_told_to_wait(await server.graphql(query))
        assert_told_to_wait(await server.graphql(RENAME, name="Late"))
        assert_told_to_wait(await server.sign_in())
        ready = await server.client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        await assert_calls_go_on(server)
    await assert_changes_go_on(server)
    await assert_all_calls_arrived(server, 4)


@pytest.mark.parametrize("migrated_url", ["postgres"], indirect=True)
async def test_changes_wait_for_a_database_that_takes_none(server: Server) -> None:
    assert (await server.call()).status_code == 200
    with only_read(server.url):
        assert_told_to_wait(await server.graphql(RENAME, name="Late"))
        assert_told_to_wait(await server.sign_in())
        assert (await server.graphql(GROUPS)).json()["data"]["groups"]["edges"]
        await assert_calls_go_on(server)
    await assert_changes_go_on(server)
    await assert_all_calls_arrived(server, 4)


async def assert_all_calls_arrived(server: Server, calls: int) -> None:
    """Once, though the first attempt may still meet a connection that was cut."""
    began_ms = int(server.container.clock.time() * 1000) - 120_000
    with suppress(Unavailable):
        await server.container.journal.flush()
    await server.container.journal.flush()
    page = await server.container.usage_reader.calls(CallFilter(), PageRequest(first=50))
    assert len([record for record, _ in page.items if record.started_ms > began_ms]) == calls
