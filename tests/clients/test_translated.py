"""Every client before a provider of its own protocol and before one of another, with exact usage afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from anthropic import Anthropic
from anthropic.types import TextBlock
from openai import OpenAI

from clients.gateway import USAGE, Gateway, Watched
from clients.test_claude_code import ask as ask_claude
from clients.test_codex import ask as ask_codex
from clients.upstream import ANTHROPIC, CHAT_ONLY, OPENAI, Upstream
from fakes.answers import TEXT, TEXT_AFTER_TOOL

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"


@pytest.fixture
def gateway(upstream: Upstream) -> Gateway:
    """The one before that provider, also for `ledger`."""
    return upstream.gateway


def paths(upstream: Upstream, known: int) -> list[str]:
    return [call.path for call in upstream.asked()[known:]]


@pytest.mark.parametrize(("model", "path"), [(ANTHROPIC, MESSAGES), (OPENAI, CHAT), (CHAT_ONLY, CHAT)])
def test_claude_code_runs_a_command(
    gateway: Gateway, ledger: Watched, upstream: Upstream, tmp_path: Path, model: str, path: str
) -> None:
    known = len(upstream.asked())
    prompt = 'x [[tool:Bash {"command":"echo tool-$((40+2))"}]]'
    done = ask_claude(gateway, tmp_path, prompt, "--allowedTools", "Bash", key=gateway.key, model=model)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["result"] == TEXT_AFTER_TOOL
    calls = upstream.asked()[known:]
    assert {call.path for call in calls} == {path}
    assert "tool-42" in calls[-1].body.decode()
    assert ledger.exact(model, len(calls)) == ["claude-code"] * len(calls)
    usage, read, written = answer["usage"], USAGE[1], USAGE[2]
    assert usage["cache_read_input_tokens"] == 2 * read
    assert usage["cache_creation_input_tokens"] == 2 * written
    assert usage["input_tokens"] == 2 * (USAGE[0] - read - written)
    assert usage["output_tokens"] == 2 * USAGE[3]


@pytest.mark.parametrize(("model", "path"), [(OPENAI, RESPONSES), (ANTHROPIC, MESSAGES), (CHAT_ONLY, CHAT)])
def test_codex_runs_a_command(
    gateway: Gateway, ledger: Watched, upstream: Upstream, tmp_path: Path, model: str, path: str
) -> None:
    known = len(upstream.asked())
    prompt = 'x [[tool:exec_command {"cmd":"echo tool-$((40+2))"}]]'
    code, events, output = ask_codex(gateway, tmp_path, prompt, model=model, key=gateway.key)
    assert code == 0, output
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    assert any("tool-42" in item.get("aggregated_output", "") for item in items), output
    assert items[-1]["text"] == TEXT_AFTER_TOOL
    assert paths(upstream, known) == [path] * 2
    assert ledger.exact(model, 2) == ["codex"] * 2
    (usage,) = [event["usage"] for event in events if event["type"] == "turn.completed"]
    assert (usage["input_tokens"], usage["cached_input_tokens"]) == (2 * USAGE[0], 2 * USAGE[1])
    assert usage["output_tokens"] == 2 * USAGE[3]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("model", "path"), [(OPENAI, CHAT), (ANTHROPIC, MESSAGES)])
def test_the_openai_sdk_chats(
    gateway: Gateway, ledger: Watched, upstream: Upstream, model: str, path: str, stream: bool
) -> None:
    known = len(upstream.asked())
    asked = [{"role": "user", "content": "Say hello."}]
    with OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client:
        if stream:
            options = {"include_usage": True}
            chunks = list(
                client.chat.completions.create(model=model, messages=asked, stream=True, stream_options=options)
            )
            text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
            usage = chunks[-1].usage
        else:
            answer = client.chat.completions.create(model=model, messages=asked)
            text, usage = answer.choices[0].message.content, answer.usage
    assert text == TEXT
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    told = (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens, usage.completion_tokens)
    assert told == (USAGE[0], USAGE[1], USAGE[3])
    assert paths(upstream, known) == [path]
    assert ledger.exact(model) == ["openai-python"]


@pytest.mark.parametrize(("model", "path"), [(OPENAI, RESPONSES), (ANTHROPIC, MESSAGES), (CHAT_ONLY, CHAT)])
def test_the_openai_sdk_gets_responses(
    gateway: Gateway, ledger: Watched, upstream: Upstream, model: str, path: str
) -> None:
    known = len(upstream.asked())
    with (
        OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client,
        client.responses.stream(model=model, input="Say hello.") as stream,
    ):
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == final.output_text == TEXT
    assert final.usage is not None
    told = (final.usage.input_tokens, final.usage.input_tokens_details.cached_tokens, final.usage.output_tokens)
    assert told == (USAGE[0], USAGE[1], USAGE[3])
    assert paths(upstream, known) == [path]
    assert ledger.exact(model) == ["openai-python"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("model", "path"), [(ANTHROPIC, MESSAGES), (OPENAI, CHAT)])
def test_the_anthropic_sdk_gets_messages(
    gateway: Gateway, ledger: Watched, upstream: Upstream, model: str, path: str, stream: bool
) -> None:
    known = len(upstream.asked())
    asked = {"model": model, "max_tokens": 200, "messages": [{"role": "user", "content": "Say hello."}]}
    with Anthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0) as client:
        if stream:
            with client.messages.stream(**asked) as told:
                answer = told.get_final_message()
        else:
            answer = client.messages.create(**asked)
    block = answer.content[0]
    assert isinstance(block, TextBlock)
    assert block.text == TEXT
    usage = answer.usage
    told_input = usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    assert (told_input, usage.cache_read_input_tokens, usage.output_tokens) == (USAGE[0], USAGE[1], USAGE[3])
    assert paths(upstream, known) == [path]
    assert ledger.exact(model) == ["anthropic-python"]
