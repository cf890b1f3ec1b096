"""The demo provider in Gemini's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from demo.calls import answer, ask
from sluicegate.adapters.demo import DemoUpstream

SMART, REASONER = "/v1beta/models/demo-smart", "/v1/models/demo-reasoner"
TOOL = {
    "functionDeclarations": [
        {"name": "look", "parameters": {"type": "OBJECT", "properties": {"place": {"type": "STRING"}}}}
    ]
}


def asked(text: str = "Tell me about rivers.", **values: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **values}


def parts_of(found: Any) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = found["candidates"][0]["content"]["parts"]
    return parts


def text_of(found: Any) -> str:
    return "".join(part["text"] for part in parts_of(found))


async def streamed(demo: DemoUpstream, path: str, body: object) -> list[Any]:
    status, raw = await ask(demo, f"{path}:streamGenerateContent?alt=sse", body)
    assert status == 200, raw
    return [json.loads(block.removeprefix("data: ")) for block in raw.decode().strip().split("\n\n")]


@pytest.mark.parametrize("path", [SMART, REASONER])
async def test_a_stream_is_the_whole_answer_in_pieces(demo: DemoUpstream, path: str) -> None:
    thinking = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
    whole = await answer(demo, f"{path}:generateContent", asked(**thinking))
    *pieces, last = await streamed(demo, path, asked(**thinking))
    assert "".join(text_of(piece) for piece in (*pieces, last)) == text_of(whole)
    assert len(parts_of(whole)) == (2 if path == REASONER else 1)
    assert whole["candidates"][0]["finishReason"] == last["candidates"][0]["finishReason"] == "STOP"
    assert not any("finishReason" in piece["candidates"][0] for piece in pieces)
    used, counted = whole["usageMetadata"], last["usageMetadata"]
    assert used["totalTokenCount"] == counted["totalTokenCount"]
    thoughts = used.get("thoughtsTokenCount", 0)
    assert used["totalTokenCount"] == used["promptTokenCount"] + used["candidatesTokenCount"] + thoughts
    assert (thoughts > 0) == any(part.get("thought") for part in parts_of(whole)) == (path == REASONER)


async def test_without_events_a_stream_is_one_list(demo: DemoUpstream) -> None:
    status, raw = await ask(demo, f"{SMART}:streamGenerateContent", asked())
    pieces = json.loads(raw)
    assert status == 200
    assert len(pieces) > 1
    whole = await answer(demo, f"{SMART}:generateContent", asked())
    assert "".join(map(text_of, pieces)) == text_of(whole)


async def test_tools_are_called_and_their_results_read(demo: DemoUpstream) -> None:
    found = await answer(demo, f"{SMART}:generateContent", asked('x [[tool:look {"place": "sea"}]]', tools=[TOOL]))
    call = {"functionCall": {"name": "look", "args": {"place": "sea"}}}
    assert parts_of(found) == [call]
    turns = [
        *asked('x [[tool:look {"place": "sea"}]]')["contents"],
        {"role": "model", "parts": [call]},
        {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"output": "blue waves"}}}]},
    ]
    found = await answer(demo, f"{SMART}:generateContent", {"contents": turns, "tools": [TOOL]})
    assert "blue waves" in parts_of(found)[0]["text"]


@pytest.mark.parametrize(
    ("config", "called"),
    [({"mode": "ANY"}, True), ({"mode": "ANY", "allowedFunctionNames": ["look"]}, True), ({"mode": "NONE"}, False)],
)
async def test_a_call_can_be_demanded_or_forbidden(demo: DemoUpstream, config: dict[str, Any], called: bool) -> None:
    body = asked("x [[tool:look {}]]", tools=[TOOL], toolConfig={"functionCallingConfig": config})
    assert ("functionCall" in parts_of(await answer(demo, f"{SMART}:generateContent", body))[0]) is called


async def test_json_is_given_where_it_is_asked_for(demo: DemoUpstream) -> None:
    schema = {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]}
    config = {"responseMimeType": "application/json", "responseSchema": schema}
    found = await answer(demo, f"{SMART}:generateContent", asked(generationConfig=config))
    assert isinstance(json.loads(text_of(found))["n"], int)


async def test_a_limit_cuts_the_answer(demo: DemoUpstream) -> None:
    found = await answer(demo, f"{SMART}:generateContent", asked(generationConfig={"maxOutputTokens": 3}))
    assert found["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert found["usageMetadata"]["candidatesTokenCount"] == 3


async def test_counting_agrees_with_the_bill(demo: DemoUpstream) -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "iVBOR" * 10_000}}
    body = {
        "contents": [{"parts": [{"text": "What is it?"}, picture]}],
        "systemInstruction": {"parts": [{"text": "x"}]},
    }
    used = (await answer(demo, f"{SMART}:generateContent", body))["usageMetadata"]["promptTokenCount"]
    assert await answer(demo, f"{SMART}:countTokens", body) == {"totalTokens": used}
    assert await answer(demo, f"{SMART}:countTokens", {"generateContentRequest": body}) == {"totalTokens": used}
    assert 1_600 <= used < 1_700


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        (f"{SMART}:generateContent", {}, 400, "INVALID_ARGUMENT"),
        (f"{SMART}:generateContent", {"contents": []}, 400, "INVALID_ARGUMENT"),
        (f"{SMART}:generateContent", asked(generationConfig={"maxOutputTokens": 0}), 400, "INVALID_ARGUMENT"),
        ("/v1beta/models/none:generateContent", asked(), 404, "NOT_FOUND"),
        ("/v1beta/models/demo-embed:generateContent", asked(), 400, "INVALID_ARGUMENT"),
        (f"{SMART}:embedContent", {}, 404, "NOT_FOUND"),
    ],
)
async def test_refusals_have_their_own_shape(
    demo: DemoUpstream, path: str, body: dict[str, Any], status: int, word: str
) -> None:
    found, raw = await ask(demo, path, body)
    error = json.loads(raw)["error"]
    assert (found, error["code"], error["status"]) == (status, status, word)
