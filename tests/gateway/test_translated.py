"""Callers of one protocol before providers of another, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from fakes.provider import Connection, Exchange, Provider
from fakes.wire import (
    CHAT_DONE,
    CHAT_EVENTS,
    CHAT_USAGE,
    MESSAGE_EVENTS,
    MESSAGE_START,
    chunk,
    completion,
    events,
    message,
    named,
    text_chunk,
    text_delta,
    whole,
)
from gateway.bench import ASK, CHAT, MESSAGES, RESPONSES, Bench, chat, messages, responses
from gateway.test_streams import read_some
from sluicegate.domain.catalog import ProviderKind
from sluicegate.gateway.stream.events import data_of, split_events
from sluicegate.gateway.translate.form import Turn
from sluicegate.gateway.translate.translator import Translator
from sluicegate.gateway.watch import TICK

pytestmark = pytest.mark.any_stack

TO_CHAT = messages(model="team-gpt")
TO_MESSAGES = chat(model="team-claude")
RESPONSES_TO_MESSAGES = {"model": "team-claude", "input": "say hi"}
CURSOR = {"model": "team-claude", "input": [{"role": "user", "content": "say hi"}], "stream": True}
ANTHROPIC_CLIENT = {
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "claude-code-20250219",
    "x-stainless-lang": "js",
    "user-agent": "claude-cli/2.1.330 (external, sdk-cli)",
}


def told(answer: httpx.Response) -> list[Any]:
    """The data of a stream's events."""
    return [
        json.loads(data) for event in split_events(answer.content) if (data := data_of(event)) and data != b"[DONE]"
    ]


async def _billed_exactly(bench: Bench, provider: str) -> None:
    record = await bench.only_call()
    assert (record.provider_name, record.outcome, record.estimated) == (provider, "ok", False)
    # A provider of OpenAI's kind does not tell how long a written cache lives.
    short, long = (7, 0) if provider == "acme" else (5, 2)
    assert (record.input_tokens, record.cache_read_tokens, record.output_tokens) == (11, 100, 17)
    assert (record.cache_write_5m_tokens, record.cache_write_1h_tokens) == (short, long)


async def test_a_messages_client_is_answered_by_a_chat_provider(bench: Bench) -> None:
    bench.provider.next(whole(completion()))
    answer = await bench.client.post(f"{MESSAGES}?beta=true", json=TO_CHAT, headers=ANTHROPIC_CLIENT)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["type"], body["model"], body["stop_reason"]) == ("message", "team-gpt", "end_turn")
    assert body["content"] == [{"type": "text", "text": "hello from the provider"}]
    assert body["usage"] == {
        "input_tokens": 11,
        "cache_creation_input_tokens": 7,
        "cache_read_input_tokens": 100,
        "output_tokens": 17,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    seen = bench.provider.log[0]
    assert seen.target == "/v1/chat/completions"
    assert seen.json == {"model": "acme-model", "messages": ASK, "max_tokens": 64}
    assert seen.header("authorization") == "Bearer sk-acme"
    assert seen.header("user-agent") == ANTHROPIC_CLIENT["user-agent"]
    assert not any(
        seen.header(name) for name in ("anthropic-version", "anthropic-beta", "x-api-key", "x-stainless-lang")
    )
    await _billed_exactly(bench, "acme")


async def test_a_chat_client_is_answered_by_a_messages_provider(bench: Bench) -> None:
    bench.provider.next(whole(message()))
    answer = await bench.client.post(CHAT, json=TO_MESSAGES)
    body = answer.json()
    assert (body["object"], body["model"]) == ("chat.completion", "team-claude")
    assert body["choices"][0]["message"]["content"] == "hello from the provider"
    assert (body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]) == (118, 17)
    seen = bench.provider.log[0]
    assert seen.target == "/v1/messages"
    assert (seen.header("x-api-key"), seen.header("anthropic-version")) == ("sk-zeta", "2023-06-01")
    assert (seen.json["model"], seen.json["max_tokens"]) == ("zeta-model", 8_000)
    await _billed_exactly(bench, "zeta")


