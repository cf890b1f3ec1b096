"""The shipped Caddyfile in a real Caddy, in front of two real servers that share PostgreSQL and Redis."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cli.program import PASSWORD, PATIENCE, Server, serving
from databases import PostgresTemplate
from deployment.files import COMPOSE
from deployment.programs import program
from fakes.http_server import Connection
from fakes.provider import Exchange, Outcome
from fakes.script import Step
from faults.crowd import Bookkeeper, Crowd, compare
from faults.ledger import ledger_of
from gateway.bench import CHAT, CREDENTIAL, chat, populate
from sluicegate.container import Container
from sluicegate.settings import load

pytestmark = pytest.mark.slow

_ADMIN = "root@example.com"
_KEK = "ab" * 32
_HEADERS = {"authorization": f"Bearer {CREDENTIAL.text}"}
_LARGEST = 65_536
# Several of Caddy's looks at /readyz.
_DRAIN = "5"


@dataclass
class Site:
    """`url` is Caddy's; `trust` knows the authority that it made for itself."""

    url: str
    trust: ssl.SSLContext
    servers: list[Server]
    provider: Bookkeeper
    database: str
    proxy_log: Path

    def client(self, **values: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, headers=_HEADERS, timeout=60, verify=self.trust, **values)


@pytest.fixture
async def site(
    tmp_path: Path, postgres_schema: PostgresTemplate, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    program("caddy")
    database = postgres_schema.restored()
    async with Bookkeeper() as provider:
        settings = load({}, data_dir=tmp_path / "made", database_url=database, kek_primary=_KEK)
        container = Container(settings, "http://127.0.0.1")
        await populate(container, provider.port)
        await container.stop()
        values = {
            "DATABASE_URL": database,
            "REDIS_URL": redis_url,
            "REDIS_PREFIX": f"test-{uuid4().hex}",
            "KEK_PRIMARY": _KEK,
            "ALLOW_PRIVATE_UPSTREAMS": "true",
            "MAX_BODY_BYTES": str(_LARGEST),
            "DRAIN_SECONDS": _DRAIN,
            "ADMIN_EMAIL": _ADMIN,
            "ADMIN_PASSWORD": PASSWORD,
        }
        with ExitStack() as stack:
            # Both at once, as they are started everywhere.
            starts = (serving(tmp_path / name, **values) for name in ("one", "two"))
            servers = await asyncio.gather(*(asyncio.to_thread(stack.enter_context, start) for start in starts))
            url, authority = await asyncio.to_thread(stack.enter_context, _caddy(tmp_path / "caddy", servers))
            # For callers who are told of no other authority.
            monkeypatch.setenv("SSL_CERT_FILE", str(authority))
            yield Site(
                url, ssl.create_default_context(cafile=authority), servers, provider, database, tmp_path / "caddy/log"
            )


@contextmanager
def _caddy(folder: Path, servers: list[Server]) -> Iterator[tuple[str, Path]]:
    """Its address and the certificate of its authority, once it answers."""
    folder.mkdir()
    ports = _free_ports(2)
    places = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    variables = {
        "SITE_ADDRESS": "localhost",
        "HTTP_PORT": str(ports[0]),
        "HTTPS_PORT": str(ports[1]),
        "GATEWAYS": " ".join(server.url.removeprefix("http://") for server in servers),
    }
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(COMPOSE / "Caddyfile")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | places | variables, stdout=log, stderr=log)
    url, authority = f"https://localhost:{ports[1]}", folder / "caddy/pki/authorities/local/root.crt"
    try:
        _until_up(url, authority, process, folder / "log")
        yield url, authority
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [probe.getsockname()[1] for probe in probes]


def _until_up(url: str, authority: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError, OSError):
            if httpx.get(f"{url}/readyz", verify=ssl.create_default_context(cafile=authority)).is_success:
                return
        time.sleep(0.05)
    raise AssertionError(f"status {process.returncode}: {log.read_text()}")


