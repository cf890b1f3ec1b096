"""Responses, embeddings and the older completions: passed through untouched, billed to the token."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from fakes.provider import Outcome
from fakes.script import Step
from fakes.wire import (
    CHAT_DONE,
    CHAT_USAGE,
    COMPLETION_EVENTS,
    RESPONSE_EVENTS,
    RESPONSE_START,
    RESPONSES_USAGE,
    embedding,
    events,
    named,
    response,
    response_delta,
    stalls,
    text_completion,
    whole,
)
from gateway.bench import COMPLETIONS, EMBEDDINGS, RESPONSES, Bench, chat, completions, embeddings, responses
from gateway.test_metering import OPENAI_COST, tokens
from gateway.test_refusals import openai_error
from gateway.test_streams import read_some
from sluicegate.domain.policy import Dimension
from sluicegate.kit.money import Nanos

pytestmark = pytest.mark.any_stack

RESPONSES_COST = 11 * 3_000 + 100 * 300 + 5 * 3_750 + 2 * 6_000 + 17 * 15_000
ROOTS = ("/v1", "/gateway/openai/v1")


# Responses


@pytest.mark.parametrize("root", ROOTS)
async def test_a_whole_response_is_billed_to_the_token(bench: Bench, root: str) -> None:
    bench.provider.next(whole(response()))
    answer = await bench.client.post(f"{root}/responses", json=responses(reasoning={"effort": "low"}))
    assert answer.json() == response()
    asked = bench.provider.log[0]
    assert (asked.path, asked.json) == ("/v1/responses", responses(reasoning={"effort": "low"}, model="acme-model"))
    record = await bench.only_call()
    assert tokens(record) == (11, 100, 5, 2, 17, 4)
    assert (record.cost_nanos, record.estimated, record.endpoint) == (RESPONSES_COST, False, "responses")


async def test_a_stream_of_events_passes_byte_for_byte(bench: Bench) -> None:
    bench.provider.next(events(*RESPONSE_EVENTS))
    answer = await bench.client.post(RESPONSES, json=responses(stream=True))
    assert answer.content == b"".join(RESPONSE_EVENTS)
    assert bench.provider.log[0].json == responses(stream=True, model="acme-model")
    record = await bench.only_call()
    assert tokens(record) == (11, 100, 5, 2, 17, 4)
    assert (record.outcome, record.estimated, record.stream) == ("ok", False, True)


@pytest.mark.parametrize(("status", "outcome"), [("incomplete", "ok"), ("failed", "upstream_error")])
async def test_usage_is_read_from_every_way_of_ending(bench: Bench, status: str, outcome: str) -> None:
    error = {"code": "rate_limit_exceeded", "message": "try again in 3s"} if status == "failed" else None
    last = named(f"response.{status}", sequence_number=6, response=response(status=status, error=error))
    bench.provider.next(events(*RESPONSE_EVENTS[:-1], last))
    answer = await bench.client.post(RESPONSES, json=responses(stream=True))
    assert answer.content == b"".join(RESPONSE_EVENTS[:-1]) + last
    record = await bench.only_call()
    assert (record.outcome, record.estimated, tokens(record)) == (outcome, False, (11, 100, 5, 2, 17, 4))


async def test_an_error_event_passes_and_ends_the_call(bench: Bench) -> None:
    error = named("error", sequence_number=4, code="server_error", message="busy", param=None)
    bench.provider.next(events(RESPONSE_START, response_delta("a" * 400), error))
    answer = await bench.client.post(RESPONSES, json=responses(stream=True))
    assert answer.content.endswith(error)
    record = await bench.only_call()
    assert (record.outcome, record.estimated, record.output_tokens) == ("upstream_error", True, 100)


@pytest.mark.parametrize("ends", [False, True])
async def test_a_cut_stream_ends_as_a_failed_response(bench: Bench, ends: bool) -> None:
    flowed = (RESPONSE_START, response_delta("a" * 400, number=7))
    bench.provider.next(events(*flowed, b"event: response.comp", pause=0.02, ends=ends))
    answer = await bench.client.post(RESPONSES, json=responses(stream=True))
    rest = answer.content.removeprefix(b"".join(flowed)).decode()
    assert rest.startswith("event: response.failed\ndata: ")
    assert rest.endswith("\n\n")
    event = json.loads(rest.removeprefix("event: response.failed\ndata: "))
    assert (event["type"], event["sequence_number"]) == ("response.failed", 8)
    assert (event["response"]["id"], event["response"]["status"]) == ("resp_1", "failed")
    assert event["response"]["error"]["code"] == "upstream_unavailable"
    record = await bench.only_call()
    assert (record.outcome, record.status, record.estimated) == ("upstream_error", 200, True)
    assert record.output_tokens == 100


async def test_a_caller_who_leaves_pays_for_the_pieces_and_not_for_their_repetition(bench: Bench) -> None:
    text = "a" * 400
    told = named("response.output_text.done", sequence_number=4, text=text)
    again = named("response.output_item.done", sequence_number=5, item={"content": [{"text": text}]})
    bench.provider.next(stalls(RESPONSE_START, response_delta(text), told, again))
    async with bench.client.stream("POST", RESPONSES, json=responses(stream=True)) as answer:
        await read_some(answer, len(RESPONSE_START) + 3 * 400)
    assert await bench.provider.log[-1].ended() is Outcome.DISCONNECTED
    await bench.until_settled()
    record = await bench.only_call()
    assert (record.outcome, record.estimated, record.output_tokens) == ("aborted", True, 100)


async def test_a_last_event_of_megabytes_still_tells_the_usage(bench: Bench) -> None:
    picture = [{"type": "image_generation_call", "id": "ig_1", "result": "A" * 5_000_000}]
    last = named("response.completed", sequence_number=6, response=response(output=picture))
    bench.provider.next(events(RESPONSE_START, last))
    answer = await bench.client.post(RESPONSES, json=responses(stream=True))
    assert answer.content == RESPONSE_START + last
    assert tokens(await bench.only_call()) == (11, 100, 5, 2, 17, 4)


async def test_an_answer_in_the_background_is_refused_since_nobody_would_pay_it(bench: Bench) -> None:
    answer = await bench.client.post(RESPONSES, json=responses(background=True))
    assert (answer.status_code, openai_error(answer)["param"]) == (400, "background")
    await bench.assert_untouched()


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {"input_tokens": 118, "output_tokens": 10**12},
        {**RESPONSES_USAGE, "input_tokens": 99},
        {**RESPONSES_USAGE, "input_tokens_details": {"cache_write_tokens_details": {"ttl_12h_tokens": 3}}},
    ],
)
async def test_usage_that_cannot_be_is_estimated(bench: Bench, usage: Any) -> None:
    bench.provider.next(whole(response(usage=usage)))
    body = json.dumps(responses()).encode()
    await bench.client.post(RESPONSES, content=body)
    record = await bench.only_call()
    assert record.estimated
    # A quarter of the request's bytes, and of "hello world".
    assert tokens(record) == (len(body) // 4, 0, 0, 0, 3, 0)


# Embeddings


@pytest.mark.parametrize("root", ROOTS)
async def test_embeddings_cost_their_input_alone(bench: Bench, root: str) -> None:
    bench.provider.next(whole(embedding()))
    answer = await bench.client.post(f"{root}/embeddings", json=embeddings(dimensions=2))
    assert answer.json() == embedding()
    asked = bench.provider.log[0]
    assert (asked.path, asked.json) == ("/v1/embeddings", embeddings(dimensions=2, model="vector-model"))
    record = await bench.only_call()
    assert tokens(record) == (9, 0, 0, 0, 0, 0)
    assert (record.cost_nanos, record.estimated, record.endpoint) == (9 * 3_000, False, "embeddings")


async def test_packed_vectors_arrive_as_they_are(bench: Bench) -> None:
    answer = await bench.client.post(EMBEDDINGS, json=embeddings(encoding_format="base64", dimensions=3))
    packed: str = answer.json()["data"][0]["embedding"]
    assert len(struct.unpack("<3f", base64.b64decode(packed))) == 3


async def test_embeddings_use_up_no_output(bench: Bench) -> None:
    await bench.set_limits(output_tokens=0, input_tokens=100)
    assert (await bench.client.post(EMBEDDINGS, json=embeddings())).status_code == 200
    assert await bench.used(Dimension.OUTPUT_TOKENS) == 0
    assert await bench.used(Dimension.INPUT_TOKENS) == 7


async def test_a_spent_budget_stops_embeddings_too(bench: Bench) -> None:
    await bench.set_budget(day=Nanos(0))
    answer = await bench.client.post(EMBEDDINGS, json=embeddings())
    assert (answer.status_code, openai_error(answer)["code"]) == (402, "budget_exceeded")
    await bench.assert_untouched()


async def test_embeddings_without_usage_are_estimated_from_the_request(bench: Bench) -> None:
    bench.provider.next(whole(embedding(usage=None)))
    body = json.dumps(embeddings(input="word " * 100)).encode()
    await bench.client.post(EMBEDDINGS, content=body)
    record = await bench.only_call()
    assert (record.estimated, tokens(record)) == (True, (len(body) // 4, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (EMBEDDINGS, embeddings(model="team-gpt")),
        ("/v1/chat/completions", chat(model="team-embed")),
        (RESPONSES, responses(model="team-embed")),
        (COMPLETIONS, completions(model="team-embed")),
    ],
)
async def test_a_model_is_only_called_for_what_it_does(bench: Bench, path: str, body: dict[str, Any]) -> None:
    answer = await bench.client.post(path, json=body)
    assert (answer.status_code, openai_error(answer)["param"]) == (400, "model")
    await bench.assert_untouched()


# The older completions


@pytest.mark.parametrize("root", ROOTS)
async def test_a_whole_completion_is_billed_to_the_token(bench: Bench, root: str) -> None:
    bench.provider.next(whole(text_completion()))
    answer = await bench.client.post(f"{root}/completions", json=completions(suffix="end", max_tokens=9))
    assert answer.json() == text_completion()
    assert bench.provider.log[0].json == completions(suffix="end", max_tokens=9, model="acme-model")
    record = await bench.only_call()
    assert (tokens(record), record.cost_nanos) == ((11, 100, 7, 0, 17, 4), OPENAI_COST)
    assert (record.estimated, record.endpoint) == (False, "completions")


@pytest.mark.parametrize("asked_for", [True, False])
async def test_a_stream_of_completions_tells_its_usage_to_those_who_asked(bench: Bench, asked_for: bool) -> None:
    bench.provider.next(events(*COMPLETION_EVENTS, CHAT_USAGE, CHAT_DONE))
    options = {"stream_options": {"include_usage": True}} if asked_for else {}
    answer = await bench.client.post(COMPLETIONS, json=completions(stream=True, **options))
    assert answer.content == b"".join(COMPLETION_EVENTS) + (CHAT_USAGE if asked_for else b"") + CHAT_DONE
    assert bench.provider.log[0].json["stream_options"] == {"include_usage": True}
    assert tokens(await bench.only_call()) == (11, 100, 7, 0, 17, 4)


# All of them


@pytest.mark.parametrize(
    ("path", "body"), [(RESPONSES, responses()), (EMBEDDINGS, embeddings()), (COMPLETIONS, completions())]
)
async def test_refusals_are_in_their_protocol_and_cost_nothing(bench: Bench, path: str, body: dict[str, Any]) -> None:
    answer = await bench.client.post(path, json=body, headers={"authorization": "Bearer wrong"})
    assert (answer.status_code, openai_error(answer)["code"]) == (401, "invalid_api_key")
    answer = await bench.client.post(path, json={**body, "model": "secret-model"})
    assert (answer.status_code, openai_error(answer)["code"]) == (403, "model_not_granted")
    answer = await bench.client.post(path, json={**body, "model": "none"})
    assert (answer.status_code, openai_error(answer)["code"]) == (404, "model_not_found")
    answer = await bench.client.post(path, content=b"{")
    assert (answer.status_code, openai_error(answer)["code"]) == (400, "invalid_request")
    assert (await bench.client.get(path)).status_code == 405
    await bench.set_limits(requests=0)
    answer = await bench.client.post(path, json=body)
    assert (answer.status_code, openai_error(answer)["code"]) == (429, "rate_limit_exceeded")
    await bench.assert_untouched()


@pytest.mark.parametrize(
    ("path", "body"), [(RESPONSES, responses()), (EMBEDDINGS, embeddings()), (COMPLETIONS, completions())]
)
async def test_a_providers_error_passes_byte_for_byte(bench: Bench, path: str, body: dict[str, Any]) -> None:
    error = b'{"error":  {"message": "as the provider says", "type": "x", "code": null}}'
    bench.provider.next(Step(status=422, body=error))
    answer = await bench.client.post(path, json=body)
    assert (answer.status_code, answer.content) == (422, error)
    record = await bench.only_call()
    assert (record.outcome, record.status, record.cost_nanos) == ("upstream_error", 422, 0)
