"""What is written in a protocol reads back as what was meant, for generated conversations."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.domain.catalog import Protocol
from sluicegate.gateway.translate import chat, messages, responses
from sluicegate.gateway.translate.form import Ask, Call, Choice, Image, Part, Result, Role, Target, Text, Tool, Turn
from sluicegate.gateway.translate.names import names_of

_PACKAGES: dict[Protocol, Any] = {
    Protocol.CHAT: chat,
    Protocol.MESSAGES: messages,
    Protocol.RESPONSES: responses,
}
_TARGET = Target("m", 100_000)

_words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30).filter(
    lambda text: text == text.strip() and not text.startswith("x-anthropic-billing-header:")
)
_texts = _words.map(Text)
_images = st.sampled_from([Image("image/png", "aGk="), Image(url="https://pictures.example/a.png")])
_names = st.sampled_from(["Bash", "Read", "mcp__files__list"])
_arguments = st.dictionaries(_words, st.one_of(st.integers(-9, 9), _words, st.none()), max_size=3).map(
    lambda value: msgspec.json.encode(value).decode()
)


@st.composite
def _conversations(draw: st.DrawFn) -> list[Turn]:
    """System first, then questions and answers in turn, each call answered in the turn that follows."""
    turns = [Turn(Role.SYSTEM, (draw(_texts),))] if draw(st.booleans()) else []
    number = 0
    turns.append(Turn(Role.USER, tuple(draw(st.lists(st.one_of(_texts, _images), min_size=1, max_size=3)))))
    for _ in range(draw(st.integers(0, 3))):
        calls: list[Part] = []
        for _ in range(draw(st.integers(0, 2))):
            number += 1
            calls.append(Call(f"call_{number}", draw(_names), draw(_arguments)))
        said: list[Part] = [draw(_texts)] if not calls or draw(st.booleans()) else []
        turns.append(Turn(Role.ASSISTANT, (*said, *calls)))
        answers: list[Part] = [Result(c.id, (draw(_texts),)) for c in calls if isinstance(c, Call)]
        asked: list[Part] = [draw(_texts)] if not calls or draw(st.booleans()) else []
        turns.append(Turn(Role.USER, (*answers, *asked)))
    return turns


def _flat(turns: list[Turn]) -> list[tuple[Role, Part]]:
    """Where turns begin and end is each protocol's own affair; what stands in them and in which order is not."""
    return [(turn.role, part) for turn in turns for part in turn.parts]


@pytest.mark.parametrize("protocol", list(Protocol))
@settings(max_examples=150, deadline=None)
@given(turns=_conversations())
def test_a_conversation_reads_back_as_it_was_meant(protocol: Protocol, turns: list[Turn]) -> None:
    ask = Ask(turns, max_tokens=500)
    package = _PACKAGES[protocol]
    body = json.loads(msgspec.json.encode(package.write_request(ask, _TARGET, names_of(ask))))
    assert _flat(package.read_request(body).turns) == [
        (role, Image(part.media_type, part.data, part.url, "auto"))
        if isinstance(part, Image) and protocol is Protocol.RESPONSES
        else (role, part)
        for role, part in _flat(turns)
    ]


@pytest.mark.parametrize("protocol", list(Protocol))
@given(
    names=st.lists(st.text(min_size=1, max_size=90).filter(lambda t: t.isprintable()), unique=True, max_size=8),
    chosen=st.sampled_from(["auto", "any", "none"]),
    parallel=st.sampled_from([None, False]),
)
def test_tools_keep_their_number_and_get_names_that_fit(
    protocol: Protocol, names: list[str], chosen: Any, parallel: bool | None
) -> None:
    tools = [Tool(name, "does it", {"type": "object", "properties": {}}) for name in names]
    ask = Ask([Turn(Role.USER, (Text("go"),))], tools, Choice(chosen), parallel)
    wire = names_of(ask)
    body = json.loads(msgspec.json.encode(_PACKAGES[protocol].write_request(ask, _TARGET, wire)))
    read = _PACKAGES[protocol].read_request(body)
    assert [wire.tool(tool.name).name for tool in read.tools] == names
    assert all(0 < len(tool.name) <= 64 for tool in read.tools)
    if names:
        assert read.choice == Choice(chosen)
        assert read.parallel is (None if protocol is Protocol.MESSAGES and chosen == "none" else parallel)