async def test_a_gateway_stops_under_load_and_no_caller_notices(site: Site) -> None:
    crowd, (one, two) = Crowd(), site.servers
    async with crowd.calling(site.url):
        await crowd.until_answered(50)
        assert await asyncio.to_thread(one.stop) == 0
        await crowd.until_answered(50)
    assert (crowd.lost, crowd.refused) == (set(), {})
    assert await asyncio.to_thread(two.stop) == 0
    compare(site.provider, crowd, ledger_of(site.database))


async def test_a_gateway_that_dies_costs_a_moment(site: Site) -> None:
    crowd, (one, _) = Crowd(), site.servers
    async with crowd.calling(site.url):
        await crowd.until_answered(30)
        await asyncio.to_thread(one.stop, signal.SIGKILL)
        failed = -1
        async with asyncio.timeout(PATIENCE):
            while failed != (failed := len(crowd.lost) + len(crowd.refused)):
                await crowd.until_answered(100)
    assert {*crowd.refused.values()} <= {502, 503}
    assert failed < len(crowd.answered) / 2


async def test_no_key_gets_into_the_log_of_the_proxy(site: Site) -> None:
    for server in site.servers:
        await asyncio.to_thread(server.stop, signal.SIGKILL)
    async with site.client() as client:
        for _ in range(2):
            answer = await client.post(
                f"{CHAT}?key={CREDENTIAL.text}", json=chat(), headers={"x-api-key": CREDENTIAL.text}
            )
            assert answer.status_code in (502, 503)
    logged = site.proxy_log.read_text()
    assert CHAT in logged
    assert CREDENTIAL.secret not in logged


async def test_events_come_through_as_the_provider_sends_them(site: Site) -> None:
    last = asyncio.Event()
    first, second = _event("Hel"), _event("lo.") + b"data: [DONE]\n\n"

    async def haltingly(connection: Connection, _: Exchange) -> None:
        await connection.send_head(200, [(b"content-type", b"text/event-stream")], length=None, chunked=True)
        await connection.send(first, only=len(first))
        await last.wait()
        await connection.send(second, only=len(second))
        await connection.finish(keep_open=True)

    site.provider.next(haltingly)
    async with site.client() as client, client.stream("POST", CHAT, json=chat(stream=True, user="1")) as answer:
        pieces = answer.aiter_text()
        begun = ""
        while "Hel" not in begun:
            begun += await anext(pieces)
        assert site.provider.log[0].outcome is Outcome.OPEN
        last.set()
        rest = "".join([piece async for piece in pieces])
    assert "lo." in rest
    assert rest.endswith("data: [DONE]\n\n")


async def test_a_caller_who_leaves_is_noticed_behind_the_proxy(site: Site) -> None:
    site.provider.next(Step(endless="events"))
    async with site.client() as client:
        async with client.stream("POST", CHAT, json=chat(stream=True, user="1")) as answer:
            await anext(answer.aiter_bytes())
        assert await site.provider.log[0].ended(seconds=30) is Outcome.DISCONNECTED


async def test_servers_know_where_callers_are(site: Site) -> None:
    """Otherwise whoever tries out passwords would slow down everybody."""
    elsewhere = httpx.AsyncHTTPTransport(verify=site.trust, local_address="127.0.0.2")
    headers = {"x-forwarded-for": "192.0.2.1", "x-sluicegate-csrf": "1"}
    async with httpx.AsyncClient(base_url=site.url, transport=elsewhere, headers=headers, timeout=60) as client:
        signed_in = await client.post("/auth/sign-in", json={"email": _ADMIN, "password": PASSWORD})
        assert signed_in.status_code == 200
        answer = await client.post("/graphql", json={"query": "{ sessions { address } }"})
    assert answer.json()["data"] == {"sessions": [{"address": "127.0.0.2"}]}


async def test_what_is_too_large_is_refused_in_the_words_of_the_gateway(site: Site) -> None:
    large = chat(messages=[{"role": "user", "content": "x" * _LARGEST}])
    async with site.client() as client:
        refused = await client.post(CHAT, json=large)
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "invalid_request")


def _event(text: str) -> bytes:
    event = {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]}
    return b"data: " + json.dumps(event).encode() + b"\n\n"
