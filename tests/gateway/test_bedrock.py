"""Anthropic's models on Amazon Bedrock: signed, in the path, and out of binary messages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from fakes.bedrock import (
    ACCESS,
    BEARER,
    COUNT,
    FOUNDATION,
    NEWEST,
    OWN_PROFILE,
    PROFILE,
    REGION,
    SECRET,
    Bedrock,
    answering,
    exception,
    failing,
    frame,
    piece,
    pieces,
    streaming,
)
from fakes.wire import MESSAGE_EVENTS, MESSAGE_START, message, text_delta
from gateway.bench import CHAT, MESSAGES, RESPONSES, Bench, chat, messages, responses
from gateway.test_metering import ANTHROPIC_COST, tokens
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.policy import ChangeKind, PolicyChange

pytestmark = pytest.mark.any_stack

PAIR = f"{ACCESS}:{SECRET}"
USED = (11, 100, 5, 2, 17, 4)
_CATALOG_CHANGED = PolicyChange(ChangeKind.CATALOG)
COUNT_PATH = f"{MESSAGES}/count_tokens"


@pytest.fixture
async def bedrock() -> AsyncIterator[Bedrock]:
    async with Bedrock() as provider:
        yield provider


async def _served(
    bench: Bench,
    bedrock: Bedrock,
    slug: str = "team-claude",
    *,
    model: str = PROFILE,
    credential: str = PAIR,
    capabilities: tuple[str, ...] = (),
) -> None:
    """Lets Bedrock go first for a model."""
    await bench.add_backend(
        slug,
        "aws",
        bedrock.port,
        priority=-1,
        kind=ProviderKind.BEDROCK,
        region=REGION,
        credential=credential,
        model_name=model,
        capabilities=capabilities,
    )


def _events(content: bytes) -> list[dict[str, Any]]:
    parts = content.decode().split("\n\n")
    assert parts.pop() == ""
    found = [json.loads(part.partition("\ndata: ")[2]) for part in parts]
    assert [part.partition("\n")[0] for part in parts] == [f"event: {event['type']}" for event in found]
    return found


EXPECTED = _events(b"".join(MESSAGE_EVENTS))


@pytest.mark.parametrize("model", [PROFILE, FOUNDATION, OWN_PROFILE])
async def test_a_whole_answer_is_billed_to_the_token(bench: Bench, bedrock: Bedrock, model: str) -> None:
    await _served(bench, bedrock, model=model)
    answer = await bench.client.post(MESSAGES, json=messages(temperature=0.5))
    assert answer.status_code == 200, answer.text
    assert answer.json() == message()
    assert answer.headers["x-upstream-request-id"] == "aws-request-1"
    assert not [name for name in answer.headers if name.startswith("x-amz")]
    (asked,) = bedrock.log
    path = model.replace(":", "%3A").replace("/", "%2F")
    assert asked.target == f"/model/{path}/invoke"
    assert asked.json == {
        "messages": messages()["messages"],
        "max_tokens": 64,
        "temperature": 0.5,
        "anthropic_version": "bedrock-2023-05-31",
    }
    record = await bench.only_call()
    assert (tokens(record), record.cost_nanos, record.estimated) == (USED, ANTHROPIC_COST, False)
    assert record.provider_model == model
    assert (record.outcome, record.endpoint, record.stream) == ("ok", "messages", False)


async def test_a_stream_comes_as_anthropic_sends_it(bench: Bench, bedrock: Bedrock) -> None:
    await _served(bench, bedrock)
    answer = await bench.client.post(MESSAGES, json=messages(stream=True))
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert _events(answer.content) == EXPECTED
    assert "invocationMetrics" not in answer.text
    (asked,) = bedrock.log
    assert asked.target.endswith("/invoke-with-response-stream")
    assert "stream" not in asked.json
    record = await bench.only_call()
    assert (tokens(record), record.cost_nanos, record.estimated) == (USED, ANTHROPIC_COST, False)
    assert record.outcome == "ok"
    assert record.stream


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("path", "body"), [(CHAT, chat()), (RESPONSES, responses())])
async def test_calls_of_other_protocols_are_translated(
    bench: Bench, bedrock: Bedrock, path: str, body: dict[str, Any], stream: bool
) -> None:
    await _served(bench, bedrock, "team-gpt")
    answer = await bench.client.post(path, json={**body, "stream": stream})
    assert answer.status_code == 200, answer.text
    assert ("hello " if stream else "hello from the provider") in answer.text
    (asked,) = bedrock.log
    assert asked.target.endswith("invoke-with-response-stream" if stream else "invoke")
    assert not {"model", "stream"} & asked.json.keys()
    record = await bench.only_call()
    assert (tokens(record), record.cost_nanos, record.estimated) == (USED, ANTHROPIC_COST, False)
    assert record.outcome == "ok"


@pytest.mark.parametrize(
    ("model", "capabilities"),
    [(NEWEST, ()), (OWN_PROFILE, ("adaptive-thinking", "reasoning"))],
)
@pytest.mark.parametrize(
    ("path", "body"),
    [(CHAT, chat(reasoning_effort="high")), (RESPONSES, responses(reasoning={"effort": "high"}))],
)
async def test_newest_models_get_an_effort_in_place_of_a_budget(
    bench: Bench, bedrock: Bedrock, path: str, body: dict[str, Any], model: str, capabilities: tuple[str, ...]
) -> None:
    await _served(bench, bedrock, "team-gpt", model=model, capabilities=capabilities)
    answer = await bench.client.post(path, json={**body, "temperature": 0.5})
    assert answer.status_code == 200, answer.text
    (asked,) = bedrock.log
    assert (asked.json["thinking"], asked.json["output_config"]) == ({"type": "adaptive"}, {"effort": "high"})
    assert "temperature" not in asked.json


async def test_betas_go_into_the_body_and_what_bedrock_does_not_know_stays_behind(
    bench: Bench, bedrock: Bedrock
) -> None:
    await _served(bench, bedrock)
    body = messages(
        metadata={"user_id": "u"},
        service_tier="auto",
        inference_geo={"allow": ["eu"]},
        safeguards={"cyber": "on"},
        anthropic_version="2023-06-01",
        anthropic_beta=["made-for-bedrock-2026-01-01"],
    )
    betas = [
        ("anthropic-beta", "claude-code-20250219, interleaved-thinking-2025-05-14"),
        ("anthropic-beta", "context-1m-2025-08-07,interleaved-thinking-2025-05-14"),
        ("x-stainless-lang", "js"),
        ("user-agent", "claude-cli/2.1.330"),
    ]
    answer = await bench.client.post(MESSAGES, json=body, headers=betas)
    assert answer.status_code == 200, answer.text
    (asked,) = bedrock.log
    assert asked.json["anthropic_beta"] == [
        "made-for-bedrock-2026-01-01",
        "interleaved-thinking-2025-05-14",
        "context-1m-2025-08-07",
    ]
    assert asked.header("anthropic-beta") is None
    assert asked.header("x-stainless-lang") is None
    assert asked.header("user-agent") == "claude-cli/2.1.330"


async def test_temporary_keys_are_sent_with_their_token(bench: Bench) -> None:
    async with Bedrock(session="FwoGZXIvYXdzEJr+/=:x") as bedrock:
        await _served(bench, bedrock, credential=f"{PAIR}:FwoGZXIvYXdzEJr+/=:x")
        assert (await bench.client.post(MESSAGES, json=messages())).status_code == 200
        assert bedrock.refusals == 0


async def test_an_api_key_is_sent_as_a_bearer(bench: Bench, bedrock: Bedrock) -> None:
    await _served(bench, bedrock, credential=BEARER)
    assert (await bench.client.post(MESSAGES, json=messages(stream=True))).status_code == 200
    assert bedrock.log[0].header("authorization") == f"Bearer {BEARER}"
    assert bedrock.log[0].header("x-amz-date") is None


async def test_a_wrong_secret_is_told_in_the_dialect_and_costs_nothing(bench: Bench, bedrock: Bedrock) -> None:
    await _served(bench, bedrock, credential=f"{ACCESS}:wrong")
    answer = await bench.client.post(MESSAGES, json=messages())
    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "permission_error"
    assert "signature" in answer.json()["error"]["message"]
    assert bedrock.refusals == 1
    record = await bench.only_call()
    assert (record.outcome, record.cost_nanos) == ("upstream_error", 0)


async def test_a_prompt_that_is_too_long_is_told_in_the_words_that_clients_know(bench: Bench, bedrock: Bedrock) -> None:
    await _served(bench, bedrock)
    bedrock.next(failing(400, "ValidationException", "Input is too long for requested model."))
    answer = await bench.client.post(MESSAGES, json=messages())
    assert answer.status_code == 400
    error = {"type": "invalid_request_error", "message": "prompt is too long: Input is too long for requested model."}
    assert answer.json() == {"type": "error", "error": error}


@pytest.mark.parametrize(
    "trouble",
    [
        failing(429, "ThrottlingException", "Too many requests"),
        failing(503, "ServiceUnavailableException", "busy"),
        failing(408, "ModelTimeoutException", "too slow"),
        failing(424, "ModelErrorException", "broken"),
        streaming(exception("throttlingException", "Too many tokens")),
        streaming(exception("serviceUnavailableException", "busy")),
        streaming(frame({":message-type": "error", ":error-code": "InternalError", ":error-message": "x"}, "")),
        streaming(b"\0" * 40),
        streaming(),
    ],
)
async def test_trouble_before_the_first_event_goes_to_the_next_backend(
    bench: Bench, bedrock: Bedrock, trouble: Any
) -> None:
    await _served(bench, bedrock)
    bedrock.next(trouble)
    answer = await bench.client.post(MESSAGES, json=messages(stream=True))
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"event: message_start")
    assert (len(bedrock.log), len(bench.provider.log)) == (1, 1)
    record = await bench.only_call()
    assert (record.provider_name, record.outcome) == ("zeta", "ok")


@pytest.mark.parametrize(
    ("kind", "status", "named"),
    [("throttlingException", 429, "rate_limit_error"), ("validationException", 400, "invalid_request_error")],
)
async def test_an_exception_in_place_of_a_stream_is_an_error_with_a_status(
    bench: Bench, bedrock: Bedrock, kind: str, status: int, named: str
) -> None:
    await _served(bench, bedrock, "team-gpt")
    await bench.client.post(MESSAGES, json=messages())
    await _only_bedrock(bench, "team-gpt")
    bedrock.next(streaming(exception(kind, "no")))
    answer = await bench.client.post(MESSAGES, json=messages(model="team-gpt", stream=True))
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, named)
    assert answer.json()["error"]["message"] == f"{kind}: no"


async def _only_bedrock(bench: Bench, slug: str) -> None:
    async with bench.container.store.write() as tx:
        model = await tx.catalog.model_by_slug(slug)
        assert model is not None
        kept = tuple(backend for backend in model.backends if backend.priority == -1)
        await tx.catalog.replace_backends(replace(model, backends=kept))
        tx.changed(_CATALOG_CHANGED)


@pytest.mark.parametrize("path", [MESSAGES, CHAT, RESPONSES])
async def test_an_exception_inside_a_stream_is_told_in_the_callers_dialect(
    bench: Bench, bedrock: Bedrock, path: str
) -> None:
    await _served(bench, bedrock, "team-gpt")
    bedrock.next(
        streaming(*pieces([MESSAGE_START, text_delta("hello ")]), exception("modelStreamErrorException", "gone"))
    )
    body = responses(stream=True) if path == RESPONSES else {**messages(model="team-gpt"), "stream": True}
    answer = await bench.client.post(path, json=body)
    assert answer.status_code == 200
    last = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")][-1]
    if path == MESSAGES:
        assert last == {
            "type": "error",
            "error": {"type": "api_error", "message": "modelStreamErrorException: gone"},
        }
    elif path == CHAT:
        assert last["error"]["message"] == "modelStreamErrorException: gone"
    else:
        assert last["type"] == "response.failed"
    record = await bench.only_call()
    assert (record.outcome, record.input_tokens, record.output_tokens) == ("upstream_error", 11, 2)
    assert len(bedrock.log) == 1


async def test_a_stream_of_nothing_is_an_error_with_a_status_and_costs_nothing(bench: Bench, bedrock: Bedrock) -> None:
    await _served(bench, bedrock, "team-gpt")
    await _only_bedrock(bench, "team-gpt")
    bedrock.next(streaming())
    answer = await bench.client.post(MESSAGES, json=messages(model="team-gpt", stream=True))
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
    record = await bench.only_call()
    assert (record.outcome, record.input_tokens, record.cost_nanos) == ("unreachable", 0, 0)


def _damaged() -> bytes:
    data = bytearray(piece({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}}))
    data[-20] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("rest", "ends"), [(_damaged(), True), (_damaged()[:-5], True), (b"", True), (b"", False), (_damaged()[:5], False)]
)
async def test_a_stream_that_is_damaged_or_cut_ends_with_an_error(
    bench: Bench, bedrock: Bedrock, rest: bytes, ends: bool
) -> None:
    await _served(bench, bedrock)
    bedrock.next(streaming(*pieces([MESSAGE_START, text_delta("hello ")]), rest, ends=ends))
    answer = await bench.client.post(MESSAGES, json=messages(stream=True))
    found = _events(answer.content)
    assert [event["type"] for event in found] == ["message_start", "content_block_delta", "error"]
    assert found[-1]["error"]["code"] == "upstream_unavailable"
    record = await bench.only_call()
    assert (record.outcome, record.estimated, record.input_tokens) == ("upstream_error", True, 11)


async def test_counting_asks_bedrock_for_the_foundation_model(bench: Bench, bedrock: Bedrock) -> None:
    await _served(bench, bedrock, model=f"global.{FOUNDATION}")
    body = {k: v for k, v in messages().items() if k != "max_tokens"}
    answer = await bench.client.post(COUNT_PATH, json=body)
    assert answer.json() == {"input_tokens": COUNT}
    (asked,) = bedrock.log
    assert asked.target == f"/model/{FOUNDATION.replace(':', '%3A')}/count-tokens"
    thinking = {"type": "enabled", "budget_tokens": 2000}
    assert (await bench.client.post(COUNT_PATH, json={**body, "thinking": thinking})).json() == {"input_tokens": COUNT}
    assert await bench.ledger() == []


@pytest.mark.parametrize("asks", [True, False])
async def test_what_bedrock_does_not_count_is_estimated(bench: Bench, bedrock: Bedrock, asks: bool) -> None:
    await _served(bench, bedrock, "team-gpt", model=FOUNDATION if asks else OWN_PROFILE)
    await _only_bedrock(bench, "team-gpt")
    bedrock.next(failing(400, "ValidationException", "The provided model doesn't support counting tokens."))
    body = json.dumps(messages(model="team-gpt")).encode()
    answer = await bench.client.post(COUNT_PATH, content=body)
    assert answer.json() == {"input_tokens": len(body) // 3}
    assert len(bedrock.log) == asks


async def test_an_answer_that_is_no_message_is_refused(bench: Bench, bedrock: Bedrock) -> None:
    await _served(bench, bedrock)
    bedrock.next(answering("not an answer"))
    answer = await bench.client.post(MESSAGES, json=messages())
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