@pytest.mark.parametrize(
    ("model", "capabilities", "thinking"),
    [
        ("claude-opus-4-7", (), {"type": "adaptive"}),
        ("our-own-name", ("adaptive-thinking",), {"type": "adaptive"}),
        ("claude-opus-4-5", (), {"type": "enabled", "budget_tokens": 4_000}),
    ],
)
async def test_a_messages_provider_is_told_how_much_to_think_as_its_model_takes_it(
    bench: Bench, model: str, capabilities: tuple[str, ...], thinking: dict[str, Any]
) -> None:
    kind, port = ProviderKind.CUSTOM_ANTHROPIC, bench.provider.port
    await bench.add_backend("team-gpt", "eta", port, -1, kind=kind, model_name=model, capabilities=capabilities)
    for path, body in ((CHAT, chat(reasoning_effort="high")), (RESPONSES, responses(reasoning={"effort": "high"}))):
        bench.provider.next(whole(message()))
        assert (await bench.client.post(path, json=body)).status_code == 200
        sent = bench.provider.log[-1].json
        assert (sent["model"], sent["thinking"]) == (model, thinking)
        assert ("output_config" in sent) is (thinking["type"] == "adaptive")


async def test_a_responses_client_is_answered_by_a_messages_provider(bench: Bench) -> None:
    bench.provider.next(whole(message()))
    body = (await bench.client.post(RESPONSES, json=RESPONSES_TO_MESSAGES)).json()
    assert (body["object"], body["status"], body["model"]) == ("response", "completed", "team-claude")
    assert body["output"][0]["content"][0]["text"] == "hello from the provider"
    await _billed_exactly(bench, "zeta")


