"""What assistants were seen to send, before a provider of their own protocol and before those of others: the exact
request that goes out, the exact answer that comes back, and what is billed.

`recorded` has the requests, and beside them what is expected of each model: where a call is not translated, the bytes
themselves are compared.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from fakes.http_server import Connection
from fakes.provider import Exchange
from fakes.wire import (
    ANTHROPIC_USAGE,
    CHAT_DONE,
    CHAT_USAGE,
    GEMINI_EVENTS,
    MESSAGE_START,
    OPENAI_USAGE,
    RESPONSES_USAGE,
    chunk,
    completion,
    events,
    generated,
    message,
    named,
    response,
    text_chunk,
    whole,
)
from gateway.bench import CREDENTIAL, Bench
from gateway.test_metering import tokens
from sluicegate.domain.catalog import ProviderKind
from sluicegate.gateway.stream.events import data_of, split_events

pytestmark = pytest.mark.any_stack

FOLDER = Path(__file__).parent / "recorded"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
PROVIDERS = {"team-claude": "zeta", "team-gpt": "acme", "team-kimi": "moon", "team-gemini": "goo"}
# Fresh, read, written for 5 minutes and for an hour, output, and reasoning as a part of it. Only some tell how long.
BILLED = {
    "/v1/chat/completions": (11, 100, 7, 0, 17, 4),
    "/v1/messages": (11, 100, 5, 2, 17, 4),
    "/v1/responses": (11, 100, 5, 2, 17, 4),
    "/v1beta/models/goo-model:streamGenerateContent": (18, 100, 0, 0, 17, 4),
}
_ARGUMENTS = '{"input":"a \\"b\\""}'
_MADE = re.compile(r"\b(chatcmpl-|msg_|resp_|rs_|fc_|ctc_|call_)[0-9a-zA-Z]{20,}")


# What providers answer: a thought, a text, and calls of the first and the last tool that they were offered


def tools_in(body: Any) -> list[str]:
    offered = [tool.get("function", tool) for tool in body.get("tools", []) if "max_uses" not in tool]
    known = [tool["name"] for tool in offered if tool.get("name") and "tools" not in tool]
    return list(dict.fromkeys(known[:1] + known[-1:]))


def chat_stream(names: list[str]) -> tuple[bytes, ...]:
    """The calls interleave, and their arguments come in pieces."""

    def call(place: int, **values: Any) -> bytes:
        return chunk([{"index": 0, "delta": {"tool_calls": [{"index": place, **values}]}, "finish_reason": None}])

    begins = [
        call(i, id=f"call_{i}", type="function", function={"name": n, "arguments": ""}) for i, n in enumerate(names)
    ]
    half = len(_ARGUMENTS) // 2
    pieces = [
        call(i, function={"arguments": part})
        for part in (_ARGUMENTS[:half], _ARGUMENTS[half:])
        for i in range(len(names))
    ]
    thought = chunk([{"index": 0, "delta": {"role": "assistant", "reasoning_content": "hm"}, "finish_reason": None}])
    end = chunk([{"index": 0, "delta": {}, "finish_reason": "tool_calls" if names else "stop"}], usage=None)
    return (thought, text_chunk("I "), text_chunk("look."), *begins, *pieces, end, CHAT_USAGE, CHAT_DONE)


def message_stream(names: list[str]) -> tuple[bytes, ...]:
    def block(index: int, opened: dict[str, Any], *deltas: dict[str, Any]) -> list[bytes]:
        return [
            named("content_block_start", index=index, content_block=opened),
            *(named("content_block_delta", index=index, delta=delta) for delta in deltas),
            named("content_block_stop", index=index),
        ]

    signed = {"type": "signature_delta", "signature": "c2ln"}
    told = block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "hm"}, signed)
    texts = [{"type": "text_delta", "text": text} for text in ("I ", "look.")]
    told += [named("ping"), *block(1, {"type": "text", "text": ""}, *texts)]
    for place, name in enumerate(names):
        half = len(_ARGUMENTS) // 2
        parts = [{"type": "input_json_delta", "partial_json": p} for p in (_ARGUMENTS[:half], _ARGUMENTS[half:])]
        told += block(2 + place, {"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": {}}, *parts)
    reason = {"stop_reason": "tool_use" if names else "end_turn", "stop_sequence": None}
    usage = {"output_tokens": 17, "output_tokens_details": {"thinking_tokens": 4}}
    return (MESSAGE_START, *told, named("message_delta", delta=reason, usage=usage), named("message_stop"))


def response_items(names: list[str]) -> list[dict[str, Any]]:
    text = {"type": "output_text", "text": "I look.", "annotations": [], "logprobs": []}
    return [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [text]},
        *(
            {"type": "function_call", "id": f"fc_{i}", "call_id": f"call_{i}", "name": n, "arguments": _ARGUMENTS}
            for i, n in enumerate(names)
        ),
    ]


def response_stream(names: list[str]) -> tuple[bytes, ...]:
    items = response_items(names)
    told: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": response(status="in_progress", usage=None, output=[])})
    ]
    for index, item in enumerate(items):
        place = {"output_index": index, "item_id": item["id"]}
        told.append(("response.output_item.added", {"output_index": index, "item": item | {"arguments": ""}}))
        match item["type"]:
            case "reasoning":
                told.append(("response.reasoning_summary_text.delta", {**place, "summary_index": 0, "delta": "hm"}))
            case "message":
                told += [("response.output_text.delta", {**place, "delta": text}) for text in ("I ", "look.")]
            case _:
                told.append(("response.function_call_arguments.delta", {**place, "delta": _ARGUMENTS}))
        told.append(("response.output_item.done", {"output_index": index, "item": item}))
    told.append(("response.completed", {"response": response(output=items, usage=RESPONSES_USAGE)}))
    return tuple(named(kind, sequence_number=number, **values) for number, (kind, values) in enumerate(told))


def chat_whole(names: list[str]) -> dict[str, Any]:
    calls = [
        {"id": f"call_{i}", "type": "function", "function": {"name": n, "arguments": _ARGUMENTS}}
        for i, n in enumerate(names)
    ]
    said = {"role": "assistant", "content": "I look.", "reasoning_content": "hm"} | (
        {"tool_calls": calls} if calls else {}
    )
    reason = "tool_calls" if calls else "stop"
    return completion(choices=[{"index": 0, "message": said, "finish_reason": reason}], usage=OPENAI_USAGE)


def message_whole(names: list[str]) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "text", "text": "I look."},
        *(
            {"type": "tool_use", "id": f"toolu_{i}", "name": n, "input": json.loads(_ARGUMENTS)}
            for i, n in enumerate(names)
        ),
    ]
    return message(content=blocks, stop_reason="tool_use" if names else "end_turn", usage=ANTHROPIC_USAGE)


_STREAMS = {
    "/v1/chat/completions": chat_stream,
    "/v1/messages": message_stream,
    "/v1/responses": response_stream,
}
_WHOLES: dict[str, Any] = {
    "/v1/chat/completions": chat_whole,
    "/v1/messages": message_whole,
    "/v1/responses": lambda names: response(output=response_items(names)),
}


def told_by(exchange: Exchange) -> tuple[bytes, ...] | dict[str, Any]:
    """The events of a stream, or a whole answer."""
    if exchange.path not in _STREAMS:
        return GEMINI_EVENTS if "stream" in exchange.path else generated()
    names = tools_in(exchange.json)
    return (_STREAMS if exchange.json.get("stream") else _WHOLES)[exchange.path](names)


async def provider_answer(connection: Connection, exchange: Exchange) -> None:
    told = told_by(exchange)
    await (events(*told) if isinstance(told, tuple) else whole(told))(connection, exchange)


# The comparison


def recorded(name: str, model: str) -> tuple[str, dict[str, str], bytes]:
    """Path, headers and body as the assistant sends them for a model."""
    asked = json.loads((FOLDER / f"{name}.json").read_text())
    keys = {
        "authorization": f"Bearer {CREDENTIAL.text}",
        "x-api-key": CREDENTIAL.text,
        "x-goog-api-key": CREDENTIAL.text,
    }
    headers = {header: keys[header] if value == "KEY" else value for header, value in asked["headers"].items()}
    body = asked["body"] | ({"model": model} if "model" in asked["body"] else {})
    return asked["path"].replace("MODEL", model), headers, json.dumps(body).encode()


def masked(text: bytes) -> Any:
    """JSON without the ids and times that the gateway makes up."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: 0 if k in ("created", "created_at") else plain(v) for k, v in value.items()}
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        return _MADE.sub(r"\1…", value) if isinstance(value, str) else value

    return plain(json.loads(text))


