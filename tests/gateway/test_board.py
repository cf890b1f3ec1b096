"""What is remembered of refusals: bounded, fair, and without what they were about."""

from __future__ import annotations

import gc

import pytest

from gateway.bench import CHAT, CREDENTIAL, MESSAGES, Bench, chat, messages
from sluicegate.ports.live import RefusedCall

pytestmark = pytest.mark.any_stack


async def refused(bench: Bench, user_id: str | None = None) -> list[RefusedCall]:
    return await bench.container.gateway.board.refused(user_id, 500)


async def test_the_self_test_leaves_no_refusal(bench: Bench) -> None:
    assert await refused(bench) == []
    assert await bench.container.gateway.board.refusals() == (0, 0)


async def test_every_way_of_being_refused_is_told_once(bench: Bench) -> None:
    extra = await bench.add_key()
    await bench.client.post(CHAT, json=chat(), headers={"authorization": "Bearer sg_wrong"})
    await bench.client.post(CHAT, json=chat(model="no-such-model"))
    await bench.client.post(
        MESSAGES, json=messages(model="secret-model"), headers={"authorization": "", "x-api-key": extra.text}
    )
    await bench.client.post(f"{MESSAGES}/count_tokens", json=messages(model="secret-model"))
    await bench.client.post(CHAT, content=b"{")
    await bench.client.get("/v1/nothing")
    bench.provider.down = True
    await bench.move_providers(9)
    await bench.client.post(CHAT, json=chat())
    await bench.client.post(CHAT, json=chat(stream=True))
    await bench.suspend()
    await bench.client.post(CHAT, json=chat())
    told = [
        (call.code, call.user_id, call.key and call.key.split(" ")[0], call.model, call.count)
        for call in await refused(bench)
    ]
    assert told == [
        ("user_suspended", "ada", "laptop", None, 1),
        ("upstream_unavailable", "ada", "laptop", "team-gpt", 2),
        ("invalid_request", "ada", "laptop", None, 1),
        ("model_not_granted", "ada", "laptop", "secret-model", 1),
        ("model_not_granted", "ada", "extra", "secret-model", 1),
        ("model_not_found", "ada", "laptop", "no-such-model", 1),
        ("invalid_api_key", None, None, None, 1),
    ]
    assert [call.code for call in await refused(bench, "ada")] == [code for code, user, *_ in told if user == "ada"]
    assert await refused(bench, "otto") == []


async def test_one_caller_pushes_nobody_else_out(bench: Bench) -> None:
    extra = await bench.add_key()
    await bench.client.post(CHAT, json=chat(model="mine"), headers={"authorization": f"Bearer {extra.text}"})
    for number in range(60):
        await bench.client.post(CHAT, json=chat(model=f"made-up-{number}"))
    models = [call.model for call in await refused(bench)]
    assert models == [*(f"made-up-{number}" for number in range(59, 9, -1)), "mine"]
    assert (await bench.container.gateway.board.refusals())[1] == 61


async def test_what_was_refused_is_not_kept(bench: Bench) -> None:
    mark = "a prompt that nobody may keep"
    await bench.client.post(CHAT, json=chat(model="made-up", messages=[{"role": "user", "content": mark * 1000}]))
    assert [call.model for call in await refused(bench)] == ["made-up"]
    gc.collect()
    kept = [o for o in gc.get_objects() if isinstance(o, BaseException) and getattr(o, "model", None) == "made-up"]
    assert kept == []
    assert CREDENTIAL.text not in repr(await refused(bench))
