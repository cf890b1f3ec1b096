"""What providers get to see of a request that was written for another protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluicegate.domain.catalog import Protocol, ProviderKind
from sluicegate.gateway.translate.form import Target
from sluicegate.gateway.translate.traits import target_of
from sluicegate.policy.refusals import Refusal
from translate.calls import translator

PLAIN = Target("plain", 8_192)
REASONING = Target("deep", 32_000, reasons=True, samples=False)
PNG = "iVBORw0KGgo="


def written(body: dict[str, Any], caller: Protocol, provider: Protocol, target: Target = PLAIN) -> dict[str, Any]:
    return json.loads(translator({"model": "team-model", **body}, caller).request(provider, target))


def from_messages(body: dict[str, Any], provider: Protocol = Protocol.CHAT, target: Target = PLAIN) -> dict[str, Any]:
    return written({"max_tokens": 1_000, **body}, Protocol.MESSAGES, provider, target)


def test_what_claude_code_sends_becomes_a_plain_chat_request() -> None:
    body = from_messages(
        {
            "max_tokens": 128_000,
            "stream": True,
            "thinking": {"type": "adaptive"},
            "context_management": {"edits": [{"type": "clear_thinking_20251015"}]},
            "output_config": {"effort": "high"},
            "metadata": {"user_id": '{"device_id":"d"}'},
            "safeguards": {"x": 1},
            "system": [
                {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330"},
                {"type": "text", "text": "You are careful.", "cache_control": {"type": "ephemeral"}},
            ],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]},
                {"role": "system", "content": "The date has changed."},
            ],
            "tools": [
                {"name": "Bash", "description": "Runs", "input_schema": {"type": "object"}, "defer_loading": True},
                {"type": "web_search_20250305", "name": "web_search"},
            ],
        }
    )
    assert body == {
        "model": "plain",
        "messages": [
            {"role": "system", "content": "You are careful."},
            {"role": "user", "content": "hi"},
            {"role": "system", "content": "The date has changed."},
        ],
        "max_tokens": 8_192,
        "tools": [
            {"type": "function", "function": {"name": "Bash", "parameters": {"type": "object"}, "description": "Runs"}}
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_models_that_reason_get_an_effort_and_no_sampling() -> None:
    body = from_messages(
        {"messages": [{"role": "user", "content": "hi"}], "temperature": 0.2, "output_config": {"effort": "medium"}},
        target=REASONING,
    )
    assert body["reasoning_effort"] == "medium"
    assert body["max_completion_tokens"] == 1_000
    assert "temperature" not in body
    assert "max_tokens" not in body


def test_tool_results_stand_directly_behind_their_calls() -> None:
    body = from_messages(
        {
            "messages": [
                {"role": "user", "content": "go"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "s"},
                        {"type": "text", "text": "Two at once."},
                        {"type": "tool_use", "id": "a", "name": "Bash", "input": {"command": "one"}},
                        {"type": "tool_use", "id": "b", "name": "Bash", "input": {}},
                    ],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "first"}]},
                {"role": "system", "content": "A reminder in between."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "and now?"},
                        {
                            "type": "tool_result",
                            "tool_use_id": "b",
                            "is_error": True,
                            "content": [
                                {"type": "text", "text": "no such file"},
                                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                            ],
                        },
                    ],
                },
            ]
        }
    )
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": "Two at once.",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "Bash", "arguments": '{"command":"one"}'}},
                {"id": "b", "type": "function", "function": {"name": "Bash", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "first"},
        {"role": "tool", "tool_call_id": "b", "content": "The tool failed: no such file\n(see the image below)"},
        {"role": "system", "content": "A reminder in between."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "and now?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("choice", "chat", "parallel"),
    [
        ({"type": "auto"}, "auto", None),
        ({"type": "any", "disable_parallel_tool_use": True}, "required", False),
        ({"type": "none"}, "none", None),
        ({"type": "tool", "name": "Bash"}, {"type": "function", "function": {"name": "Bash"}}, None),
    ],
)
def test_the_choice_of_tools_is_carried_over(choice: dict[str, Any], chat: Any, parallel: bool | None) -> None:
    tools = [{"name": "Bash", "input_schema": {"type": "object"}}]
    body = from_messages({"messages": [{"role": "user", "content": "go"}], "tools": tools, "tool_choice": choice})
    assert body["tool_choice"] == chat
    assert body.get("parallel_tool_calls") is parallel


def test_a_wanted_json_shape_is_carried_over_everywhere() -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}}
    ask = {"messages": [{"role": "user", "content": "title?"}]}
    body = from_messages({**ask, "output_config": {"format": {"type": "json_schema", "schema": schema}}})
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    wanted = {"type": "json_schema", "json_schema": {"name": "t", "strict": True, "schema": schema}}
    chat = {**ask, "response_format": wanted}
    assert written(chat, Protocol.CHAT, Protocol.MESSAGES)["output_config"] == {
        "format": {"type": "json_schema", "schema": schema}
    }
    assert written(chat, Protocol.CHAT, Protocol.RESPONSES)["text"] == {
        "format": {"type": "json_schema", "name": "t", "schema": schema, "strict": True}
    }


def test_chat_becomes_messages_with_all_system_texts_in_front_and_the_cache_asked_for() -> None:
    body = written(
        {
            "messages": [
                {"role": "system", "content": "First."},
                {"role": "user", "content": "one"},
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}],
                },
                {
                    "role": "assistant",
                    "content": "two",
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "Bash", "arguments": ""}},
                    ],
                },
                {"role": "tool", "tool_call_id": "c", "content": "done"},
                {"role": "user", "content": "three"},
                {"role": "developer", "content": "Last."},
            ],
            "temperature": 1.7,
            "top_p": 0.5,
            "stop": "END",
            "tools": [{"type": "function", "function": {"name": "Bash", "parameters": {}}}],
            "tool_choice": "required",
            "parallel_tool_calls": False,
        },
        Protocol.CHAT,
        Protocol.MESSAGES,
    )
    cached = {"cache_control": {"type": "ephemeral"}}
    assert body == {
        "model": "plain",
        "max_tokens": 8_192,
        "system": [{"type": "text", "text": "First."}, {"type": "text", "text": "Last.", **cached}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "one"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "two"},
                    {"type": "tool_use", "id": "c", "name": "Bash", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "done"}]},
                    {"type": "text", "text": "three", **cached},
                ],
            },
        ],
        "tools": [{"name": "Bash", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "stop_sequences": ["END"],
        "temperature": 1.0,
    }


def test_calls_of_a_conversation_that_offers_no_tools_any_more_are_defined_and_none_may_follow() -> None:
    def call(number: int, name: str) -> dict[str, Any]:
        return {"id": f"c{number}", "type": "function", "function": {"name": name, "arguments": "{}"}}

    ask = {
        "messages": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "tool_calls": [call(1, "Bash"), call(2, "Read file"), call(3, "Bash")]},
            *({"role": "tool", "tool_call_id": f"c{number}", "content": "done"} for number in (1, 2, 3)),
            {"role": "user", "content": "Sum it up."},
        ],
        "parallel_tool_calls": False,
    }
    body = written(ask, Protocol.CHAT, Protocol.MESSAGES)
    made = [block["name"] for block in body["messages"][1]["content"]]
    cached = {"cache_control": {"type": "ephemeral"}}
    nothing = {"type": "object"}
    assert body["tools"] == [
        {"name": "Bash", "input_schema": nothing},
        {"name": made[1], "input_schema": nothing, **cached},
    ]
    assert made == ["Bash", made[1], "Bash"]
    assert body["tool_choice"] == {"type": "none"}
    del ask["messages"][1:5]
    assert {"tools", "tool_choice"}.isdisjoint(written(ask, Protocol.CHAT, Protocol.MESSAGES))


def test_thinking_is_asked_for_where_it_can_be_had() -> None:
    claude = target_of(ProviderKind.ANTHROPIC, "claude-sonnet-4-5", 64_000, anthropic=True)
    ask = {"messages": [{"role": "user", "content": "why?"}], "reasoning_effort": "high", "temperature": 0.1}
    body = written(ask, Protocol.CHAT, Protocol.MESSAGES, claude)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 16_384}
    assert "temperature" not in body
    forced = {**ask, "tools": [{"type": "function", "function": {"name": "Bash"}}], "tool_choice": "required"}
    assert "thinking" not in written(forced, Protocol.CHAT, Protocol.MESSAGES, claude)
    looped = {**ask, "messages": [*ask["messages"], {"role": "tool", "tool_call_id": "x", "content": "r"}]}
    assert "thinking" not in written(looped, Protocol.CHAT, Protocol.MESSAGES, claude)
    assert "thinking" not in written({**ask, "max_tokens": 1_500}, Protocol.CHAT, Protocol.MESSAGES, claude)


@pytest.mark.parametrize(
    ("asked", "effort"),
    [
        ("none", "low"),
        ("minimal", "low"),
        ("low", "low"),
        ("medium", "medium"),
        ("high", "high"),
        ("xhigh", "xhigh"),
        ("max", "max"),
    ],
)
def test_newest_models_think_as_they_like_and_are_told_an_effort(asked: str, effort: str) -> None:
    opus = target_of(ProviderKind.ANTHROPIC, "claude-opus-4-7", 128_000, anthropic=True)
    ask = {"messages": [{"role": "user", "content": "why?"}], "reasoning_effort": asked, "temperature": 0.1}
    body = written(ask, Protocol.CHAT, Protocol.MESSAGES, opus)
    assert body["output_config"] == {"effort": effort}
    assert body.get("thinking") == (None if asked in ("none", "minimal") else {"type": "adaptive"})
    assert "temperature" not in body


def test_adaptive_thinking_goes_on_inside_a_tool_loop_but_not_with_a_forced_tool() -> None:
    opus = target_of(ProviderKind.BEDROCK, "global.anthropic.claude-opus-4-6-v1", 128_000, anthropic=True)
    schema = {"type": "object"}
    ask = {
        "input": [
            {"role": "user", "content": "go"},
            {"type": "function_call", "call_id": "c", "name": "Bash", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "done"},
        ],
        "tools": [{"type": "function", "name": "Bash"}],
        "reasoning": {"effort": "xhigh"},
        "text": {"format": {"type": "json_schema", "name": "t", "schema": schema}},
        "temperature": 0.5,
    }
    body = written(ask, Protocol.RESPONSES, Protocol.MESSAGES, opus)
    assert body["thinking"] == {"type": "adaptive"}
    # This one knows no `xhigh`.
    assert body["output_config"] == {"effort": "high", "format": {"type": "json_schema", "schema": schema}}
    assert "temperature" not in body
    forced = written({**ask, "tool_choice": "required"}, Protocol.RESPONSES, Protocol.MESSAGES, opus)
    assert (forced["output_config"]["effort"], forced["temperature"]) == ("high", 0.5)
    assert "thinking" not in forced
    silent = written({**ask, "reasoning": None}, Protocol.RESPONSES, Protocol.MESSAGES, opus)
    assert "thinking" not in silent
    assert "effort" not in silent["output_config"]


def test_what_codex_sends_becomes_a_chat_request_and_its_tools_come_back_by_their_own_names() -> None:
    body = {
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be careful."}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]},
            {"type": "reasoning", "summary": [], "encrypted_content": "sealed"},
            {"type": "function_call", "call_id": "c1", "name": "list", "namespace": "mcp__files", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "a.txt"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "apply_patch", "input": "*** Begin"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": "ok"},
        ],
        "tools": [
            {"type": "function", "name": "list", "parameters": {"type": "object"}, "strict": False},
            {"type": "namespace", "name": "mcp__files", "tools": [{"type": "function", "name": "list"}]},
            {
                "type": "custom",
                "name": "apply_patch",
                "format": {"type": "grammar", "syntax": "lark", "definition": "start: /x/"},
            },
            {"type": "web_search"},
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "low"},
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k",
        "client_metadata": {},
    }
    sent = written(body, Protocol.RESPONSES, Protocol.CHAT)
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["list", "mcp__files__list", "apply_patch"]
    assert "start: /x/" in sent["tools"][2]["function"]["description"]
    assert sent["tools"][2]["function"]["parameters"]["required"] == ["input"]
    calls = [call["function"] for message in sent["messages"] for call in message.get("tool_calls", ())]
    assert calls == [
        {"name": "mcp__files__list", "arguments": "{}"},
        {"name": "apply_patch", "arguments": '{"input":"*** Begin"}'},
    ]
    answer = {
        "choices": [
            {
                "finish_reason": "tool_calls",
                "message": {
                    "content": None,
                    "tool_calls": [
                        {"id": "d1", "function": {"name": "mcp__files__list", "arguments": "{}"}},
                        {"id": "d2", "function": {"name": "apply_patch", "arguments": '{"input":"*** End"}'}},
                    ],
                },
            }
        ]
    }
    raw = translator({"model": "team-model", **body}, Protocol.RESPONSES).answer(
        Protocol.CHAT, json.dumps(answer).encode()
    )
    assert raw is not None
    output = json.loads(raw)["output"]
    assert [(i["type"], i["name"], i.get("namespace"), i.get("input")) for i in output] == [
        ("function_call", "list", "mcp__files", None),
        ("custom_tool_call", "apply_patch", None, "*** End"),
    ]


def test_long_and_odd_tool_names_fit_and_come_back() -> None:
    long = "mcp__" + "very_" * 20 + "long"
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in (long, "with.dots", "with_dots")]
    between = translator(
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "go"}], "tools": tools},
        Protocol.MESSAGES,
    )
    names = [t["function"]["name"] for t in json.loads(between.request(Protocol.CHAT, PLAIN))["tools"]]
    assert names[2] == "with_dots"
    assert len(set(names)) == 3
    assert all(len(name) <= 64 and name.replace("_", "").replace("-", "").isalnum() for name in names)
    calls = [{"id": str(i), "function": {"name": name, "arguments": "{}"}} for i, name in enumerate(names)]
    answer = {"choices": [{"message": {"tool_calls": calls}, "finish_reason": "tool_calls"}]}
    raw = between.answer(Protocol.CHAT, json.dumps(answer).encode())
    assert raw is not None
    assert [block["name"] for block in json.loads(raw)["content"]] == [long, "with.dots", "with_dots"]


def test_documents_are_carried_where_they_can_be() -> None:
    block = {
        "type": "document",
        "title": "a.pdf",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
    }
    ask = {"messages": [{"role": "user", "content": [block]}]}
    assert from_messages(ask)["messages"][0]["content"] == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}}
    ]
    assert from_messages(ask, Protocol.RESPONSES)["input"][0]["content"] == [
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}
    ]
    by_url = {
        "messages": [
            {
                "role": "user",
                "content": [{"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}}],
            }
        ]
    }
    with pytest.raises(Refusal, match="document"):
        from_messages(by_url)


@pytest.mark.parametrize(
    ("caller", "provider", "body", "field"),
    [
        (Protocol.CHAT, Protocol.MESSAGES, {"messages": [{"role": "user", "content": "x"}], "n": 2}, "n"),
        (
            Protocol.CHAT,
            Protocol.MESSAGES,
            {"messages": [{"role": "user", "content": "x"}], "logprobs": True},
            "logprobs",
        ),
        (Protocol.CHAT, Protocol.MESSAGES, {"messages": []}, "messages"),
        (Protocol.CHAT, Protocol.MESSAGES, {"messages": "x"}, "messages"),
        (Protocol.CHAT, Protocol.MESSAGES, {"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
        (
            Protocol.CHAT,
            Protocol.MESSAGES,
            {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            "messages.0.content.0.type",
        ),
        (Protocol.CHAT, Protocol.RESPONSES, {"messages": [{"role": "user", "content": "x"}], "stop": ["a"]}, "stop"),
        (
            Protocol.CHAT,
            Protocol.MESSAGES,
            {"messages": [{"role": "user", "content": "x"}], "temperature": "hot"},
            "temperature",
        ),
        (
            Protocol.MESSAGES,
            Protocol.CHAT,
            {"messages": [{"role": "user", "content": "x"}], "stop_sequences": list("abcde")},
            "stop",
        ),
        (
            Protocol.MESSAGES,
            Protocol.CHAT,
            {"messages": [{"role": "user", "content": [{"type": "container_upload"}]}]},
            "messages.0.content.0.type",
        ),
        (
            Protocol.MESSAGES,
            Protocol.CHAT,
            {"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]},
            "messages.0.content.0.tool_use_id",
        ),
        (Protocol.RESPONSES, Protocol.CHAT, {"input": "x", "previous_response_id": "resp_1"}, "previous_response_id"),
        (Protocol.RESPONSES, Protocol.CHAT, {"input": [{"type": "item_reference", "id": "x"}]}, "input.0.type"),
        (Protocol.RESPONSES, Protocol.CHAT, {"input": "x", "background": True}, "background"),
        (Protocol.RESPONSES, Protocol.CHAT, {}, "input"),
    ],
)
def test_what_cannot_be_carried_over_is_refused_by_name(
    caller: Protocol, provider: Protocol, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refusal) as refused:
        written(body, caller, provider)
    assert (refused.value.code, refused.value.status, refused.value.field) == ("invalid_request", 400, field)


def test_more_tools_than_the_provider_takes_are_refused() -> None:
    tools = [{"name": f"t{i}", "input_schema": {"type": "object"}} for i in range(129)]
    with pytest.raises(Refusal, match="129 tools"):
        from_messages({"messages": [{"role": "user", "content": "x"}], "tools": tools})


def test_cursor_writes_responses_to_the_path_of_chat_and_gets_chunks() -> None:
    body = {"model": "m", "input": [{"role": "user", "content": "hi"}], "stream": True}
    between = translator(body, Protocol.RESPONSES, answered=Protocol.CHAT)
    assert json.loads(between.request(Protocol.MESSAGES, PLAIN))["messages"][0]["role"] == "user"
    answer = b'{"content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn"}'
    raw = between.answer(Protocol.MESSAGES, answer)
    assert raw is not None
    assert json.loads(raw)["choices"][0]["message"]["content"] == "hi"