async def test_a_messages_stream_out_of_a_chat_stream(bench: Bench) -> None:
    bench.provider.next(events(*CHAT_EVENTS, CHAT_USAGE, CHAT_DONE))
    answer = await bench.client.post(MESSAGES, json=TO_CHAT | {"stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = told(answer)
    assert [found[0]["type"], found[-2]["type"], found[-1]["type"]] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    assert found[-2]["usage"]["input_tokens"] == 11
    assert bench.provider.log[0].json["stream_options"] == {"include_usage": True}
    await _billed_exactly(bench, "acme")


@pytest.mark.parametrize("asked", [True, False])
async def test_a_chat_stream_out_of_a_messages_stream_tells_usage_only_when_asked(bench: Bench, asked: bool) -> None:
    bench.provider.next(events(*MESSAGE_EVENTS))
    options = {"stream_options": {"include_usage": True}} if asked else {}
    answer = await bench.client.post(CHAT, json=TO_MESSAGES | {"stream": True} | options)
    assert answer.content.endswith(b"data: [DONE]\n\n")
    usages = [found["usage"] for found in told(answer) if found.get("usage")]
    assert [usage["prompt_tokens"] for usage in usages] == ([118] if asked else [])
    await _billed_exactly(bench, "zeta")


async def test_cursor_gets_chunks_for_what_it_writes_as_responses(bench: Bench) -> None:
    bench.provider.next(events(*MESSAGE_EVENTS))
    answer = await bench.client.post(CHAT, json=CURSOR)
    assert {found["object"] for found in told(answer)} == {"chat.completion.chunk"}
    assert bench.provider.log[0].json["messages"][0]["role"] == "user"
    await _billed_exactly(bench, "zeta")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (CHAT, TO_MESSAGES | {"n": 3}, "n"),
        (CHAT, TO_MESSAGES | {"messages": [{"role": "wizard"}]}, "messages.0.role"),
        (RESPONSES, RESPONSES_TO_MESSAGES | {"previous_response_id": "resp_1"}, "previous_response_id"),
    ],
)
async def test_what_cannot_be_translated_costs_nothing(
    bench: Bench, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await bench.client.post(path, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_request", field)
    await bench.assert_untouched()


async def test_a_providers_error_is_told_in_the_callers_words_with_its_status_and_pause(bench: Bench) -> None:
    failure = {"error": {"message": "Too many requests", "type": "requests", "code": "rate_limit_exceeded"}}
    bench.provider.next(whole(failure, 429, **{"retry-after": "7", "x-ratelimit-limit-requests": "5"}))
    answer = await bench.client.post(MESSAGES, json=TO_CHAT)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    error = {"type": "rate_limit_error", "message": "Too many requests"}
    assert answer.json() == {"type": "error", "error": error, "request_id": answer.headers["request-id"]}
    assert "x-ratelimit-limit-requests" not in answer.headers
    record = await bench.only_call()
    assert (record.outcome, record.status, record.cost_nanos) == ("upstream_error", 429, 0)


@pytest.mark.parametrize("answer", [{"error": "no"}, {"choices": []}, [], "text"])
async def test_an_answer_that_says_nothing_is_an_error_and_costs_nothing(bench: Bench, answer: Any) -> None:
    bench.provider.next(whole(answer))
    refused = await bench.client.post(MESSAGES, json=TO_CHAT)
    assert (refused.status_code, refused.json()["error"]["type"]) == (502, "api_error")
    record = await bench.only_call()
    assert (record.outcome, record.cost_nanos) == ("upstream_error", 0)


@pytest.mark.parametrize(
    ("path", "body", "flowed", "last"),
    [
        (MESSAGES, TO_CHAT | {"stream": True}, (text_chunk("a" * 400),), "error"),
        (
            RESPONSES,
            RESPONSES_TO_MESSAGES | {"stream": True},
            (MESSAGE_START, text_delta("a" * 400)),
            "response.failed",
        ),
    ],
)
async def test_a_stream_that_breaks_off_is_told_and_billed(
    bench: Bench, path: str, body: dict[str, Any], flowed: tuple[bytes, ...], last: str
) -> None:
    bench.provider.next(events(*flowed, ends=False))
    found = told(await bench.client.post(path, json=body))
    assert found[-1]["type"] == last
    assert "broke the answer off" in json.dumps(found[-1])
    record = await bench.only_call()
    assert (record.outcome, record.estimated, record.output_tokens) == ("upstream_error", True, 100)


async def test_a_caller_who_leaves_a_translated_stream_pays_for_what_flowed(bench: Bench) -> None:
    bench.provider.next(events(*[text_chunk("a" * 400)] * 200, pause=0.05))
    async with bench.client.stream("POST", MESSAGES, json=TO_CHAT | {"stream": True}) as answer:
        await read_some(answer, 800)
    await bench.until_settled()
    record = await bench.only_call()
    assert (record.outcome, record.estimated) == ("aborted", True)
    assert record.output_tokens >= 100


async def test_tokens_are_counted_roughly_where_no_provider_counts_them(bench: Bench) -> None:
    answer = await bench.client.post(f"{MESSAGES}/count_tokens", json=TO_CHAT)
    assert answer.status_code == 200
    assert 10 < answer.json()["input_tokens"] < 100
    await bench.assert_untouched()


async def test_a_backend_of_another_protocol_helps_out(bench: Bench) -> None:
    async with Provider() as second:
        await bench.add_backend("team-claude", "second", second.port)
        bench.provider.next(whole({}, 529))
        second.next(
            events(
                text_chunk("helped "), chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}]), b"data: [DONE]\n\n"
            )
        )
        answer = await bench.client.post(MESSAGES, json=messages(stream=True))
        assert "helped " in answer.text
        assert told(answer)[-1]["type"] == "message_stop"
        assert second.log[0].target == "/v1/chat/completions"
        record = await bench.only_call()
        assert (record.provider_name, record.outcome) == ("second", "ok")


