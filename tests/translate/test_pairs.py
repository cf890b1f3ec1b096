"""Every protocol against every other one, with a provider that really answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluicegate.domain.catalog import Protocol
from translate.calls import PAIRS, asking, assembled, provided, streamed, whole

_TOOL = 'run it [[tool:Bash {"command":"echo hi"}]]'
_TWO_TOOLS = 'both [[tool:Bash {"command":"one"}]] [[tool:Bash {"command":"two"}]]'


def _of_whole(caller: Protocol, answer: dict[str, Any]) -> tuple[str, list[tuple[str, Any]], str, dict[str, Any]]:
    match caller:
        case Protocol.CHAT:
            choice = answer["choices"][0]
            calls = [c["function"] for c in choice["message"].get("tool_calls", ())]
            made = [(c["name"], json.loads(c["arguments"])) for c in calls]
            return choice["message"]["content"] or "", made, choice["finish_reason"], answer["usage"]
        case Protocol.MESSAGES:
            text = "".join(block.get("text", "") for block in answer["content"])
            made = [(b["name"], b["input"]) for b in answer["content"] if b["type"] == "tool_use"]
            return text, made, answer["stop_reason"], answer["usage"]
        case Protocol.RESPONSES:
            items = answer["output"]
            text = "".join(part["text"] for i in items if i["type"] == "message" for part in i["content"])
            made = [(i["name"], json.loads(i["arguments"])) for i in items if i["type"] == "function_call"]
            return text, made, answer["status"], answer["usage"]


_ENDS = {
    Protocol.CHAT: ("stop", "tool_calls"),
    Protocol.MESSAGES: ("end_turn", "tool_use"),
    Protocol.RESPONSES: ("completed", "completed"),
}


def _fresh_and_out(caller: Protocol, usage: dict[str, Any]) -> tuple[int, int]:
    """All input tokens and all output tokens."""
    if caller is Protocol.CHAT:
        return usage["prompt_tokens"], usage["completion_tokens"]
    total = usage["input_tokens"]
    if caller is Protocol.MESSAGES:
        total += usage["cache_creation_input_tokens"] + usage["cache_read_input_tokens"]
    return total, usage["output_tokens"]


@pytest.mark.parametrize(("caller", "provider"), PAIRS)
def test_a_question_gets_the_answer_that_the_provider_gave(caller: Protocol, provider: Protocol) -> None:
    text, calls, end, usage = _of_whole(caller, whole(caller, provider, asking(caller, "say hi")))
    direct, _, _, told = _of_whole(provider, json.loads(provided(provider, _native(provider, "say hi"))))
    assert text == direct != ""
    assert calls == []
    assert end == _ENDS[caller][0]
    assert _fresh_and_out(caller, usage)[1] == _fresh_and_out(provider, told)[1]


def _native(provider: Protocol, text: str) -> bytes:
    body = asking(provider, text)
    body.pop("stream_options", None)
    return json.dumps({**body, "model": "demo-smart"}).encode()


@pytest.mark.parametrize(("caller", "provider"), PAIRS)
def test_a_stream_says_what_the_whole_answer_says(caller: Protocol, provider: Protocol) -> None:
    body = asking(caller, "say hi")
    text, calls, end, usage = _of_whole(caller, whole(caller, provider, body))
    found = assembled(caller, streamed(caller, provider, body))
    assert found[0] == text
    assert found[1] == calls == []
    assert found[2] == end
    assert _fresh_and_out(caller, found[3]) == _fresh_and_out(caller, usage)


@pytest.mark.parametrize("ask", [_TOOL, _TWO_TOOLS])
@pytest.mark.parametrize(("caller", "provider"), PAIRS)
def test_tool_calls_arrive_whole_and_in_order(caller: Protocol, provider: Protocol, ask: str) -> None:
    wanted = [("Bash", {"command": word}) for word in (("echo hi",) if ask is _TOOL else ("one", "two"))]
    body = asking(caller, ask, tools=True)
    _, calls, end, _ = _of_whole(caller, whole(caller, provider, body))
    assert calls == wanted
    assert end == _ENDS[caller][1]
    found = assembled(caller, streamed(caller, provider, body))
    assert [(name, json.loads(arguments)) for name, arguments in found[1]] == wanted
    assert found[2] == _ENDS[caller][1]


@pytest.mark.parametrize(("caller", "provider"), PAIRS)
def test_a_limit_on_the_answer_is_kept_and_its_end_is_told(caller: Protocol, provider: Protocol) -> None:
    names = {Protocol.CHAT: "max_completion_tokens", Protocol.MESSAGES: "max_tokens"}
    body = asking(caller, "write a long story about rivers and gates", **{names.get(caller, "max_output_tokens"): 16})
    _, _, end, usage = _of_whole(caller, whole(caller, provider, body))
    cut = {Protocol.CHAT: "length", Protocol.MESSAGES: "max_tokens", Protocol.RESPONSES: "incomplete"}
    assert end == cut[caller]
    assert _fresh_and_out(caller, usage)[1] == 16
    assert assembled(caller, streamed(caller, provider, body))[2] == cut[caller]


@pytest.mark.parametrize(("caller", "provider"), PAIRS)
def test_a_tool_loop_comes_to_its_end(caller: Protocol, provider: Protocol) -> None:
    body = asking(caller, _TOOL, tools=True)
    body = _with_result(caller, body, whole(caller, provider, body), "the tool said hello")
    text, calls, end, _ = _of_whole(caller, whole(caller, provider, body))
    assert calls == []
    assert "the tool said hello" in text
    assert end == _ENDS[caller][0]


def _with_result(caller: Protocol, body: dict[str, Any], answer: dict[str, Any], result: str) -> dict[str, Any]:
    match caller:
        case Protocol.CHAT:
            message = answer["choices"][0]["message"]
            reply = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": result}
            return {**body, "messages": [*body["messages"], message, reply]}
        case Protocol.MESSAGES:
            block = next(b for b in answer["content"] if b["type"] == "tool_use")
            reply = {"type": "tool_result", "tool_use_id": block["id"], "content": result}
            turns = [{"role": "assistant", "content": answer["content"]}, {"role": "user", "content": [reply]}]
            return {**body, "messages": [*body["messages"], *turns]}
        case Protocol.RESPONSES:
            call = next(i for i in answer["output"] if i["type"] == "function_call")
            reply = {"type": "function_call_output", "call_id": call["call_id"], "output": result}
            return {**body, "input": [{"role": "user", "content": body["input"]}, *answer["output"], reply]}
