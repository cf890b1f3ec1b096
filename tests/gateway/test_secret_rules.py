"""Secret rules at the socket: in every protocol, at once, and without a trace of what they found."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import Counter
from typing import Any

import httpx
import pytest
from sqlalchemy import inspect

from gateway.bench import (
    CHAT,
    COMPLETIONS,
    CREDENTIAL,
    EMBEDDINGS,
    GENERATE,
    MESSAGES,
    RESPONSES,
    STREAM,
    Bench,
    chat,
    completions,
    contents,
    embeddings,
    messages,
    responses,
)
from gateway.crowd import ask
from gateway.office import Office
from sluicegate.domain.secret_rule import SecretAction, SecretFinding
from sluicegate.gateway import secrets as guarding
from sluicegate.ports.pages import AuditFilter, FindingFilter, PageRequest
from sluicegate.services.secret_rules import NewSecretRule, SecretRuleChange

KEY = "AKIAIOSFODNN7EXAMPLE"
HIDDEN = "\\u0041" + KEY[1:]
GONE = "[REDACTED: AWS key]"
PATTERN = "AKIA[A-Z2-7]{16}"
SAID = f"my key is {KEY}, keep it"


def turn(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


# Path and body of a call that holds the key, in every protocol and every place that a conversation has for text.
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (CHAT, chat(messages=turn(SAID))),
    "chat parts": (CHAT, chat(messages=[{"role": "user", "content": [{"type": "text", "text": SAID}]}])),
    "chat system": (CHAT, chat(messages=[{"role": "system", "content": SAID}, *turn("hi")])),
    "chat tool result": (CHAT, chat(messages=[{"role": "tool", "tool_call_id": "call_1", "content": SAID}])),
    "chat tool call": (
        CHAT,
        chat(
            messages=[
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "run", "arguments": json.dumps({"command": SAID})},
                        }
                    ],
                }
            ]
        ),
    ),
    "chat tools": (CHAT, chat(tools=[{"type": "function", "function": {"name": "run", "description": SAID}}])),
    "chat translated": (CHAT, chat(model="team-claude", messages=turn(SAID))),
    "chat stream": (CHAT, chat(messages=turn(SAID), stream=True)),
    "messages": (MESSAGES, messages(messages=turn(SAID))),
    "messages system": (MESSAGES, messages(system=[{"type": "text", "text": SAID}])),
    "messages tool use": (
        MESSAGES,
        messages(
            messages=[
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "toolu_1", "name": "run", "input": {"a": [{"b": SAID}]}}],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}]},
            ]
        ),
    ),
    "messages tool result": (
        MESSAGES,
        messages(
            messages=[
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "toolu_1",
                            "content": [{"type": "text", "text": SAID}],
                        }
                    ],
                }
            ]
        ),
    ),
    "messages document": (
        MESSAGES,
        messages(
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": SAID}}
                    ],
                }
            ]
        ),
    ),
    "messages translated": (MESSAGES, messages(model="team-gpt", messages=turn(SAID))),
    "count tokens": (f"{MESSAGES}/count_tokens", {"model": "team-claude", "messages": turn(SAID)}),
    "responses": (RESPONSES, responses(input=SAID)),
    "responses items": (
        RESPONSES,
        responses(
            instructions="be kind",
            input=[
                {"type": "function_call", "call_id": "call_1", "name": "run", "arguments": json.dumps({"c": SAID})},
                {"type": "function_call_output", "call_id": "call_1", "output": SAID},
            ],
        ),
    ),
    "embeddings": (EMBEDDINGS, embeddings(input=["hello", SAID])),
    "completions": (COMPLETIONS, completions(prompt=SAID)),
    "gemini": (GENERATE, contents(contents=[{"role": "user", "parts": [{"text": SAID}]}])),
    "gemini system": (GENERATE, contents(systemInstruction={"parts": [{"text": SAID}]})),
    "gemini function": (
        GENERATE,
        contents(
            contents=[
                {"role": "user", "parts": [{"functionResponse": {"name": "run", "response": {"out": [SAID]}}}]},
            ]
        ),
    ),
    "gemini stream": (STREAM, contents(contents=[{"role": "user", "parts": [{"text": SAID}]}])),
}
every_call = pytest.mark.parametrize("name", CALLS)


async def make(office: Office, action: SecretAction, name: str = "AWS key", pattern: str = PATTERN) -> str:
    service = office.bench.container.services.secret_rules
    return (await service.create(office.admin, NewSecretRule(name, pattern, action))).id


async def post(bench: Bench, name: str, *, hidden: bool = False) -> httpx.Response:
    path, body = CALLS[name]
    raw = json.dumps(body)
    # An escape within an escape where the text is JSON itself.
    raw = raw.replace(KEY, HIDDEN) if hidden else raw
    return await bench.client.post(path, content=raw, headers={"content-type": "application/json"})


async def findings(bench: Bench) -> list[SecretFinding]:
    await bench.container.findings.settle()
    async with bench.container.store.read() as tx:
        page = await tx.secret_rules.page_findings(FindingFilter(), PageRequest(100))
    return [finding for finding, _ in page.items]


async def assert_kept_nowhere(bench: Bench) -> None:
    """Neither the database nor the journal holds what was found."""
    await bench.container.journal.flush()
    folder = bench.container.settings.data_dir
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert KEY.encode() not in path.read_bytes(), path
    # Not every database is in the folder.
    async with bench.container.engine.connect() as connection:
        tables = await connection.run_sync(lambda connection: inspect(connection).get_table_names())
        assert "usage_ledger" in tables, tables
        for table in tables:
            rows = (await connection.exec_driver_sql(f'SELECT * FROM "{table}"')).all()
            assert not any(KEY in repr(row) for row in rows), table


@every_call
async def test_a_blocked_call_reaches_nobody_and_costs_nothing(bench: Bench, office: Office, name: str) -> None:
    rule_id = await make(office, SecretAction.BLOCK)
    for hidden in (False, True):
        answer = await post(bench, name, hidden=hidden)
        assert answer.status_code == 400
        text = answer.text
        assert "secret_blocked" in text
        assert "AWS key" in text
        assert KEY not in text
        error = answer.json()["error"]
        if CALLS[name][0] in (MESSAGES, f"{MESSAGES}/count_tokens"):
            assert (answer.json()["type"], error["type"], error["code"]) == (
                "error",
                "invalid_request_error",
                "secret_blocked",
            )
        elif CALLS[name][0].startswith("/v1beta"):
            assert (error["status"], error["details"][0]["reason"]) == ("INVALID_ARGUMENT", "secret_blocked")
        else:
            assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "secret_blocked", None)
    await bench.assert_untouched()
    found = await findings(bench)
    one = (rule_id, SecretAction.BLOCK, json.dumps(CALLS[name][1]).count(KEY), "ada", "key-1")
    assert [(f.rule_id, f.action, f.matches, f.user_id, f.key_id) for f in found] == [one, one]
    await assert_kept_nowhere(bench)


@every_call
async def test_the_provider_gets_the_placeholder_and_all_else(bench: Bench, office: Office, name: str) -> None:
    await make(office, SecretAction.REDACT)
    plain = json.dumps(CALLS[name][1])
    for hidden in (False, True):
        bench.provider.reset()
        answer = await post(bench, name, hidden=hidden)
        assert answer.status_code == 200, answer.text
        sent = bench.provider.log[0]
        assert KEY.encode() not in sent.body
        assert HIDDEN.encode() not in sent.body
        text = json.dumps(sent.json)
        assert text.count(GONE) == plain.count(KEY)
        # The same call without a secret in it, but for the model's name.
        clean = json.loads(plain.replace(KEY, GONE))
        await office.bench.client.post(CALLS[name][0], json=clean)
        assert bench.provider.log[1].json == sent.json
    assert [(f.action, f.matches) for f in await findings(bench)] == [(SecretAction.REDACT, plain.count(KEY))] * 2
    await assert_kept_nowhere(bench)


async def test_a_logged_call_goes_out_as_it_came(bench: Bench, office: Office) -> None:
    await make(office, SecretAction.LOG)
    raw = b'{ "model":"acme-model", "messages":[{"role":"user","content":"%s \\u00e9"}] }' % KEY.encode()
    answer = await bench.client.post(CHAT, content=raw.replace(b"acme-model", b"team-gpt"))
    assert answer.status_code == 200
    assert bench.provider.log[0].json == json.loads(raw)
    (found,) = await findings(bench)
    (record,) = await bench.ledger()
    assert (found.call_id, found.model_slug, found.matches) == (record.call_id, "team-gpt", 1)
    assert (found.user_label, found.key_label) == (record.user_label, record.key_label)


async def test_blocking_goes_before_redacting_before_logging(bench: Bench, office: Office) -> None:
    service = bench.container.services.secret_rules
    await make(office, SecretAction.LOG, "logged", "AKIA")
    await make(office, SecretAction.REDACT)
    blocking = await make(office, SecretAction.BLOCK, "blocking", "AKIA[A-Z]+")
    assert (await post(bench, "chat")).status_code == 400
    assert [(f.rule_name, f.action) for f in await findings(bench)] == [("blocking", SecretAction.BLOCK)]
    await service.update(office.admin, blocking, SecretRuleChange(enabled=False))
    assert (await post(bench, "chat")).status_code == 200
    assert GONE in bench.provider.log[0].body.decode()
    assert {f.rule_name for f in await findings(bench)} == {"blocking", "AWS key", "logged"}


async def test_a_change_is_in_force_on_the_very_next_call(bench: Bench, office: Office) -> None:
    service = bench.container.services.secret_rules
    assert (await post(bench, "chat")).status_code == 200
    assert bench.container.policy.secrets is None
    rule_id = await make(office, SecretAction.BLOCK)
    assert (await post(bench, "chat")).status_code == 400
    await service.update(office.admin, rule_id, SecretRuleChange(pattern="AKIB[A-Z]+"))
    assert (await post(bench, "chat")).status_code == 200
    await service.update(office.admin, rule_id, SecretRuleChange(pattern="AKIA", action=SecretAction.REDACT))
    bench.provider.reset()
    assert (await post(bench, "chat")).status_code == 200
    assert b"AKIA" not in bench.provider.log[0].body
    await service.delete(office.admin, rule_id)
    assert bench.container.policy.secrets is None
    bench.provider.reset()
    assert (await post(bench, "chat")).status_code == 200
    assert KEY.encode() in bench.provider.log[0].body


async def test_rules_that_cannot_be_read_let_nothing_through(bench: Bench, office: Office, monkeypatch: Any) -> None:
    source = bench.container.source

    async def away() -> Any:
        raise ConnectionError("away")

    monkeypatch.setattr(source, "secret_rules", away)
    with pytest.raises(ConnectionError):
        await make(office, SecretAction.BLOCK)
    answer = await post(bench, "chat")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "temporarily_unavailable")
    await bench.assert_untouched()
    monkeypatch.undo()
    assert (await post(bench, "chat")).status_code == 400


async def test_calls_wait_for_rules_that_are_being_read(bench: Bench, office: Office, monkeypatch: Any) -> None:
    source = bench.container.source
    read, asked, gate = source.secret_rules, asyncio.Event(), asyncio.Event()

    async def late() -> Any:
        asked.set()
        await gate.wait()
        return await read()

    monkeypatch.setattr(source, "secret_rules", late)
    making = asyncio.create_task(make(office, SecretAction.BLOCK))
    await asked.wait()
    calls = [asyncio.create_task(post(bench, "chat")) for _ in range(3)]
    done, _ = await asyncio.wait(calls, timeout=0.3)
    assert not done
    gate.set()
    assert {answer.status_code for answer in await asyncio.gather(*calls)} == {400}
    await making
    await bench.assert_untouched()


async def test_a_blocked_call_is_told_of_in_the_audit_log_once(bench: Bench, office: Office) -> None:
    await make(office, SecretAction.BLOCK)
    await asyncio.gather(*(post(bench, "chat") for _ in range(10)))
    await bench.container.refusals.settle()
    async with bench.container.store.read() as tx:
        page = await tx.audit.page(AuditFilter(action="gateway.refuse"), PageRequest(10))
    (event,) = [event for event, _ in page.items]
    assert event.after["reason"] == "secret_blocked"
    assert KEY not in str(event)


async def test_what_would_have_to_be_replaced_without_end_is_refused(bench: Bench, office: Office) -> None:
    await make(office, SecretAction.REDACT, "letters", "[a-z]")
    answer = await bench.client.post(CHAT, json=chat(messages=turn("a" * 30_000)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "secret_blocked")
    assert "too often" in answer.json()["error"]["message"]
    await bench.assert_untouched()


async def test_a_large_body_is_looked_through_beside_the_loop(
    bench: Bench, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(office, SecretAction.REDACT)
    where: list[bool] = []
    look = guarding._look

    def noting(*given: Any) -> Any:
        where.append(threading.current_thread() is threading.main_thread())
        return look(*given)

    monkeypatch.setattr(guarding, "_look", noting)
    for text in ("short", "long " * 200_000):
        assert (await bench.client.post(CHAT, json=chat(messages=turn(text)))).status_code == 200
    assert where == [True, False]


@pytest.mark.timeout(300)
async def test_no_call_is_decided_by_rules_older_than_the_answer_to_their_change(bench: Bench, office: Office) -> None:
    """64 callers, while one rule goes from one action to the next and away. An eighth of them send enough to be looked
    through in a thread, which takes longer than a change."""
    service = bench.container.services.secret_rules
    outcome = {SecretAction.BLOCK: "secret_blocked", SecretAction.REDACT: "redacted", None: "as it came"}
    states: list[SecretAction | None] = [None]
    answered, stop, pause = 0, False, random.Random()
    seen: Counter[str] = Counter()
    wrong: list[str] = []
    texts = (SAID + " and so on" * 10_000, *(SAID,) * 7)

    async def caller(number: int) -> None:
        while not stop:
            # Leaves some of the loop to the changes.
            await asyncio.sleep(pause.random() / 2)
            oldest, mark = answered, f"<{number}: {seen.total()}>"
            got = await ask(bench.port, CREDENTIAL.text, chat(messages=turn(texts[number % 8]), user=mark))
            if got == "ok":
                (sent,) = [call.body for call in bench.provider.log[-500:] if mark.encode() in call.body[-200:]]
                got = "redacted" if KEY.encode() not in sent else "as it came"
            seen[got] += 1
            possible = {outcome[state] for state in states[oldest:]}
            if got not in possible:
                wrong.append(f"{got}, which only rules before number {oldest} give: {possible}")

    callers = [asyncio.create_task(caller(number)) for number in range(64)]
    for _ in range(12):
        states.append(SecretAction.BLOCK)
        rule_id = await make(office, SecretAction.BLOCK)
        answered = len(states) - 1
        await asyncio.sleep(0.05)
        states.append(SecretAction.REDACT)
        await service.update(office.admin, rule_id, SecretRuleChange(action=SecretAction.REDACT))
        answered = len(states) - 1
        await asyncio.sleep(0.05)
        states.append(None)
        await service.delete(office.admin, rule_id)
        answered = len(states) - 1
        await asyncio.sleep(0.05)
    stop = True
    await asyncio.gather(*callers)
    assert wrong == []
    assert min(seen[what] for what in outcome.values()) > 10, seen
    await bench.assert_settled()