@pytest.mark.parametrize(("turns", "beside"), [(1, False), (1_000, True)])
async def test_a_body_of_very_many_parts_is_translated_beside_the_loop(
    bench: Bench, turns: int, beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    translate, threads = Translator.request, set[int]()

    def noting(*arguments: Any) -> bytes:
        threads.add(threading.get_ident())
        return translate(*arguments)

    monkeypatch.setattr(Translator, "request", noting)
    bench.provider.next(whole(message()))
    told = [{"role": role, "content": f"{turn}"} for turn in range(turns) for role in ("user", "assistant")]
    answer = await bench.client.post(CHAT, json=TO_MESSAGES | {"messages": told})
    assert answer.status_code == 200
    assert len(bench.provider.log[0].json["messages"]) == 2 * turns
    assert len(threads) == 1
    assert (threading.get_ident() not in threads) is beside


async def test_who_leaves_while_a_large_body_is_translated_leaves_no_thread_to_the_next_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    translate, begun, goes_on = Translator.request, list[int](), threading.Event()

    def held(*arguments: Any) -> bytes:
        begun.append(threading.get_ident())
        assert goes_on.wait(10)
        return translate(*arguments)

    turns = [{"role": role, "content": f"{turn}"} for turn in range(1_000) for role in ("user", "assistant")]
    body = TO_MESSAGES | {"messages": turns}
    # Threads would wait there for each other.
    monkeypatch.setattr("sluicegate.gateway.routing.beside_the_loop", nullcontext)
    monkeypatch.setattr(Translator, "request", held)
    bench.provider.next(whole(message()))
    leaver = asyncio.create_task(bench.client.post(CHAT, json=body))
    while not begun:  # noqa: ASYNC110 - a thread signals no loop
        await asyncio.sleep(0.01)
    leaver.cancel()
    await bench.until_settled()
    stayer = asyncio.create_task(bench.client.post(CHAT, json=body))
    try:
        await asyncio.sleep(0.5)
        assert len(begun) == 1
    finally:
        goes_on.set()
    answer = await stayer
    assert (answer.status_code, len(begun), len(bench.provider.log)) == (200, 2, 1)


async def test_a_body_of_very_many_parts_is_translated_anew_for_another_backend(bench: Bench) -> None:
    told = [{"role": role, "content": f"{turn}"} for turn in range(1_000) for role in ("user", "assistant")]
    async with Provider() as second:
        await bench.add_backend("team-gpt", "second", second.port)
        bench.provider.next(whole({}, 529))
        second.next(whole(completion()))
        answer = await bench.client.post(MESSAGES, json=TO_CHAT | {"messages": told})
        assert answer.json()["content"] == [{"type": "text", "text": "hello from the provider"}]
        first, other = bench.provider.log[0].json["messages"], second.log[0].json["messages"]
        assert first == other
        assert len(other) == 2_000


async def test_of_a_large_translation_nothing_is_left_after_the_call(bench: Bench) -> None:
    told = [{"role": role, "content": f"{turn}"} for turn in range(20_000) for role in ("user", "assistant")]

    async def late(connection: Connection, exchange: Exchange) -> None:
        # After so long somebody watches for the caller's leaving.
        await asyncio.sleep(TICK * 2.5)
        await whole(message())(connection, exchange)

    gc.collect()
    gc.disable()
    try:
        bench.provider.next(late)
        answer = await bench.client.post(CHAT, json=TO_MESSAGES | {"messages": told})
        assert answer.status_code == 200
        await bench.until_settled()
        assert not [left for left in gc.get_objects() if isinstance(left, Turn | Translator)]
    finally:
        gc.enable()


async def test_tool_calls_and_their_results_travel_both_ways(bench: Bench) -> None:
    calls = [{"id": "call_7", "type": "function", "function": {"name": "Bash", "arguments": '{"command":"ls"}'}}]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": None, "tool_calls": calls},
        "finish_reason": "tool_calls",
    }
    bench.provider.next(whole(completion(choices=[choice])), whole(completion()))
    tools = [{"name": "Bash", "input_schema": {"type": "object"}}]
    first = (await bench.client.post(MESSAGES, json=TO_CHAT | {"tools": tools})).json()
    assert first["stop_reason"] == "tool_use"
    result = {"type": "tool_result", "tool_use_id": first["content"][0]["id"], "content": "a.txt"}
    turns = [*ASK, {"role": "assistant", "content": first["content"]}, {"role": "user", "content": [result]}]
    second = await bench.client.post(MESSAGES, json=TO_CHAT | {"tools": tools, "messages": turns})
    assert second.status_code == 200
    assert bench.provider.log[1].json["messages"][1:] == [
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_7", "content": "a.txt"},
    ]


async def test_an_error_inside_a_translated_stream_is_no_success(bench: Bench) -> None:
    overloaded = named("error", error={"type": "overloaded_error", "message": "Overloaded"})
    bench.provider.next(events(MESSAGE_START, text_delta("so far"), overloaded))
    found = told(await bench.client.post(CHAT, json=TO_MESSAGES | {"stream": True}))
    assert found[-1]["error"]["message"] == "Overloaded"
    record = await bench.only_call()
    assert record.outcome == "upstream_error"
