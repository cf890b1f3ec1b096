"""A gateway that is killed in the middle of calls: every call that a provider saw is in the ledger, once."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import httpx
import pytest

import stacks
from gateway.bench import CHAT, CREDENTIAL, MESSAGES, SUBJECT, Bench, chat, messages, server_at
from sluicegate.container import Container
from sluicegate.domain.usage import CallRecord
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.usage import CallFilter

_SERVE = """
import asyncio, json, sys, uvicorn
from pathlib import Path
from sluicegate.container import Container
from sluicegate.settings import load

async def main():
    settings = load({}, data_dir=sys.argv[1], allow_private_upstreams=True, **json.loads(sys.argv[2]))
    container = Container(settings, "http://127.0.0.1")
    await container.start()
    config = uvicorn.Config(container.gateway, port=0, lifespan="off", log_level="error", access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await serving

asyncio.run(main())
"""


async def _port_of(process: Process) -> int:
    """The last thing that a start prints."""
    assert process.stdout is not None
    async for line in process.stdout:
        if line.strip().isdigit():
            return int(line)
    raise AssertionError("the gateway did not start")


async def _call_until_it_dies(port: int) -> int:
    """How many calls were answered to their end."""
    answered = 0
    headers = {"authorization": f"Bearer {CREDENTIAL.text}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) as client:
        while True:
            try:
                for path, body in ((CHAT, chat()), (MESSAGES, messages(stream=True)), (CHAT, chat(stream=True))):
                    answer = await client.post(path, json=body)
                    assert answer.status_code == 200, answer.text
                    answered += 1
            except httpx.TransportError:
                return answered


async def _whole_ledger(container: Container) -> list[CallRecord]:
    records: list[CallRecord] = []
    after: str | None = None
    while True:
        page = await container.usage_reader.calls(CallFilter(), PageRequest(first=100, after=after))
        records += [record for record, _ in page.items]
        if not page.has_next:
            return records
        after = page.items[-1][1]


@pytest.mark.parametrize("calls", [20, 150])
async def test_a_killed_gateway_accounts_for_every_call(bench: Bench, tmp_path: Path, calls: int) -> None:
    arguments = ("-c", _SERVE, str(tmp_path), json.dumps(stacks.current().settings))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE)
    try:
        port = await _port_of(process)
        callers = [asyncio.create_task(_call_until_it_dies(port)) for _ in range(8)]
        async with asyncio.timeout(30):
            while len(bench.provider.log) < calls:  # noqa: ASYNC110 - the provider signals nobody
                await asyncio.sleep(0.001)
    finally:
        process.kill()
        await process.wait()
    answered = sum(await asyncio.gather(*callers))
    assert answered > 0
    heir = server_at(tmp_path)
    await heir.start()
    try:
        ledger = await _whole_ledger(heir)
        finished = [r for r in ledger if r.outcome == "ok"]
        assert len(ledger) >= len(bench.provider.log)
        assert len({r.call_id for r in ledger}) == len(ledger)
        assert len(finished) >= answered
        # Those that were written down but had not reached the provider yet.
        assert len(ledger) - len(bench.provider.log) <= len(callers)
        # What an estimate comes to, no price list says.
        assert all((r.price_list_id is None) == r.estimated for r in ledger)
        assert {r.outcome for r in ledger if r.estimated} <= {"recovered"}
        use = await heir.admission.use_of(SUBJECT)
        assert max(use.spent.values()) == sum(r.cost_nanos for r in ledger)
    finally:
        await heir.stop()
