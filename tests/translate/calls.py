"""A caller of one protocol, the demo provider speaking another, and the translator between them."""

from __future__ import annotations

import json
from typing import Any

from sluicegate.adapters.demo.provider import DemoProvider
from sluicegate.domain.catalog import Protocol
from sluicegate.gateway.stream.events import EventSplitter, data_of, split_events
from sluicegate.gateway.translate.form import Target
from sluicegate.gateway.translate.translator import Translator
from sluicegate.kit.clock import SystemClock

PATHS = {
    Protocol.CHAT: "/v1/chat/completions",
    Protocol.MESSAGES: "/v1/messages",
    Protocol.RESPONSES: "/v1/responses",
}
PAIRS = [(caller, provider) for caller in Protocol for provider in Protocol if caller is not provider]
MODEL = "demo-smart"


def asking(protocol: Protocol, text: str, *, tools: bool = False, **more: Any) -> dict[str, Any]:
    """The same question in each protocol."""
    schema = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
    match protocol:
        case Protocol.CHAT:
            body: dict[str, Any] = {
                "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]
            }
            if tools:
                function = {"name": "Bash", "description": "Runs a command", "parameters": schema}
                body["tools"] = [{"type": "function", "function": function}]
            body["stream_options"] = {"include_usage": True}
        case Protocol.MESSAGES:
            body = {"system": "Be brief.", "messages": [{"role": "user", "content": text}], "max_tokens": 4_000}
            if tools:
                body["tools"] = [{"name": "Bash", "description": "Runs a command", "input_schema": schema}]
        case Protocol.RESPONSES:
            body = {"instructions": "Be brief.", "input": text}
            if tools:
                function = {"name": "Bash", "description": "Runs a command", "parameters": schema}
                body["tools"] = [{"type": "function", **function}]
    return {"model": "team-model", **body, **more}


def translator(body: dict[str, Any], caller: Protocol, *, answered: Protocol | None = None) -> Translator:
    return Translator(body, caller, answered or caller, model="team-model", created=1_760_000_000, input_estimate=77)


def provided(provider: Protocol, body: bytes) -> bytes:
    """What the demo provider says to a body of its own protocol."""
    headers = [(b"anthropic-version", b"2023-06-01")] if provider is Protocol.MESSAGES else []
    answer = DemoProvider(SystemClock()).answer("POST", PATHS[provider], headers, body)
    assert answer.status == 200, answer.body
    return answer.body


def whole(caller: Protocol, provider: Protocol, body: dict[str, Any]) -> Any:
    between = translator(body, caller)
    answer = between.answer(provider, provided(provider, between.request(provider, Target(MODEL, 4_096))))
    assert answer is not None
    return json.loads(answer)


def streamed(caller: Protocol, provider: Protocol, body: dict[str, Any]) -> list[Any]:
    between = translator({**body, "stream": True}, caller)
    raw = provided(provider, between.request(provider, Target(MODEL, 4_096)))
    return events_of(between.stream(provider).feed(raw))


def events_of(raw: bytes) -> list[Any]:
    """The data of a stream's events; `[DONE]` as text."""
    found: list[Any] = []
    for event in split_events(raw):
        data = data_of(event)
        if not data:
            continue
        decoded = data.decode() if data == b"[DONE]" else json.loads(data)
        if event.startswith(b"event: "):
            assert event.partition(b"\n")[0] == b"event: " + decoded["type"].encode()
        found.append(decoded)
    return found


def in_pieces(between: Translator, provider: Protocol, pieces: list[bytes]) -> bytes:
    """As the relay does it: whole events only reach the translator."""
    splitter, stream = EventSplitter(), between.stream(provider)
    return b"".join(stream.feed(block) for piece in pieces if (block := splitter.feed(piece)))


def assembled(caller: Protocol, found: list[Any]) -> tuple[str, list[tuple[str, str]], str, Any]:
    """Text, calls as (name, arguments), how it ended, and usage, out of a stream that must be well-formed."""
    match caller:
        case Protocol.CHAT:
            return _chat(found)
        case Protocol.MESSAGES:
            return _messages(found)
        case Protocol.RESPONSES:
            return _responses(found)


def _chat(found: list[Any]) -> tuple[str, list[tuple[str, str]], str, Any]:
    assert found[-1] == "[DONE]"
    text, calls, finish, usage = "", dict[int, list[str]](), "", None
    roles = 0
    for chunk in found[:-1]:
        assert chunk["object"] == "chat.completion.chunk"
        usage = chunk["usage"] or usage
        for choice in chunk["choices"]:
            assert not finish, "nothing follows the finish reason"
            delta = choice["delta"]
            roles += "role" in delta
            text += delta.get("content") or ""
            for call in delta.get("tool_calls", ()):
                made = calls.setdefault(call["index"], ["", ""])
                made[0] += call["function"].get("name", "")
                made[1] += call["function"]["arguments"]
            finish = choice["finish_reason"] or ""
    assert roles == 1
    return text, [(name, arguments) for name, arguments in calls.values()], finish, usage


def _messages(found: list[Any]) -> tuple[str, list[tuple[str, str]], str, Any]:
    assert found[0]["type"] == "message_start"
    assert found[0]["message"]["usage"]["input_tokens"] > 0
    assert [event["type"] for event in found[-2:]] == ["message_delta", "message_stop"]
    text, calls, open_index, next_index = "", list[list[str]](), -1, 0
    for event in found[1:-2]:
        match event["type"]:
            case "content_block_start":
                assert open_index == -1, "blocks do not overlap"
                assert event["index"] == next_index
                open_index = next_index
                next_index += 1
                if event["content_block"]["type"] == "tool_use":
                    assert event["content_block"]["input"] == {}
                    calls.append([event["content_block"]["name"], ""])
            case "content_block_delta":
                assert event["index"] == open_index
                text += event["delta"].get("text", "")
                if calls:
                    calls[-1][1] += event["delta"].get("partial_json", "")
            case "content_block_stop":
                assert event["index"] == open_index
                open_index = -1
            case other:
                assert other == "ping"
    assert open_index == -1
    return text, [(name, made) for name, made in calls], found[-2]["delta"]["stop_reason"], found[-2]["usage"]


def _responses(found: list[Any]) -> tuple[str, list[tuple[str, str]], str, Any]:
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert [event["type"] for event in found[:2]] == ["response.created", "response.in_progress"]
    final = found[-1]["response"]
    assert found[-1]["type"] == f"response.{final['status']}"
    done = [event["item"] for event in found if event["type"] == "response.output_item.done"]
    assert done == final["output"]
    text = "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")
    said = "".join(part["text"] for item in done if item["type"] == "message" for part in item["content"])
    assert text == said
    calls = [(item["name"], item["arguments"]) for item in done if item["type"] == "function_call"]
    return text, calls, final["status"], final["usage"]
