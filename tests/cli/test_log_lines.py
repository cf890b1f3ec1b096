"""What a server writes to standard error about calls, against its answers and its ledger."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from cli.program import serving
from databases import sqlite_database
from fakes.provider import Provider
from fakes.script import Step, broken_json
from faults.ledger import ledger_of
from gateway.bench import CHAT, CREDENTIAL, chat, populate
from sluicegate.container import Container
from sluicegate.settings import load

# What happens to a call, what is asked, and what is said about it.
CASES = (
    (Step(), {}, None),
    (Step(status=503), {}, "gateway.backend_refused"),
    # Once on a connection that was kept, and once more on a new one.
    (Step(hang_up=True, times=2), {}, "gateway.backend_failed"),
    (broken_json(), {}, "gateway.answer_unfit"),
    (Step(cut_after=200), {"stream": True}, "gateway.stream_broken_off"),
    (Step(), {"stream": True}, None),
)


async def test_each_line_is_json_and_has_the_id_that_caller_and_ledger_have(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    database = sqlite_database(folder / "sluicegate.db")
    headers = {"authorization": f"Bearer {CREDENTIAL.text}"}
    async with Provider() as provider:
        container = Container(load({}, data_dir=folder), "http://127.0.0.1")
        await populate(container, provider.port)
        await container.stop()
        starting = serving(folder, ALLOW_PRIVATE_UPSTREAMS="true")
        server = await asyncio.to_thread(starting.__enter__)
        try:
            expected: list[tuple[str, str]] = []
            ids: list[str] = []
            async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
                for step, values, event in CASES:
                    provider.next(step)
                    answer = await client.post(CHAT, json=chat(**values))
                    ids.append(answer.headers["x-request-id"])
                    if event is not None:
                        expected.append((event, ids[-1]))
            assert await asyncio.to_thread(server.stop) == 0
        finally:
            await asyncio.to_thread(starting.__exit__, None, None, None)
    lines = server.log()
    assert [(one["event"], one["request_id"]) for one in lines if one["event"].startswith("gateway.")] == expected
    assert all({"event", "level", "timestamp"} <= one.keys() for one in lines)
    assert sorted(record.call_id for record in ledger_of(database)) == sorted(ids)


async def test_a_web_socket_that_is_refused_is_no_fault(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    starting = serving(folder)
    server = await asyncio.to_thread(starting.__enter__)
    try:
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.url.replace("http", "ws", 1) + "/v1/responses", proxy=None)
        assert refused.value.response.status_code == 426
        assert await asyncio.to_thread(server.stop) == 0
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)
    assert [line for line in server.log() if line["level"] in ("error", "critical")] == []
