"""Gemini's API, passed through: the model in the path, the key in the query, usage at the end of the stream."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from fakes.provider import Outcome
from fakes.script import Step
from fakes.wire import GEMINI_EVENTS, GEMINI_USAGE, events, gemini_piece, generated, stalls, whole
from gateway.bench import CHAT, CREDENTIAL, GENERATE, STREAM, Bench, chat, contents
from gateway.test_metering import tokens
from gateway.test_refusals import bare, openai_error
from gateway.test_streams import read_some
from sluicegate.domain.policy import ChangeKind, Dimension, PolicyChange
from sluicegate.kit.money import Nanos

pytestmark = pytest.mark.any_stack

COUNT = "/v1beta/models/team-gemini:countTokens"
# Nothing is written to the cache by a call: what the others count as written is read as input here.
COST = 18 * 3_000 + 100 * 300 + 17 * 15_000


def gemini_error(answer: httpx.Response) -> dict[str, Any]:
    assert set(answer.json()) == {"error"}
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == answer.status_code
    return error


def reason(answer: httpx.Response) -> str:
    """Our own stable code."""
    info: dict[str, Any] = gemini_error(answer)["details"][0]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    return info["reason"]


@pytest.mark.parametrize("root", ["", "/gateway/gemini"])
async def test_a_whole_answer_is_billed_to_the_token(bench: Bench, root: str) -> None:
    bench.provider.next(whole(generated()))
    config = b'{"temperature": 1.50,\n "topK":  3}'
    raw = b'{ "contents": %s, "generationConfig": %s }' % (json.dumps(contents()["contents"]).encode(), config)
    answer = await bench.client.post(root + GENERATE, content=raw)
    assert answer.json() == generated()
    asked = bench.provider.log[0]
    assert asked.target == "/v1beta/models/goo-model:generateContent"
    # Each value as it came.
    assert json.loads(asked.body) == json.loads(raw)
    assert config in asked.body
    assert asked.header("x-goog-api-key") == "sk-goo"
    assert asked.header("authorization") is None
    record = await bench.only_call()
    assert tokens(record) == (18, 100, 0, 0, 17, 4)
    assert (record.cost_nanos, record.estimated, record.endpoint) == (COST, False, "generate_content")
    assert (record.model_slug, record.provider_model, record.stream) == ("team-gemini", "goo-model", False)


async def test_a_stream_passes_byte_for_byte(bench: Bench) -> None:
    bench.provider.next(events(*GEMINI_EVENTS))
    answer = await bench.client.post(STREAM, json=contents())
    assert answer.content == b"".join(GEMINI_EVENTS)
    assert bench.provider.log[0].target == "/v1beta/models/goo-model:streamGenerateContent?alt=sse"
    record = await bench.only_call()
    assert (tokens(record), record.cost_nanos) == ((18, 100, 0, 0, 17, 4), COST)
    assert (record.outcome, record.estimated, record.stream) == ("ok", False, True)


async def test_a_stream_that_is_one_json_list_is_billed_by_its_last_piece(bench: Bench) -> None:
    answer = await bench.client.post(STREAM.removesuffix("?alt=sse"), json=contents())
    pieces = answer.json()
    assert "".join(p["candidates"][0]["content"]["parts"][0]["text"] for p in pieces) == "hello from the provider"
    assert tokens(await bench.only_call()) == (18, 100, 0, 0, 17, 4)


async def test_what_tools_returned_is_input_beside_the_prompt(bench: Bench) -> None:
    usage = {**GEMINI_USAGE, "toolUsePromptTokenCount": 50, "totalTokenCount": 185}
    bench.provider.next(whole(generated(usageMetadata=usage)))
    await bench.client.post(GENERATE, json=contents())
    assert tokens(await bench.only_call()) == (68, 100, 0, 0, 17, 4)


async def test_a_blocked_prompt_costs_its_input(bench: Bench) -> None:
    usage = {"promptTokenCount": 9, "totalTokenCount": 9}
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage}
    bench.provider.next(whole(blocked), events(b"data: %s\n\n" % json.dumps(blocked).encode()))
    assert (await bench.client.post(GENERATE, json=contents())).json() == blocked
    await bench.client.post(STREAM, json=contents())
    records = await bench.ledger()
    assert [(r.outcome, r.estimated, tokens(r)) for r in records] == [("ok", False, (9, 0, 0, 0, 0, 0))] * 2


async def test_a_caller_who_leaves_pays_for_what_flowed(bench: Bench) -> None:
    piece = gemini_piece("a" * 400)
    bench.provider.next(stalls(piece))
    async with bench.client.stream("POST", STREAM, json=contents()) as answer:
        await read_some(answer, len(piece))
    assert await bench.provider.log[-1].ended() is Outcome.DISCONNECTED
    await bench.until_settled()
    record = await bench.only_call()
    assert (record.outcome, record.estimated) == ("aborted", True)
    assert tokens(record) == (18, 100, 0, 0, 100, 0)


@pytest.mark.parametrize("ends", [False, True])
async def test_a_cut_stream_ends_with_an_error(bench: Bench, ends: bool) -> None:
    piece = gemini_piece("a" * 400)
    bench.provider.next(events(piece, b'data: {"cand', pause=0.02, ends=ends))
    answer = await bench.client.post(STREAM, json=contents())
    rest = answer.content.removeprefix(piece).decode()
    assert rest.startswith("data: ")
    assert rest.endswith("\n\n")
    error = json.loads(rest.removeprefix("data: "))["error"]
    assert (error["code"], error["status"]) == (502, "UNAVAILABLE")
    record = await bench.only_call()
    assert (record.outcome, record.output_tokens) == ("upstream_error", 100)


async def test_an_error_inside_a_stream_passes_as_it_is(bench: Bench) -> None:
    error = b'data: {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}\n\n'
    bench.provider.next(events(gemini_piece("a" * 400), error))
    answer = await bench.client.post(STREAM, json=contents())
    assert answer.content == gemini_piece("a" * 400) + error
    assert (await bench.only_call()).outcome == "upstream_error"


@pytest.mark.parametrize("usage", [None, {}, {"promptTokenCount": 10, "cachedContentTokenCount": 11}, {"a": 1}])
async def test_usage_that_cannot_be_is_estimated(bench: Bench, usage: Any) -> None:
    bench.provider.next(whole(generated(usageMetadata=usage)))
    body = json.dumps(contents()).encode()
    await bench.client.post(GENERATE, content=body)
    record = await bench.only_call()
    assert (record.estimated, tokens(record)) == (True, (len(body) // 4, 0, 0, 0, 3, 0))


async def test_images_count_flat(bench: Bench) -> None:
    await bench.set_limits(input_tokens=10_000)
    image = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0K" * 100_000}}
    bench.provider.next(whole(generated(usageMetadata=None)))
    answer = await bench.client.post(GENERATE, json={"contents": [{"parts": [image]}]})
    assert answer.status_code == 200
    assert 1_600 <= (await bench.only_call()).input_tokens < 1_700


async def test_counting_tokens_costs_nothing(bench: Bench) -> None:
    answer = await bench.client.post(COUNT, json=contents())
    assert answer.json() == {"totalTokens": 42}
    whole_request = {"generateContentRequest": {"model": "models/team-gemini", **contents()}}
    assert (await bench.client.post(COUNT, json=whole_request)).status_code == 200
    inner = bench.provider.log[1].json["generateContentRequest"]
    assert inner == {"model": "models/goo-model", **contents()}
    assert {e.target for e in bench.provider.log} == {"/v1beta/models/goo-model:countTokens"}
    assert await bench.ledger() == []
    assert await bench.used(Dimension.REQUESTS) == 0


# Keys


def filled(text: str) -> str:
    """The key differs from run to run, and the names of tests must not."""
    return text.replace("KEY", CREDENTIAL.text)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?key=KEY", {}),
        ("?alt=sse&%6Bey=KEY", {}),
        ("", {"x-goog-api-key": "KEY"}),
        ("?key=KEY", {"authorization": "Bearer KEY", "x-goog-api-key": "KEY"}),
    ],
)
async def test_every_form_of_the_key_is_taken_and_none_is_passed_on(
    bench: Bench, query: str, headers: dict[str, str]
) -> None:
    headers = {name: filled(value) for name, value in headers.items()}
    async with bare(bench) as client:
        answer = await client.post(GENERATE + filled(query), json=contents(), headers=headers)
    assert answer.status_code == 200
    asked = bench.provider.log[0]
    assert CREDENTIAL.text not in asked.target + repr(asked.headers)
    assert asked.target.partition("?")[2] in ("", "alt=sse")
    assert asked.header("x-goog-api-key") == "sk-goo"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {}),
        ("?key=", {}),
        ("?key=wrong", {}),
        ("?access_token=KEY", {}),
        ("?key=other", {"x-goog-api-key": "KEY"}),
        ("?key=KEY&key=other", {}),
    ],
)
async def test_no_key_no_call(bench: Bench, query: str, headers: dict[str, str]) -> None:
    headers = {name: filled(value) for name, value in headers.items()}
    async with bare(bench) as client:
        answer = await client.post(GENERATE + filled(query), json=contents(), headers=headers)
    assert (answer.status_code, reason(answer)) == (401, "invalid_api_key")
    assert gemini_error(answer)["status"] == "UNAUTHENTICATED"
    assert CREDENTIAL.text not in answer.text
    await bench.assert_untouched()


async def test_a_key_in_the_query_is_only_for_clients_that_know_no_better(bench: Bench) -> None:
    async with bare(bench) as client:
        answer = await client.post(f"{CHAT}?key={CREDENTIAL.text}", json=chat())
    assert (answer.status_code, openai_error(answer)["code"]) == (401, "invalid_api_key")
    await bench.assert_untouched()


# Refusals


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/v1beta/models/none:generateContent", 404, "model_not_found"),
        ("POST", "/v1beta/models/secret-model:generateContent", 403, "model_not_granted"),
        ("POST", "/v1beta/models/secret-model:countTokens", 403, "model_not_granted"),
        ("POST", "/v1beta/models/team-gpt:generateContent", 400, "invalid_request"),
        ("POST", "/v1beta/models/team-gemini:batchGenerateContent", 404, "route_not_found"),
        ("POST", "/v1beta/models/:generateContent", 404, "route_not_found"),
        ("POST", "/v1beta/models/team-gemini", 405, "method_not_allowed"),
        ("GET", GENERATE, 405, "method_not_allowed"),
        ("GET", "/v1beta/files", 404, "route_not_found"),
    ],
)
async def test_refusals_come_in_its_own_shape(bench: Bench, method: str, path: str, status: int, code: str) -> None:
    answer = await bench.client.request(method, path, json=contents())
    assert (answer.status_code, reason(answer)) == (status, code)
    await bench.assert_untouched()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[" * 500_000])
async def test_unreadable_bodies_are_refused(bench: Bench, content: bytes) -> None:
    for path in (GENERATE, COUNT):
        answer = await bench.client.post(path, content=content)
        assert (answer.status_code, reason(answer)) == (400, "invalid_request")
    await bench.assert_untouched()


async def test_a_rate_limit_tells_when_to_come_back(bench: Bench) -> None:
    await bench.set_limits(requests=1)
    await bench.client.post(GENERATE, json=contents())
    answer = await bench.client.post(GENERATE, json=contents())
    assert (answer.status_code, reason(answer)) == (429, "rate_limit_exceeded")
    info, retry = gemini_error(answer)["details"]
    assert retry == {
        "@type": "type.googleapis.com/google.rpc.RetryInfo",
        "retryDelay": f"{answer.headers['retry-after']}s",
    }
    assert info["metadata"] | {"resets_at": ""} == {
        "kind": "user",
        "name": "Ada",
        "dimension": "requests",
        "limit": "1",
        "used": "1",
        "resets_at": "",
    }
    assert len(bench.provider.log) == 1


async def test_a_spent_budget_stops(bench: Bench) -> None:
    await bench.set_budget(day=Nanos(0))
    answer = await bench.client.post(STREAM, json=contents())
    assert (answer.status_code, reason(answer)) == (402, "budget_exceeded")
    await bench.assert_untouched()


async def test_a_providers_error_passes_byte_for_byte(bench: Bench) -> None:
    error = b'{"error":  {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED"}}'
    bench.provider.next(Step(status=429, body=error))
    answer = await bench.client.post(GENERATE, json=contents())
    assert (answer.status_code, answer.content) == (429, error)


# Models


async def test_lists_hold_what_can_be_called_this_way(bench: Bench) -> None:
    shown = {
        "name": "models/team-gemini",
        "displayName": "Team-Gemini",
        "inputTokenLimit": 200_000,
        "outputTokenLimit": 8_000,
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    }
    assert (await bench.client.get("/v1beta/models")).json() == {"models": [shown]}
    assert (await bench.client.get("/v1beta/models/team-gemini")).json() == shown


async def test_others_are_told_where_to_call_it(bench: Bench) -> None:
    answer = await bench.client.post(CHAT, json=chat(model="team-gemini"))
    assert (answer.status_code, openai_error(answer)["code"]) == (400, "invalid_request")
    assert "/v1beta/models" in openai_error(answer)["message"]
    await bench.assert_untouched()


async def test_a_providers_name_for_a_model_cannot_lead_elsewhere(bench: Bench) -> None:
    async with bench.container.store.write() as tx:
        model = await tx.catalog.model_by_slug("team-gemini")
        assert model is not None
        await tx.catalog.update_provider_model(model.backends[0].provider_model_id, name="a b?x=#y")
        tx.changed(PolicyChange(ChangeKind.CATALOG))
    await bench.client.post(GENERATE, json=contents())
    assert bench.provider.log[0].target == "/v1beta/models/a%20b%3Fx%3D%23y:generateContent"