def heard(answer: httpx.Response) -> Any:
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return masked(answer.content)
    told = [data for event in split_events(answer.content) if (data := data_of(event))]
    return [data.decode() if data == b"[DONE]" else masked(data) for data in told]


def observed(exchange: Exchange, answer: httpx.Response) -> dict[str, Any]:
    """All of a translated call that is not the gateway's own affair."""
    framing = ("host", "content-length")
    headers = {name.decode(): value.decode() for name, value in exchange.headers if name.decode() not in framing}
    return {"target": exchange.target, "headers": headers, "body": exchange.json, "answer": heard(answer)}


CASES = [(name, model) for name in NAMES for model in json.loads((FOLDER / f"{name}.json").read_text())["models"]]
EXPECTED = {path.stem for path in (FOLDER / "expected").glob("*.json")}


@pytest.mark.parametrize("name", NAMES)
async def test_every_recorded_request_is_served_by_every_provider(bench: Bench, name: str) -> None:
    await bench.add_model("team-kimi", ProviderKind.MOONSHOT, "moon")
    for model in [model for recording, model in CASES if recording == name]:
        path, headers, body = recorded(name, model)
        bench.provider.next(provider_answer)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bench.port}", timeout=20) as client:
            answer = await client.post(path, content=body, headers={"content-type": "application/json", **headers})
        assert answer.status_code == 200, (model, answer.text)
        exchange = bench.provider.log[-1]
        assert exchange.header("authorization") != f"Bearer {CREDENTIAL.text}"
        assert CREDENTIAL.text not in str(exchange.headers) + exchange.target
        if f"{name}.{model}" in EXPECTED:
            wanted = json.loads((FOLDER / "expected" / f"{name}.{model}.json").read_text())
            assert observed(exchange, answer) == wanted, model
        else:
            assert_passed_through(exchange, answer, path, headers, body, model)
        record = (await bench.ledger())[0]
        assert (record.provider_name, record.outcome, record.estimated) == (PROVIDERS[model], "ok", False)
        assert tokens(record) == BILLED[exchange.path]
    await bench.assert_settled()


