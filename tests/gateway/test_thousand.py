"""A thousand streams at once through a server as it is really started, and what is left of them afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import resource
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import stacks
from cli.program import Server, serving
from fakes.http_server import Connection
from fakes.provider import Exchange, Outcome, Provider
from fakes.wire import CHAT_DONE, CHAT_EVENTS, CHAT_USAGE, STREAM_HEAD, framed
from gateway.bench import CHAT, CREDENTIAL, SUBJECT, chat, populate, server_at
from sluicegate.domain.policy import Dimension
from sluicegate.domain.usage import CallRecord
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.usage import CallFilter

MANY = 1_000
# Two sockets a stream in the server; here the callers' ends and the provider's.
_FILES = 4 * MANY
# What a stream holds on to: two sockets with their buffers, a task, and the pieces that are kept for the meter.
_KB_A_STREAM = 150
_ENDS = (*CHAT_EVENTS[1:], CHAT_USAGE, CHAT_DONE)


@dataclass(frozen=True, slots=True)
class Site:
    server: Server
    provider: Provider
    folder: Path

    @property
    def port(self) -> int:
        return int(self.server.url.rpartition(":")[2])

    def facts(self) -> tuple[int, int]:
        """Open files, and kilobytes of memory, of the server's process."""
        home = Path(f"/proc/{self.server.process.pid}")
        (line,) = [line for line in (home / "status").read_text().splitlines() if line.startswith("VmRSS:")]
        return len(os.listdir(home / "fd")), int(line.split()[1])

    async def ledger(self) -> list[CallRecord]:
        """All calls, once the server has stopped."""
        assert await asyncio.to_thread(self.server.stop) == 0
        heir = server_at(self.folder)
        await heir.start()
        try:
            page = await heir.usage_reader.calls(CallFilter(), PageRequest(first=3 * MANY))
            use = await heir.admission.use_of(SUBJECT)
            assert use.used[Dimension.CONCURRENT_REQUESTS] == 0
            assert set(use.reserved.values()) <= {0}
            return [record for record, _ in page.items]
        finally:
            await heir.stop()


@pytest.fixture(autouse=True)
def enough_files() -> Iterator[None]:
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < _FILES:
        pytest.fail(f"this needs {_FILES} open files, and only {most} may be allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before, _FILES), most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    stacks.current().empty(folder)
    async with Provider() as provider:
        container = server_at(folder, allow_private_upstreams=True)
        await container.start()
        await populate(container, provider.port)
        await container.stop()
        shared = {name.upper(): value for name, value in stacks.current().settings.items()}
        with serving(folder, ALLOW_PRIVATE_UPSTREAMS="true", **shared) as server:
            yield Site(server, provider, folder)


class Held:
    """Answers that begin and fall silent until they are let go."""

    def __init__(self) -> None:
        self._let_go = asyncio.Event()

    async def answer(self, connection: Connection, exchange: Exchange) -> None:
        await connection.write(STREAM_HEAD + framed(CHAT_EVENTS[0]))
        await self._let_go.wait()
        for event in _ENDS:
            await connection.write(framed(event))
        await connection.write(b"0\r\n\r\n")

    def let_go(self) -> None:
        self._let_go.set()


Caller = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def listen(port: int) -> Caller:
    """A caller that has the first event."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps(chat(stream=True)).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CREDENTIAL.text}\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
    await reader.readuntil(CHAT_EVENTS[0])
    return reader, writer


async def a_thousand(site: Site) -> list[Caller]:
    callers = [one for _ in range(MANY // 50) for one in await asyncio.gather(*(listen(site.port) for _ in range(50)))]
    assert len(site.provider.log) == MANY + 1
    return callers


async def ask(site: Site, path: str = CHAT, body: Any = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {CREDENTIAL.text}"}
    async with httpx.AsyncClient(base_url=site.server.url, headers=headers, timeout=20) as client:
        answer = await (client.get(path) if body is None else client.post(path, json=body))
        assert answer.status_code == 200, answer.text
        return answer


async def until_closed(site: Site, files: int) -> None:
    """Until the server has no more files open than before, but for the connections that it keeps for a while."""
    async with asyncio.timeout(20):
        while site.facts()[0] > files + site.provider.open_connections + 5:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_a_thousand_streams_are_relayed_to_their_end(site: Site) -> None:
    await ask(site, body=chat())
    files, memory = site.facts()
    held = Held()
    site.provider.next(*[held.answer] * MANY)
    callers = await a_thousand(site)
    # All in silence; and whoever comes now is served as ever.
    assert site.facts()[1] - memory < MANY * _KB_A_STREAM
    await ask(site, body=chat())
    held.let_go()
    rest = await asyncio.gather(*(reader.readuntil(CHAT_DONE) for reader, _ in callers))
    assert {text.count(b"world") for text in rest} == {1}
    for _, writer in callers:
        writer.close()
    await until_closed(site, files)
    assert {exchange.outcome for exchange in site.provider.log} == {Outcome.COMPLETE}
    records = await site.ledger()
    assert len({record.call_id for record in records}) == len(records) == MANY + 2
    told = Counter((r.outcome, r.estimated, r.input_tokens, r.cache_read_tokens, r.output_tokens) for r in records)
    assert told == {("ok", False, 11, 100, 17): MANY + 2}


@pytest.mark.slow
async def test_a_thousand_callers_that_vanish_leave_nothing_behind(site: Site) -> None:
    await ask(site, body=chat())
    files, _ = site.facts()
    site.provider.next(*[Held().answer] * MANY)
    for number, (_, writer) in enumerate(await a_thousand(site)):
        if number % 2:
            writer.transport.abort()
        else:
            writer.close()
    await until_closed(site, files)
    async with asyncio.timeout(20):
        while any(exchange.outcome is Outcome.OPEN for exchange in site.provider.log):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await ask(site, body=chat())
    records = await site.ledger()
    assert len({record.call_id for record in records}) == len(records) == MANY + 2
    assert Counter(record.outcome for record in records) == {"aborted": MANY, "ok": 2}
    assert {record.estimated for record in records if record.outcome == "aborted"} == {True}
