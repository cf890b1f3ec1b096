"""Calls without ASGI whose decision has to be waited for."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gateway.bench import CHAT, Bench, chat
from gateway.test_direct import answer_on, connected, request_of, revoke, warmed


class Undecided:
    """Decisions of a server, each of which has to be waited for until they are `open`."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        policy = bench.container.policy
        self.asked, self.open = asyncio.Event(), asyncio.Event()
        decide = policy.admit

        async def late(*values: Any) -> Any:
            self.asked.set()
            await self.open.wait()
            return await decide(*values)

        monkeypatch.setattr(policy, "admit_now", lambda *_: None)
        monkeypatch.setattr(policy, "admit", late)


async def test_a_decision_that_takes_a_while_keeps_the_order_of_calls(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await warmed(bench)
    undecided = Undecided(bench, monkeypatch)
    async with connected(bench) as (reader, writer):
        bodies = [chat(), chat(model="secret-model"), chat()]
        writer.write(b"".join(request_of(bench, body) for body in bodies))
        await undecided.asked.wait()
        assert len(bench.provider.log) == 2
        undecided.open.set()
        assert [(await answer_on(reader))[0] for _ in bodies] == [200, 403, 200]
    assert len(await bench.ledger()) == 4
    await bench.assert_settled()


async def test_a_caller_who_leaves_before_the_decision_costs_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await warmed(bench)
    undecided = Undecided(bench, monkeypatch)
    given_back, cancel = asyncio.Event(), bench.container.policy.cancel
    monkeypatch.setattr(bench.container.policy, "cancel", lambda taken: (cancel(taken), given_back.set()))
    async with connected(bench) as (_, writer):
        writer.write(request_of(bench, chat()))
        await undecided.asked.wait()
    async with asyncio.timeout(5):
        while bench.server.server_state.connections:
            await bench.client.aclose()
            await asyncio.sleep(0.01)
    undecided.open.set()
    await asyncio.wait_for(given_back.wait(), 5)
    await bench.assert_settled()
    assert len(bench.provider.log) == len(await bench.ledger()) == 2


async def test_a_key_that_is_revoked_before_the_decision_opens_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await warmed(bench)
    undecided = Undecided(bench, monkeypatch)
    async with connected(bench) as (reader, writer):
        writer.write(request_of(bench, chat()))
        await undecided.asked.wait()
        await revoke(bench)
        undecided.open.set()
        status, _, body = await answer_on(reader)
    assert (status, json.loads(body)["error"]["code"]) == (401, "key_revoked")
    assert len(bench.provider.log) == 2
    await bench.assert_settled()


async def test_a_decision_that_fails_is_no_verdict(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await warmed(bench)

    async def fails(*_: Any) -> Any:
        raise RuntimeError("no decision")

    monkeypatch.setattr(bench.container.policy, "admit_now", lambda *_: None)
    monkeypatch.setattr(bench.container.policy, "admit", fails)
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "temporarily_unavailable")
    await bench.assert_settled()