def assert_passed_through(
    exchange: Exchange, answer: httpx.Response, path: str, headers: dict[str, str], body: bytes, model: str
) -> None:
    """To the byte, but for the model's name and the key; the usage that only the gateway asked for stays with it."""
    backend = f"{PROVIDERS[model]}-model"
    assert exchange.target == path.replace(model, backend)
    sent = json.loads(body)
    unasked = exchange.path == "/v1/chat/completions" and "stream_options" not in sent
    wanted = sent | ({"model": backend} if "model" in sent else {})
    assert exchange.json == wanted | ({"stream_options": {"include_usage": True}} if unasked else {})
    own = {"authorization", "x-api-key", "x-goog-api-key", "accept-encoding"}
    assert {name: exchange.header(name) for name in headers if name not in own} == {
        name: value for name, value in headers.items() if name not in own
    }
    told = told_by(exchange)
    if isinstance(told, tuple):
        assert answer.content == b"".join(event for event in told if not (unasked and event == CHAT_USAGE))
    else:
        assert answer.json() == told


def test_every_expectation_is_of_a_case() -> None:
    assert {tuple(stem.split(".")) for stem in EXPECTED} <= set(CASES)
    # One protocol for each recording is its own.
    native = [case for case in CASES if ".".join(case) not in EXPECTED]
    assert len(native) == len(NAMES) - 1, "all but Cursor's"


async def test_codex_is_sent_from_its_web_socket_to_http(bench: Bench) -> None:
    asked = {"authorization": f"Bearer {CREDENTIAL.text}", "openai-beta": "responses_websockets=2026-02-06"}
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{bench.port}/v1/responses", additional_headers=asked, proxy=None)
    assert refused.value.response.status_code == 426
