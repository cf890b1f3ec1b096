"""The parts that decide what to say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.adapters.demo import prose, tokens
from sluicegate.adapters.demo.directives import ToolCall, tool_calls, without_directives
from sluicegate.adapters.demo.instance import instance_of


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}, {"a": "words"}),
        ({"type": "object", "properties": {"a": {"type": "boolean"}}}, {"a": True}),
        ({"type": "array", "items": {"type": "integer", "exclusiveMinimum": 4}, "minItems": 2}, [5, 5]),
        ({"type": ["null", "string"], "maxLength": 3}, "wor"),
        ({"type": "string", "minLength": 8}, "words..."),
        ({"type": "string", "format": "date"}, "2025-01-01"),
        ({"enum": ["x", "y"]}, "x"),
        ({"const": 7}, 7),
        ({"anyOf": [{"type": "null"}, {"type": "number", "maximum": -2}]}, -2),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "boolean"}}}, True),
        ({"allOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"type": "object"}]}, {"a": 1}),
        ({"type": "null"}, None),
    ],
)
def test_least_instance(schema: dict[str, Any], value: Any) -> None:
    assert instance_of(schema, "words") == value


def test_a_schema_cannot_ask_for_more_than_memory_holds() -> None:
    tree: dict[str, Any] = {"type": "array", "minItems": 1_000_000, "items": {"$ref": "#"}}
    assert instance_of(tree, "w") is not None
    twins = {"type": "object", "required": ["a", "b"], "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}}
    assert instance_of(twins, "w") is not None


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("nothing here", ()),
        ('[[tool:Bash {"command": "echo ]] done"}]]', (ToolCall("Bash", '{"command": "echo ]] done"}'),)),
        ("[[tool:now]]", (ToolCall("now", "{}"),)),
        ("a [[tool:x {}]] b [[tool:y {}]] c", (ToolCall("x", "{}"), ToolCall("y", "{}"))),
        ('[[tool:Bash {\\"command\\": \\"ls\\"}]]', (ToolCall("Bash", '{"command": "ls"}'),)),
        ("[[tool:patch *** Begin [x]]]", (ToolCall("patch", "*** Begin [x]"),)),
        ("[[tool:open {", (ToolCall("open", "{"),)),
    ],
)
def test_directives(text: str, calls: tuple[ToolCall, ...]) -> None:
    assert tool_calls(text) == calls


def test_directives_are_left_out_of_what_is_talked_about() -> None:
    assert without_directives('list [[tool:Bash {"c": "ls"}]] files [[tool:now]]') == "list  files"


@pytest.mark.parametrize(
    ("ask", "reply"),
    [("say pong", "Pong"), ('Reply with exactly "OK".', "OK"), ("please say hello world!", "Hello world")],
)
def test_echo(ask: str, reply: str) -> None:
    assert prose.reply_to(ask, thorough=False) == reply


@given(st.text(max_size=300))
def test_every_prompt_gets_words_that_tell_where_they_come_from(ask: str) -> None:
    reply = prose.reply_to(ask, thorough=True)
    assert "demo provider" in reply or len(reply) <= 80


@given(st.text(max_size=500))
def test_tokens_and_deltas_lose_nothing(text: str) -> None:
    pieces = tokens.split(text)
    assert "".join(pieces) == text
    assert "".join(tokens.deltas(pieces)) == text
    assert all(tokens.deltas(pieces))
