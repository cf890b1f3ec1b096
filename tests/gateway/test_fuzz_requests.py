"""Whatever a caller sends is answered in the caller's own words, is the caller's fault, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bench import Bench
from gateway.fuzz import FUZZED, Heard, Talker, assert_well_formed, bodies, in_order, rendered, request
from sluicegate.domain.catalog import Dialect, ProviderKind

pytestmark = pytest.mark.any_stack

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
PICTURE = "data:image/png;base64,iVBORw0KGgo="
CHATTED: dict[str, Any] = {
    "model": "team-gpt",
    "messages": [
        {"role": "system", "content": "be brief"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": '{"path":"a"}'}},
                {"id": "call_2", "type": "custom", "custom": {"name": "patch", "input": "x"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "done"}]},
        {"role": "tool", "tool_call_id": "call_2", "content": "done"},
        {"role": "user", "content": "go on"},
    ],
    "tools": [
        {"type": "function", "function": {"name": "read", "description": "d", "parameters": SCHEMA, "strict": False}},
        {"type": "custom", "custom": {"name": "patch", "format": {"type": "grammar", "grammar": {"definition": "x"}}}},
    ],
    "tool_choice": {"type": "function", "function": {"name": "read"}},
    "parallel_tool_calls": True,
    "max_tokens": 64,
    "temperature": 0.5,
    "top_p": 0.9,
    "stop": ["END"],
    "stream": True,
    "stream_options": {"include_usage": True},
    "reasoning_effort": "low",
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}},
    "n": 1,
}
RESPONDED: dict[str, Any] = {
    "model": "team-gpt",
    "instructions": "be brief",
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "rules"}]},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": PICTURE, "detail": "auto"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"},
        {"type": "function_call", "call_id": "call_1", "name": "read", "namespace": "mcp", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "done"}]},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "patch", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "done"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "so"}]},
    ],
    "tools": [
        {"type": "function", "name": "read", "parameters": SCHEMA, "strict": False},
        {"type": "namespace", "name": "mcp", "tools": [{"type": "function", "name": "read", "parameters": SCHEMA}]},
        {"type": "custom", "name": "patch", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
        {"type": "web_search"},
    ],
    "tool_choice": {"type": "function", "name": "read"},
    "parallel_tool_calls": True,
    "reasoning": {"effort": "low", "summary": "auto"},
    "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}, "verbosity": "low"},
    "max_output_tokens": 64,
    "temperature": 0.5,
    "stream": True,
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "k",
    "client_metadata": {"a": "b"},
}
SAID: dict[str, Any] = {
    "model": "team-claude",
    "max_tokens": 64,
    "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                {"type": "document", "title": "t", "source": {"type": "text", "data": "words"}},
            ],
        },
        {"role": "system", "content": "reminder"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "a"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "content": [{"type": "text", "text": "done"}],
                    "is_error": False,
                },
                {"type": "text", "text": "go on"},
            ],
        },
    ],
    "tools": [{"name": "read", "description": "d", "input_schema": SCHEMA}, {"type": "web_search_20250305"}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 2048},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    "metadata": {"user_id": "u"},
    "stop_sequences": ["END"],
    "temperature": 1,
    "top_k": 5,
    "stream": True,
}
COMPLETED: dict[str, Any] = {
    **{"model": "team-gpt", "prompt": ["a", "b"], "suffix": "c", "max_tokens": 8, "stop": ["x"], "stream": True},
    "stream_options": {"include_usage": False},
}
EMBEDDED: dict[str, Any] = {
    **{"model": "team-embed", "input": ["a", "b"], "dimensions": 8, "encoding_format": "base64", "user": "u"},
}
GENERATED: dict[str, Any] = {
    "contents": [
        {"role": "user", "parts": [{"text": "look"}, {"inlineData": {"mimeType": "image/png", "data": "iVBO"}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "read", "args": {"path": "a"}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "read", "response": {"ok": True}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "be brief"}]},
    "tools": [{"functionDeclarations": [{"name": "read", "parameters": SCHEMA}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
    "generationConfig": {"maxOutputTokens": 64, "temperature": 0.5, "responseSchema": SCHEMA, "stopSequences": ["x"]},
}
COUNTED: dict[str, Any] = {"generateContentRequest": {"model": "models/team-gemini", **GENERATED}}
GEMINI = "/gateway/gemini/v1beta/models/team-gemini"

# Path, body, dialect of the answer. What a model's provider speaks beside it decides what is translated.
ROUTES: dict[str, tuple[str, dict[str, Any], Dialect]] = {
    "chat": ("/v1/chat/completions", CHATTED, Dialect.OPENAI),
    "chat to messages": ("/gateway/openai/v1/chat/completions", CHATTED | {"model": "team-claude"}, Dialect.OPENAI),
    "cursor": ("/v1/chat/completions", RESPONDED, Dialect.OPENAI),
    "cursor to messages": ("/v1/chat/completions", RESPONDED | {"model": "team-claude"}, Dialect.OPENAI),
    "responses": ("/v1/responses", RESPONDED, Dialect.OPENAI),
    "responses to messages": ("/gateway/openai/v1/responses", RESPONDED | {"model": "team-claude"}, Dialect.OPENAI),
    "responses to chat": ("/v1/responses", RESPONDED | {"model": "team-kimi"}, Dialect.OPENAI),
    "messages": ("/v1/messages?beta=true", SAID, Dialect.ANTHROPIC),
    "messages to chat": ("/gateway/anthropic/v1/messages", SAID | {"model": "team-gpt"}, Dialect.ANTHROPIC),
    "count": ("/v1/messages/count_tokens", SAID, Dialect.ANTHROPIC),
    "count elsewhere": (
        "/gateway/anthropic/v1/messages/count_tokens",
        SAID | {"model": "team-gpt"},
        Dialect.ANTHROPIC,
    ),
    "completions": ("/v1/completions", COMPLETED, Dialect.OPENAI),
    "embeddings": ("/gateway/openai/v1/embeddings", EMBEDDED, Dialect.OPENAI),
    "generate": ("/v1beta/models/team-gemini:generateContent", GENERATED, Dialect.GEMINI),
    "stream": (f"{GEMINI}:streamGenerateContent?alt=sse", GENERATED, Dialect.GEMINI),
    "stream as list": ("/v1beta/models/team-gemini:streamGenerateContent", GENERATED, Dialect.GEMINI),
    "count contents": (f"{GEMINI}:countTokens", COUNTED, Dialect.GEMINI),
}


async def answered(talker: Talker, said: bytes, dialect: Dialect) -> Heard:
    heard = await talker.ask(said)
    assert heard is not None, said[:300]
    assert_well_formed(heard, dialect)
    return heard


@pytest.fixture
async def fuzzed(bench: Bench) -> AsyncIterator[Talker]:
    """A line to a gateway of which nothing may be left in the end but what the ledger holds."""
    await bench.add_model("team-kimi", ProviderKind.MOONSHOT, "moon")
    talker = Talker(bench.port)
    async with in_order(bench):
        yield talker
        talker.hang_up()


NATIVE = ["chat", "responses", "messages", "count", "completions", "embeddings"]
GOOGLE = ["generate", "stream", "stream as list", "count contents"]
TRANSLATED = [name for name in ROUTES if name not in (*NATIVE, *GOOGLE)]


@FUZZED
@given(data=st.data())
@pytest.mark.parametrize("names", [NATIVE, GOOGLE, TRANSLATED], ids=["native", "google", "translated"])
async def test_bodies_that_cannot_be(fuzzed: Talker, names: list[str], data: st.DataObject) -> None:
    path, sample, dialect = ROUTES[data.draw(st.sampled_from(names))]
    await answered(fuzzed, request(path, data.draw(bodies(sample))), dialect)


# What a provider of the caller's own protocol gets to see as it is, and nobody but a translator looks at.
UNREADABLE = {
    "number": (b"1e400", "Number out of range"),
    "text": (b'"\xff"', "not all of it is UTF-8"),
    "depth": (b"[" * 20_000 + b"]" * 20_000, "nested too deeply"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
async def test_what_cannot_be_read_is_told_so(fuzzed: Talker, kind: str) -> None:
    odd, reason = UNREADABLE[kind]
    for name in ("chat to messages", "responses to chat", "messages to chat", "cursor"):
        path, sample, dialect = ROUTES[name]
        body = rendered(sample, {("tools", 0): [odd]})
        heard = await answered(fuzzed, request(path, body), dialect)
        assert heard.status == 400
        assert reason in json.loads(heard.body)["error"]["message"]


async def test_a_number_that_no_provider_takes_is_named(fuzzed: Talker) -> None:
    path, sample, dialect = ROUTES["chat to messages"]
    for number in (10**400, -(10**30), 1e300):
        heard = await answered(fuzzed, request(path, json.dumps(sample | {"temperature": number}).encode()), dialect)
        assert (heard.status, json.loads(heard.body)["error"]["param"]) == (400, "temperature")
