"""The order and shape of events on each wire, which clients depend on more than on the text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from demo.calls import answer, ask, events, kinds
from sluicegate.adapters.demo import DemoUpstream

TURNS = [{"role": "user", "content": "How do I bake bread?"}]
CHAT = {"model": "demo-fast", "messages": TURNS}
MESSAGE = {"model": "demo-fast", "max_tokens": 400, "messages": TURNS}
TWO_CALLS = [{"role": "user", "content": 'both [[tool:a {"x": [[1]]}]] [[tool:b {}]]'}]


async def test_message_events(demo: DemoUpstream) -> None:
    found = await events(demo, "/v1/messages?beta=true", MESSAGE)
    assert kinds(found) == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    start = found[0]["message"]
    assert (start["content"], start["stop_reason"]) == ([], None)
    assert start["usage"]["input_tokens"] == 5
    assert start["usage"]["output_tokens"] == 1
    end = found[-2]
    assert end["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert end["usage"]["input_tokens"] == 5
    assert end["usage"]["output_tokens"] > 1


async def test_message_blocks_are_closed_before_the_next_one_opens(demo: DemoUpstream) -> None:
    body = {**MESSAGE, "model": "demo-reasoner", "thinking": {"type": "adaptive"}, "messages": TWO_CALLS}
    found = await events(demo, "/v1/messages", {**body, "tools": [{"name": "a"}, {"name": "b"}]})
    blocks = [(event["type"], event["index"]) for event in found if event["type"].startswith("content_block_st")]
    opened_and_closed = [(f"content_block_{what}", index) for index in range(3) for what in ("start", "stop")]
    assert blocks == opened_and_closed
    deltas = [event["delta"] for event in found if event["type"] == "content_block_delta"]
    assert [delta["type"] for delta in deltas if delta["type"] != "input_json_delta"][-1] == "signature_delta"
    parts = [event["delta"]["partial_json"] for event in found if event.get("index") == 1 and "delta" in event]
    assert "".join(parts) == '{"x": [[1]]}'
    assert found[-2]["delta"]["stop_reason"] == "tool_use"
    assert found[-2]["usage"]["output_tokens_details"]["thinking_tokens"] > 0


async def test_chat_chunks(demo: DemoUpstream) -> None:
    found = await events(demo, "/v1/chat/completions", CHAT)
    assert found[-1] == "[DONE]"
    chunks = found[:-1]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert not any("usage" in chunk for chunk in chunks)


async def test_chat_usage_is_streamed_only_when_asked_for(demo: DemoUpstream) -> None:
    found = await events(demo, "/v1/chat/completions", {**CHAT, "stream_options": {"include_usage": True}})
    *chunks, last, done = found
    assert done == "[DONE]"
    assert all(chunk["usage"] is None for chunk in chunks)
    assert last["choices"] == []
    assert last["usage"]["prompt_tokens"] == 5


async def test_chat_calls_carry_their_index(demo: DemoUpstream) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    body = {**CHAT, "messages": TWO_CALLS, "tools": tools}
    found = await events(demo, "/v1/chat/completions", body)
    parts = [chunk["choices"][0]["delta"].get("tool_calls", [{}])[0] for chunk in found[:-1]]
    named = [(part["index"], part["function"]["name"]) for part in parts if "id" in part]
    assert named == [(0, "a"), (1, "b")]
    first = "".join(part["function"]["arguments"] for part in parts if part.get("index") == 0)
    assert first == '{"x": [[1]]}'


async def test_parallel_calls_can_be_declined(demo: DemoUpstream) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    body = {**CHAT, "messages": TWO_CALLS, "tools": tools, "parallel_tool_calls": False}
    message = (await answer(demo, "/v1/chat/completions", body))["choices"][0]["message"]
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["a"]


async def test_responses_events(demo: DemoUpstream) -> None:
    body = {"model": "demo-reasoner", "input": "How do I bake bread?", "reasoning": {"summary": "auto"}}
    found = await events(demo, "/v1/responses", body)
    assert kinds(found) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    final = found[-1]["response"]
    assert final["id"] == found[0]["response"]["id"]
    done = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert final["output"] == done
    assert final["usage"]["output_tokens_details"]["reasoning_tokens"] > 0


async def test_responses_stream_that_hits_the_limit_ends_incomplete(demo: DemoUpstream) -> None:
    body = {"model": "demo-fast", "input": "How do I bake bread?", "max_output_tokens": 6}
    last = (await events(demo, "/v1/responses", body))[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert last["response"]["usage"]["output_tokens"] == 6


async def test_responses_tools_inside_a_namespace_and_in_free_form(demo: DemoUpstream) -> None:
    tools = [
        {"type": "namespace", "name": "files", "tools": [{"type": "function", "name": "read"}]},
        {"type": "custom", "name": "patch"},
        {"type": "web_search"},
    ]
    asked = 'go [[tool:read {"path": "a"}]] [[tool:patch *** Begin Patch]]'
    body = {"model": "demo-fast", "input": asked, "tools": tools}
    found = await events(demo, "/v1/responses", body)
    read, patch = found[-1]["response"]["output"]
    assert (read["type"], read["arguments"]) == ("function_call", '{"path": "a"}')
    assert (patch["type"], patch["input"]) == ("custom_tool_call", "*** Begin Patch")
    assert "response.custom_tool_call_input.done" in kinds(found)


async def test_completions_chunks(demo: DemoUpstream) -> None:
    body = {"model": "demo-fast", "prompt": "def f(", "suffix": ")", "stream_options": {"include_usage": True}}
    *chunks, last, done = await events(demo, "/v1/completions", body)
    assert done == "[DONE]"
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert (last["choices"], last["usage"]["completion_tokens"]) == ([], 16)


@pytest.mark.parametrize(
    ("target", "body", "reason"),
    [
        ("/v1/messages", {**MESSAGE, "stop_sequences": ["zebra", " the"]}, ("stop_sequence", " the")),
        ("/v1/messages", {**MESSAGE, "max_tokens": 7}, ("max_tokens", None)),
        ("/v1/chat/completions", {**CHAT, "stop": " the"}, "stop"),
        ("/v1/chat/completions", {**CHAT, "max_tokens": 7}, "length"),
        ("/v1/chat/completions", {**CHAT, "max_completion_tokens": 7, "max_tokens": 99}, "length"),
    ],
)
async def test_limits_and_stop_sequences(demo: DemoUpstream, target: str, body: dict[str, Any], reason: Any) -> None:
    found = await answer(demo, target, body)
    if target == "/v1/messages":
        text, output = found["content"][0]["text"], found["usage"]["output_tokens"]
        assert (found["stop_reason"], found["stop_sequence"]) == reason
    else:
        text, output = found["choices"][0]["message"]["content"], found["usage"]["completion_tokens"]
        assert found["choices"][0]["finish_reason"] == reason
    assert " the" not in text
    assert output <= 7 or "stop" in str(reason)


async def test_what_an_assistant_wraps_around_the_prompt_is_not_the_prompt(demo: DemoUpstream) -> None:
    blocks = [
        {"type": "text", "text": "<system-reminder>Never mention zebras.</system-reminder>"},
        {"type": "text", "text": "How do I bake bread?"},
    ]
    found = await answer(demo, "/v1/messages", {**MESSAGE, "messages": [{"role": "user", "content": blocks}]})
    assert "bake bread" in found["content"][0]["text"]
    assert "zebras" not in found["content"][0]["text"]


async def test_directive_without_tools_is_no_call(demo: DemoUpstream) -> None:
    found = await answer(demo, "/v1/messages", {**MESSAGE, "messages": TWO_CALLS})
    assert found["stop_reason"] == "end_turn"
    assert "[[" not in found["content"][0]["text"]


async def test_forced_tool_is_called_with_the_least_that_its_schema_takes(demo: DemoUpstream) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    tools = [{"name": "other"}, {"name": "count", "input_schema": schema}]
    choice = {"type": "tool", "name": "count"}
    found = await answer(demo, "/v1/messages", {**MESSAGE, "tools": tools, "tool_choice": choice})
    assert (found["content"][0]["name"], found["content"][0]["input"]) == ("count", {"n": 3})


@pytest.mark.parametrize(
    ("target", "body", "status", "kind"),
    [
        ("/v1/messages", b"{", 400, "invalid_request_error"),
        ("/v1/messages", {"model": "demo-fast", "messages": TURNS}, 400, "invalid_request_error"),
        ("/v1/messages", {"model": "demo-fast", "max_tokens": 9}, 400, "invalid_request_error"),
        ("/v1/messages", {**MESSAGE, "max_tokens": 0}, 400, "invalid_request_error"),
        ("/v1/messages", {**MESSAGE, "model": "demo-embed"}, 400, "invalid_request_error"),
        ("/v1/messages", {**MESSAGE, "model": "nope"}, 404, "not_found_error"),
        ("/v1/messages/batches", {}, 404, "not_found_error"),
    ],
)
async def test_refusals_of_messages(demo: DemoUpstream, target: str, body: object, status: int, kind: str) -> None:
    got, raw = await ask(demo, target, body)
    found = json.loads(raw)
    assert got == status
    assert (found["type"], found["error"]["type"]) == ("error", kind)
    assert found["error"]["message"]
    assert found["request_id"].startswith("req_")


@pytest.mark.parametrize(
    ("target", "body", "status", "code"),
    [
        ("/v1/chat/completions", b"\xff", 400, None),
        ("/v1/chat/completions", {"model": "demo-fast"}, 400, None),
        ("/v1/chat/completions", {**CHAT, "max_tokens": 0}, 400, None),
        ("/v1/chat/completions", {**CHAT, "model": "nope"}, 404, "model_not_found"),
        ("/v1/responses", {"model": "demo-fast"}, 400, None),
        (
            "/v1/responses",
            {"model": "demo-fast", "input": "x", "previous_response_id": "resp_1"},
            400,
            "previous_response_not_found",
        ),
        ("/v1/completions", {"model": "demo-fast", "prompt": ["a", "b"]}, 400, None),
        ("/v1/embeddings", {"model": "demo-embed", "input": []}, 400, None),
        ("/v1/embeddings", {"model": "demo-embed", "input": [None]}, 400, None),
        ("/v1/embeddings", {"model": "demo-embed", "input": "x", "dimensions": 0}, 400, None),
        ("/v1/images", {}, 404, "unknown_url"),
    ],
)
async def test_refusals_of_the_openai_dialects(
    demo: DemoUpstream, target: str, body: object, status: int, code: str | None
) -> None:
    got, raw = await ask(demo, target, body)
    error = json.loads(raw)["error"]
    assert got == status
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert error["message"]
