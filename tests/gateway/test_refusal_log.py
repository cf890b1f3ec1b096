"""Keys that may not call any more are told of in the audit log when somebody uses them, but not with every call."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.bench import CREDENTIAL, NOW, Bench
from sluicegate.domain.audit import AuditEvent
from sluicegate.kit.clock import ManualClock
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.services.refusal_log import RefusalLog

CHAT = "/gateway/openai/v1/chat/completions"
BODY = {"model": "gpt-acme", "messages": [{"role": "user", "content": "Hi"}]}


async def told(bench: Bench) -> list[AuditEvent]:
    await bench.container.refusals.settle()
    async with bench.container.store.read() as tx:
        page = await tx.audit.page(AuditFilter(action="gateway.refuse"), PageRequest(100))
    return [event for event, _ in page.items]


async def call(bench: Bench, credential: str) -> int:
    headers = {"authorization": f"Bearer {credential}"}
    return (await bench.client.post(CHAT, json=BODY, headers=headers)).status_code


async def test_a_flood_with_a_revoked_key_makes_one_event(bench: Bench) -> None:
    revoked = await bench.add_key(revoked_at=NOW)
    answers = await asyncio.gather(*(call(bench, revoked.text) for _ in range(40)))
    assert set(answers) == {401}
    (event,) = await told(bench)
    assert (event.target_kind, event.actor.label) == ("api_key", "gateway")
    assert event.after["reason"] == "key_revoked"
    assert event.after["owner"].startswith("Ada")
    assert event.after["address"] == "127.0.0.1"
    assert revoked.text not in str(event)


async def test_a_suspended_person_who_calls_is_told_of(bench: Bench) -> None:
    await bench.suspend()
    for _ in range(3):
        assert await call(bench, CREDENTIAL.text) == 401
    (event,) = await told(bench)
    assert event.after["reason"] == "user_suspended"


async def test_wrong_and_unknown_keys_fill_no_log(bench: Bench) -> None:
    for credential in ("nonsense", CREDENTIAL.text[:-1] + ("x" if CREDENTIAL.text[-1] != "x" else "y")):
        assert await call(bench, credential) == 401
    assert await told(bench) == []


async def test_after_an_hour_it_is_told_again_with_what_was_left_out(bench: Bench, monkeypatch: Any) -> None:
    revoked = await bench.add_key(revoked_at=NOW)
    public_id = revoked.public_id
    clock = ManualClock(bench.container.clock.now())
    one, other = (RefusalLog(bench.container.store, clock) for _ in range(2))
    monkeypatch.setattr(bench.container.store, "_clock", clock)
    for _ in range(5):
        one.note("key_revoked", public_id, "10.0.0.1")
    await one.settle()
    other.note("key_revoked", public_id, "10.0.0.2")
    await other.settle()
    assert len(await told(bench)) == 1
    clock.advance(3601)
    one.note("key_revoked", public_id, "10.0.0.3")
    await one.settle()
    latest, first = await told(bench)
    assert (first.after["refused_since_last"], latest.after["refused_since_last"]) == (0, 4)
    one.note("key_expired", public_id, "10.0.0.3")
    await one.settle()
    assert len(await told(bench)) == 3
