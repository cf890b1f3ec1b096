"""What docs/translation.md says of requests is what the translator does, row by row."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluicegate.domain.catalog import Protocol
from sluicegate.gateway.translate.form import Target
from sluicegate.policy.refusals import Refusal
from translate.calls import PAIRS, translator

PAGE = Path(__file__).resolve().parents[2] / "docs/translation.md"
PLAIN = Target("plain", 8_192)
DEEP = Target("deep", 32_000, reasons=True, samples=False)
MARK = "MARK"
CHAT, MESSAGES, RESPONSES = Protocol.CHAT, Protocol.MESSAGES, Protocol.RESPONSES
COLUMNS = (MESSAGES, CHAT, RESPONSES)
# Whether what was asked for stands in a written body: by any of these texts, or as a function finds it.
Mark = str | tuple[str, ...] | Callable[[dict[str, Any]], bool]
Example = tuple[Protocol, dict[str, Any], Mark]

_SCHEMA = {"type": "object", "properties": {MARK: {"type": "string"}}}
_USER = {"role": "user", "content": "hi"}
_PNG = f"data:image/png;base64,{MARK}"
_PDF = f"data:application/pdf;base64,{MARK}"
_BASE64 = {"type": "base64", "media_type": "image/png", "data": MARK}


def _chat(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)} if content else _USER], **more}


def _messages(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"max_tokens": 100, **_chat(*content), **more}


def _responses(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": list(content)} if content else _USER], **more}


def _function(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


def _offered(body: dict[str, Any]) -> list[str]:
    return [tool.get("function", tool)["name"] for tool in body["tools"]]


def _everywhere(chat: dict[str, Any], messages: dict[str, Any], responses: dict[str, Any], mark: Mark) -> list[Example]:
    """The same wish in the words of each protocol."""
    return [
        (CHAT, _chat(**chat), mark),
        (MESSAGES, _messages(**messages), mark),
        (RESPONSES, _responses(**responses), mark),
    ]


def _tool_loop(image: bool) -> list[Example]:
    text = {"type": "text", "text": "seen" if image else MARK}
    calls = [{"id": "c", **_function(arguments="{}")}]
    shown = [text, {"type": "image_url", "image_url": {"url": _PNG}}] if image else [text]
    block = [text, {"type": "image", "source": _BASE64}] if image else [text]
    put = [text | {"type": "input_text"}, {"type": "input_image", "image_url": _PNG}] if image else MARK
    tool = {"type": "tool_result", "tool_use_id": "c", "content": block}
    return [
        (
            CHAT,
            {
                "messages": [
                    _USER,
                    {"role": "assistant", "content": None, "tool_calls": calls},
                    {"role": "tool", "tool_call_id": "c", "content": shown},
                ]
            },
            MARK,
        ),
        (
            MESSAGES,
            {
                "max_tokens": 100,
                "messages": [
                    _USER,
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
                    {"role": "user", "content": [tool]},
                ],
            },
            MARK,
        ),
        (
            RESPONSES,
            {
                "input": [
                    _USER,
                    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                    {"type": "function_call_output", "call_id": "c", "output": put},
                ]
            },
            MARK,
        ),
    ]


def _narrowed(body: dict[str, Any]) -> bool:
    return _offered(body) == ["f"]


def _many(count: int) -> list[Example]:
    named = [{"name": f"t{i}", "input_schema": {"type": "object"}} for i in range(count)]
    return _everywhere(
        {"tools": [_function(tool["name"]) for tool in named]},
        {"tools": named},
        {"tools": [{"type": "function", "name": tool["name"]} for tool in named]},
        lambda body: len(body["tools"]) == count,
    )


def _stops(count: int) -> list[Example]:
    stops = [f"{MARK}{i}" for i in range(count)]
    return [(CHAT, _chat(stop=stops), MARK), (MESSAGES, _messages(stop_sequences=stops), MARK)]


def _effort() -> list[Example]:
    mark = ('"effort":"low"', '"reasoning_effort":"low"', "budget_tokens")
    efforts = ({"reasoning_effort": "low"}, {"output_config": {"effort": "low"}}, {"reasoning": {"effort": "low"}})
    return _everywhere(*efforts, mark)


def _verbosity() -> list[Example]:
    mark = '"verbosity":"low"'
    return [(CHAT, _chat(verbosity="low"), mark), (RESPONSES, _responses(text={"verbosity": "low"}), mark)]


def _sampling() -> list[Example]:
    values = {"temperature": 0.125, "top_p": 0.125}
    return _everywhere(values, values, values, "0.125")


def _value(name: str, value: float) -> list[Example]:
    return _everywhere({name: value}, {name: value}, {name: value}, f'"{name}":{value}')


ROWS: dict[str, list[Example]] = {
    "system texts in front": [
        (CHAT, {"messages": [{"role": "system", "content": MARK}, _USER]}, MARK),
        (MESSAGES, _messages(system=[{"type": "text", "text": MARK}]), MARK),
        (RESPONSES, _responses(instructions=MARK), MARK),
    ],
    "system texts later on": [
        (CHAT, {"messages": [_USER, {"role": "developer", "content": MARK}]}, MARK),
        (MESSAGES, {"max_tokens": 100, "messages": [_USER, {"role": "system", "content": MARK}]}, MARK),
        (RESPONSES, {"input": [_USER, {"role": "developer", "content": MARK}]}, MARK),
    ],
    "text": [
        (CHAT, _chat({"type": "text", "text": MARK}), MARK),
        (MESSAGES, _messages({"type": "text", "text": MARK}), MARK),
        (RESPONSES, _responses({"type": "input_text", "text": MARK}), MARK),
    ],
    "images": [
        (CHAT, _chat({"type": "image_url", "image_url": {"url": _PNG}}), MARK),
        (MESSAGES, _messages({"type": "image", "source": _BASE64}), MARK),
        (RESPONSES, _responses({"type": "input_image", "image_url": _PNG}), MARK),
    ],
    "images in tool results": _tool_loop(image=True),
    "documents in base64": [
        (CHAT, _chat({"type": "file", "file": {"filename": "a.pdf", "file_data": _PDF}}), MARK),
        (MESSAGES, _messages({"type": "document", "source": _BASE64 | {"media_type": "application/pdf"}}), MARK),
        (RESPONSES, _responses({"type": "input_file", "filename": "a.pdf", "file_data": _PDF}), MARK),
    ],
    "documents as text": [(MESSAGES, _messages({"type": "document", "source": {"type": "text", "data": MARK}}), MARK)],
    "documents by URL": [
        (CHAT, _chat({"type": "file", "file": {"file_url": f"https://x.example/{MARK}"}}), MARK),
        (
            MESSAGES,
            _messages({"type": "document", "source": {"type": "url", "url": f"https://x.example/{MARK}"}}),
            MARK,
        ),
        (RESPONSES, _responses({"type": "input_file", "file_url": f"https://x.example/{MARK}"}), MARK),
    ],
    "stored files": [
        (CHAT, _chat({"type": "file", "file": {"file_id": MARK}}), MARK),
        (MESSAGES, _messages({"type": "document", "source": {"type": "file", "file_id": MARK}}), MARK),
        (MESSAGES, _messages({"type": "image", "source": {"type": "file", "file_id": MARK}}), MARK),
        (RESPONSES, _responses({"type": "input_file", "file_id": MARK}), MARK),
        (RESPONSES, _responses({"type": "input_image", "file_id": MARK}), MARK),
    ],
    "audio": [
        (CHAT, _chat({"type": "input_audio", "input_audio": {"data": MARK, "format": "wav"}}), MARK),
        (CHAT, _chat(modalities=["audio"], audio={"voice": MARK}), MARK),
        (RESPONSES, _responses({"type": "input_audio", "input_audio": {"data": MARK, "format": "wav"}}), MARK),
    ],
    "tool calls and results": _tool_loop(image=False),
    "a failed tool (`is_error`)": [
        (
            MESSAGES,
            _messages({"type": "tool_result", "tool_use_id": "c", "is_error": True, "content": "no"}),
            "The tool failed: no",
        )
    ],
    "descriptions and schemas of tools": [
        *_everywhere(
            {"tools": [_function(description=MARK)]},
            {"tools": [{"name": "f", "description": MARK, "input_schema": {"type": "object"}}]},
            {"tools": [{"type": "function", "name": "f", "description": MARK}]},
            MARK,
        ),
        *_everywhere(
            {"tools": [_function(parameters=_SCHEMA)]},
            {"tools": [{"name": "f", "input_schema": _SCHEMA}]},
            {"tools": [{"type": "function", "name": "f", "parameters": _SCHEMA}]},
            MARK,
        ),
    ],
    "freeform (`custom`) tools and their grammar": [
        (
            CHAT,
            _chat(
                tools=[
                    {
                        "type": "custom",
                        "custom": {"name": "f", "format": {"type": "grammar", "grammar": {"definition": MARK}}},
                    }
                ]
            ),
            MARK,
        ),
        (
            RESPONSES,
            _responses(tools=[{"type": "custom", "name": "f", "format": {"type": "grammar", "definition": MARK}}]),
            MARK,
        ),
    ],
    "tools in namespaces": [
        (
            RESPONSES,
            _responses(tools=[{"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}]}]),
            lambda body: _offered(body) == ["n__f"],
        )
    ],
    "tools that a provider runs, MCP servers": [
        (MESSAGES, _messages(tools=[{"type": "web_search_20250305", "name": MARK}]), MARK),
        (MESSAGES, _messages(mcp_servers=[{"type": "url", "url": MARK, "name": "n"}]), MARK),
        (RESPONSES, _responses(tools=[{"type": "web_search", "user_location": MARK}]), MARK),
        (RESPONSES, _responses(tools=[{"type": "mcp", "server_label": MARK}]), MARK),
    ],
    "`web_search_options`, the old `functions`": [
        (CHAT, _chat(web_search_options={"search_context_size": MARK}), MARK),
        (CHAT, _chat(functions=[{"name": MARK}]), MARK),
    ],
    "more than 128 tools": _many(129),
    "choice of tools": _everywhere(
        {"tools": [_function()], "tool_choice": _function()},
        {"tools": [{"name": "f", "input_schema": {}}], "tool_choice": {"type": "tool", "name": "f"}},
        {"tools": [{"type": "function", "name": "f"}], "tool_choice": {"type": "function", "name": "f"}},
        lambda body: '"f"' in _written(body["tool_choice"]),
    ),
    "narrowing to allowed tools": [
        (
            CHAT,
            _chat(
                tools=[_function("f"), _function("g")],
                tool_choice={"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [_function("f")]}},
            ),
            _narrowed,
        ),
        (
            RESPONSES,
            _responses(
                tools=[{"type": "function", "name": name} for name in "fg"],
                tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
            ),
            _narrowed,
        ),
    ],
    "no parallel calls": _everywhere(
        {"tools": [_function()], "parallel_tool_calls": False},
        {
            "tools": [{"name": "f", "input_schema": {}}],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        },
        {"tools": [{"type": "function", "name": "f"}], "parallel_tool_calls": False},
        ('"parallel_tool_calls":false', '"disable_parallel_tool_use":true'),
    ),
    "bound on the answer": _everywhere({"max_tokens": 77}, {"max_tokens": 77}, {"max_output_tokens": 77}, ":77"),
    "up to four stop sequences": _stops(4),
    "more stop sequences": _stops(5),
    "temperature": _value("temperature", 0.125),
    "top_p": _value("top_p", 0.125),
    "sampling for models that refuse it": _sampling(),
    "top_k": [(MESSAGES, _messages(top_k=7), "top_k")],
    "seed and penalties": [
        (CHAT, _chat(seed=7), "seed"),
        (CHAT, _chat(presence_penalty=0.5, frequency_penalty=0.5), "penalty"),
    ],
    "logit bias": [(CHAT, _chat(logit_bias={"7": 1}), "logit_bias")],
    "several choices (`n`)": [(CHAT, _chat(n=2), '"n"')],
    "log probabilities": [
        (CHAT, _chat(logprobs=True), "logprobs"),
        (RESPONSES, _responses(top_logprobs=2), "logprobs"),
        (RESPONSES, _responses(include=["message.output_text.logprobs"]), "logprobs"),
    ],
    "effort of reasoning, for models that reason": _effort(),
    "effort of reasoning, for others": _effort(),
    "earlier thoughts": [
        (CHAT, {"messages": [_USER, {"role": "assistant", "content": "hm", "reasoning_content": MARK}, _USER]}, MARK),
        (
            MESSAGES,
            {
                "max_tokens": 100,
                "messages": [
                    _USER,
                    {
                        "role": "assistant",
                        "content": [
                            {"type": "thinking", "thinking": MARK, "signature": MARK},
                            {"type": "redacted_thinking", "data": MARK},
                            {"type": "text", "text": "hm"},
                        ],
                    },
                    _USER,
                ],
            },
            MARK,
        ),
        (RESPONSES, {"input": [_USER, {"type": "reasoning", "summary": [], "encrypted_content": MARK}, _USER]}, MARK),
    ],
    "JSON by a schema": _everywhere(
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": _SCHEMA}}},
        {"output_config": {"format": {"type": "json_schema", "schema": _SCHEMA}}},
        {"text": {"format": {"type": "json_schema", "name": "a", "schema": _SCHEMA}}},
        MARK,
    ),
    "any JSON object": [
        (CHAT, _chat(response_format={"type": "json_object"}), ("json_object", "one JSON object")),
        (RESPONSES, _responses(text={"format": {"type": "json_object"}}), ("json_object", "one JSON object")),
    ],
    "verbosity, for models that reason": _verbosity(),
    "verbosity, for others": _verbosity(),
    "prompt cache key": [
        (CHAT, _chat(prompt_cache_key=MARK), MARK),
        (RESPONSES, _responses(prompt_cache_key=MARK), MARK),
    ],
    "cache marks": [
        (MESSAGES, _messages({"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}), "cache_control")
    ],
    "what a provider stores (`previous_response_id`, `conversation`, `prompt`)": [
        (RESPONSES, _responses(previous_response_id=MARK), MARK),
        (RESPONSES, _responses(conversation=MARK), MARK),
        (RESPONSES, _responses(prompt={"id": MARK}), MARK),
        (RESPONSES, {"input": [_USER, {"type": "item_reference", "id": MARK}]}, MARK),
    ],
    "`background`": [(RESPONSES, _responses(background=True), "background")],
    "metadata, user, service tier, storing": _everywhere(
        {"metadata": {"a": MARK}, "user": MARK, "service_tier": MARK},
        {"metadata": {"user_id": MARK}, "service_tier": MARK},
        {"metadata": {"a": MARK}, "user": MARK, "service_tier": MARK, "store": True},
        (MARK, '"store":true'),
    ),
    "context management": [(MESSAGES, _messages(context_management={"edits": [{"type": MARK}]}), MARK)],
}
_TARGETS = {
    "sampling for models that refuse it": DEEP,
    "effort of reasoning, for models that reason": Target("deep", 32_000, reasons=True),
    "verbosity, for models that reason": DEEP,
}


def _written(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _table() -> dict[str, dict[Protocol, str]]:
    page = PAGE.read_text("utf-8").partition("## Requests")[2].partition("## Answers")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    return {title: dict(zip(COLUMNS, cells, strict=True)) for title, *cells in rows[2:]}


TABLE = _table()


def test_every_row_is_held() -> None:
    assert list(TABLE) == list(ROWS)


def _outcome(caller: Protocol, provider: Protocol, body: dict[str, Any], mark: Mark, target: Target) -> str:
    try:
        raw = translator({"model": "team-model", **body}, caller).request(provider, target)
    except Refusal as refusal:
        return (
            "refused" if (refusal.status, bool(refusal.field)) == (400, True) else f"refused in an odd way: {refusal}"
        )
    sent = json.loads(raw)
    if callable(mark):
        return "carried" if mark(sent) else "dropped"
    marks = (mark,) if isinstance(mark, str) else mark
    return "carried" if any(one in _written(sent) for one in marks) else "dropped"


@pytest.mark.parametrize("title", ROWS)
def test_what_is_written_is_what_happens(title: str) -> None:
    for provider in COLUMNS:
        cell, examples = TABLE[title][provider], [example for example in ROWS[title] if example[0] is not provider]
        if cell == "–":
            assert not examples
            continue
        assert examples, f"nothing shows what happens to {provider}"
        for caller, body, mark in examples:
            outcome = _outcome(caller, provider, body, mark, _TARGETS.get(title, PLAIN))
            assert cell.startswith(outcome), f"{caller} to {provider}: {outcome}, not {cell}: {body}"


@pytest.mark.parametrize(
    ("caller", "body"),
    [
        (
            CHAT,
            _chat(
                tools=[_function()],
                tool_choice={"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
            ),
        ),
        (RESPONSES, _responses(tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [{"name": "f"}]})),
        (RESPONSES, _responses(tool_choice={"type": "allowed_tools", "mode": "auto", "tools": ["f"]})),
    ],
)
def test_allowed_tools_that_nobody_offers_are_refused(caller: Protocol, body: dict[str, Any]) -> None:
    provider = MESSAGES
    assert _outcome(caller, provider, body, MARK, PLAIN) == "refused"


_CITED = {"type": "char_location", "cited_text": MARK}
_ANSWERS: dict[Protocol, dict[str, Any]] = {
    CHAT: {
        "choices": [
            {
                "finish_reason": "stop",
                "message": {"content": None, "refusal": "no", "annotations": [{"type": "url_citation", "url": MARK}]},
            }
        ]
    },
    MESSAGES: {
        "stop_reason": "end_turn",
        "content": [
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": MARK}},
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"title": MARK}]},
            {"type": "text", "text": "no", "citations": [_CITED]},
        ],
    },
    RESPONSES: {
        "status": "completed",
        "output": [
            {"type": "web_search_call", "id": "ws", "action": {"query": MARK}},
            {"type": "message", "content": [{"type": "refusal", "refusal": "no"}]},
            {"type": "message", "content": [{"type": "output_text", "text": "!", "annotations": [{"url": MARK}]}]},
        ],
    },
}


@pytest.mark.parametrize(("caller", "provider"), PAIRS)
def test_of_an_answer_only_its_words_are_told(caller: Protocol, provider: Protocol) -> None:
    body = _messages() if caller is MESSAGES else _responses() if caller is RESPONSES else _chat()
    raw = translator({"model": "team-model", **body}, caller).answer(provider, json.dumps(_ANSWERS[provider]).encode())
    assert raw is not None
    assert MARK not in raw.decode()
    assert '"no' in raw.decode()
