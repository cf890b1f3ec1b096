"""A stream says the same as a whole answer, whatever was asked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from demo.calls import answer, events
from sluicegate.adapters.demo import DemoUpstream
from sluicegate.kit.clock import ManualClock

MODELS = st.sampled_from(["demo-fast", "demo-smart", "demo-reasoner"])
LIMITS = st.one_of(st.none(), st.integers(1, 300))
ASKS = st.one_of(
    st.text(max_size=200),
    st.sampled_from(["hi", "say pong", "Write a poem about rain", 'x [[tool:f {"a": "]]"}]]', "[[tool:f", "{topic}"]),
)
STOPS = st.lists(st.text(min_size=1, max_size=3), max_size=3)


def _demo() -> DemoUpstream:
    # Each call gets its own, since a repeated prompt would be read from the prompt cache.
    return DemoUpstream(tokens_per_second=0, clock=ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))


def _both(target: str, body: dict[str, Any]) -> tuple[Any, list[Any]]:
    async def run() -> tuple[Any, list[Any]]:
        return await answer(_demo(), target, body), await events(_demo(), target, body)

    return asyncio.run(run())


@settings(max_examples=60, deadline=None)
@given(MODELS, ASKS, LIMITS, STOPS, st.booleans())
def test_chat(model: str, ask: str, limit: int | None, stops: list[str], tools: bool) -> None:
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": ask}], "stop": stops}
    body |= {"max_completion_tokens": limit, "stream_options": {"include_usage": True}}
    if tools:
        body["tools"] = [{"type": "function", "function": {"name": "f"}}]
    whole, (*chunks, last, _) = _both("/v1/chat/completions", body)
    message, finish = whole["choices"][0]["message"], whole["choices"][0]["finish_reason"]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert "".join(delta.get("content") or "" for delta in deltas) == (message["content"] or "")
    arguments = "".join(call["function"]["arguments"] for delta in deltas for call in delta.get("tool_calls", []))
    assert arguments == "".join(call["function"]["arguments"] for call in message.get("tool_calls", []))
    assert chunks[-1]["choices"][0]["finish_reason"] == finish
    assert last["usage"] == whole["usage"]
    assert limit is None or whole["usage"]["completion_tokens"] <= limit


@settings(max_examples=60, deadline=None)
@given(MODELS, ASKS, st.integers(1, 300), STOPS, st.booleans(), st.booleans())
def test_messages(model: str, ask: str, limit: int, stops: list[str], tools: bool, thinks: bool) -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    body: dict[str, Any] = {"model": model, "max_tokens": limit, "stop_sequences": stops}
    body["messages"] = [{"role": "user", "content": [{"type": "text", "text": ask, **mark}]}]
    if tools:
        body["tools"] = [{"name": "f"}]
    if thinks:
        body["thinking"] = {"type": "adaptive"}
    whole, found = _both("/v1/messages", body)
    assert _text(found, "text") == "".join(b["text"] for b in whole["content"] if b["type"] == "text")
    assert _text(found, "thinking") == "".join(b["thinking"] for b in whole["content"] if b["type"] == "thinking")
    assert found[-2]["delta"] == {name: whole[name] for name in ("stop_reason", "stop_sequence")}
    streamed = {**found[0]["message"]["usage"], **found[-2]["usage"]}
    assert streamed == whole["usage"]
    assert whole["usage"]["output_tokens"] <= limit


@settings(max_examples=60, deadline=None)
@given(MODELS, ASKS, LIMITS, st.booleans())
def test_responses(model: str, ask: str, limit: int | None, tools: bool) -> None:
    body: dict[str, Any] = {"model": model, "input": ask, "max_output_tokens": limit}
    body["reasoning"] = {"summary": "auto"}
    if tools:
        body["tools"] = [{"type": "function", "name": "f"}]
    whole, found = _both("/v1/responses", body)
    final = found[-1]["response"]
    text = "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")
    parts = [part for item in whole["output"] if item["type"] == "message" for part in item["content"]]
    assert text == "".join(part["text"] for part in parts)
    assert [_nameless(item) for item in final["output"]] == [_nameless(item) for item in whole["output"]]
    assert (final["status"], final["usage"]) == (whole["status"], whole["usage"])
    assert limit is None or whole["usage"]["output_tokens"] <= limit


def _text(found: list[Any], kind: str) -> str:
    deltas = [event["delta"] for event in found if event["type"] == "content_block_delta"]
    return "".join(delta[kind] for delta in deltas if delta["type"] == f"{kind}_delta")


def _nameless(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in ("id", "call_id")}
