"""Providers that are down, slow, overloaded or wrong, and the next one that helps out."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest

from fakes.provider import Answer, Provider
from fakes.wire import breaks, completion, events, text_chunk, whole
from gateway.bench import CHAT, MESSAGES, Bench, chat, messages
from sluicegate.domain.policy import Dimension


@pytest.fixture
async def second(bench: Bench) -> AsyncIterator[Provider]:
    """A second backend of `team-gpt`, after the first in priority."""
    async with Provider() as provider:
        await bench.add_backend("team-gpt", "second", provider.port)
        yield provider


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("first", [breaks, whole({}, 429), whole({}, 500), whole({}, 529)])
async def test_the_next_backend_answers_for_one_that_cannot(bench: Bench, second: Provider, first: Answer) -> None:
    bench.provider.next(first, first)
    second.next(whole(completion()))
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, answer.json()) == (200, completion())
    assert second.log[0].json["model"] == "second-model"
    assert second.log[0].header("authorization") == "Bearer sk-second"
    record = await bench.only_call()
    assert (record.provider_name, record.provider_model, record.outcome) == ("second", "second-model", "ok")
    assert await bench.used(Dimension.REQUESTS) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 422])
async def test_an_answer_about_the_request_itself_is_final(bench: Bench, second: Provider, status: int) -> None:
    bench.provider.next(whole({"error": {"message": "no"}}, status))
    assert (await bench.client.post(CHAT, json=chat())).status_code == status
    assert second.log == []


async def test_nothing_is_tried_again_once_an_answer_has_begun(bench: Bench, second: Provider) -> None:
    bench.provider.next(events(text_chunk("hello"), pause=0.02, ends=False))
    await bench.client.post(CHAT, json=chat(stream=True))
    assert second.log == []


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 529])
async def test_the_last_error_passes_byte_for_byte(bench: Bench, status: int) -> None:
    body = b'{"type":"error",  "error":{"type":"x","message":"as the provider says"}}'
    bench.provider.next(whole(body, status, **{"retry-after": "7", "request-id": "up"}))
    answer = await bench.client.post(MESSAGES, json=messages())
    assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (status, body, "7")
    assert answer.headers["request-id"] == answer.headers["x-request-id"] != "up"
    record = await bench.only_call()
    assert (record.outcome, record.status, record.cost_nanos) == ("upstream_error", status, 0)
    assert await bench.used(Dimension.REQUESTS) == 1
    assert await bench.used(Dimension.INPUT_TOKENS) == 0
    assert await bench.used(Dimension.OUTPUT_TOKENS) == 0


async def test_a_provider_that_is_not_there_takes_no_quota(bench: Bench) -> None:
    await bench.set_limits(requests=1)
    await bench.move_providers(unused_port())
    for _ in range(2):
        answer = await bench.client.post(CHAT, json=chat())
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
        answer = await bench.client.post(f"{MESSAGES}/count_tokens", json=messages())
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
    await bench.assert_untouched()


async def test_a_provider_that_breaks_off_unanswered_leaves_a_line_without_cost(bench: Bench) -> None:
    bench.provider.next(breaks, breaks)
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "server_error")
    record = await bench.only_call()
    assert (record.outcome, record.status, record.cost_nanos, record.output_tokens) == ("unreachable", 502, 0, 0)
    assert await bench.used(Dimension.INPUT_TOKENS) == 0


async def test_a_model_without_a_backend_says_so(bench: Bench) -> None:
    await bench.disable_providers()
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upstream_unavailable")
    await bench.assert_untouched()
