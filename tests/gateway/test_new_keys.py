"""Keys that the gateway has not seen before, more at once than it can check."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest

from gateway.bench import CHAT, Bench, chat
from sluicegate.domain.apikey import new_credential
from sluicegate.policy import known, throttle

# One address may have 30 looked at.
_AT_ONCE = 30


async def _asked(bench: Bench, key: str) -> httpx.Response:
    return await bench.client.post(CHAT, json=chat(), headers={"authorization": f"Bearer {key}"})


async def test_right_keys_of_one_address_wait_or_are_told_to_and_never_taken_for_wrong(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart, behind one proxy, on a machine too slow to check them all in time."""
    gate, verify = threading.Event(), known.verify_hash

    def held(hashed: str, secret: str) -> bool:
        gate.wait()
        return verify(hashed, secret)

    keys = [(await bench.add_key()).text for _ in range(_AT_ONCE + 15)]
    monkeypatch.setattr(known, "verify_hash", held)
    with monkeypatch.context() as impatient:
        impatient.setattr(throttle, "_PATIENCE_SECONDS", 0.2)
        asking = {asyncio.create_task(_asked(bench, key)): key for key in keys}
        waiting, told = set(asking), list[str]()
        try:
            while len(told) < 15:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    answer = task.result()
                    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "temporarily_unavailable")
                    assert int(answer.headers["retry-after"]) >= 1
                    told.append(asking[task])
        finally:
            gate.set()
        assert {task.result().status_code for task in (await asyncio.wait(waiting))[0]} == {200}
    # And whoever does as told, or is looked at in time, is let in.
    answers = await asyncio.gather(*(_asked(bench, key) for key in told))
    assert {answer.status_code for answer in answers} == {200}
    assert len(bench.provider.log) == len(keys)


async def test_right_keys_do_not_count_as_wrong_ones(bench: Bench) -> None:
    """Whatever is in flight, 30 that are wrong are looked at in a minute, and no right one is one of them."""
    keys = [(await bench.add_key()).text for _ in range(20)]
    wrong = [new_credential().text for _ in keys]
    answers = await asyncio.gather(*(_asked(bench, key) for pair in zip(keys, wrong, strict=True) for key in pair))
    assert [answer.status_code for answer in answers] == [200, 401] * len(keys)
