"""A request as every dialect's reader hands it to the engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar, cast

import msgspec

from sluicegate.adapters.demo.faults import Fault

CacheMark = Literal["5m", "1h"]
_Body = TypeVar("_Body", bound=msgspec.Struct)

# Base64 says nothing about what a picture costs; this is about 1,600 tokens.
_PICTURE_WEIGHT = 6_400
_PICTURES = frozenset({"image", "image_url", "input_image", "document", "file", "input_file", "input_audio"})

# Text that assistants put around what a person typed.
_WRAPPERS = re.compile(
    r"<(system-reminder|environment_context|environment_details|user_instructions)>.*?</\1>|</?task>", re.DOTALL
)
_LOOK_BACK = 20_000


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool the caller offers. `freeform` ones take plain text in place of JSON."""

    name: str
    schema: Mapping[str, Any]
    freeform: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the prompt that can be cached whole. `weight` is in bytes, pictures at a flat rate."""

    content: bytes
    weight: int
    mark: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the engine and the writers need to know. `tool_choice` is auto, none, any or a tool's name.

    `result` is what a tool returned after the newest text of the user. `schema` asks for JSON, an empty one for
    any object.
    """

    model: str
    ask: str
    result: str | None
    segments: tuple[Segment, ...]
    marked_cache: bool
    tools: Mapping[str, Tool]
    tool_choice: str
    parallel_calls: bool
    limit: int | None
    stops: tuple[str, ...]
    schema: Mapping[str, Any] | None
    effort: str
    stream: bool
    include_usage: bool = False
    show_reasoning: bool = False
    echo: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Transcript:
    """Collects what a reader meets, in the order of the wire."""

    def __init__(self) -> None:
        self.ask = ""
        self.result: str | None = None
        self.segments: list[Segment] = []
        self._new_turn = True

    def turn(self) -> None:
        self._new_turn = True

    def says(self, text: str) -> None:
        """The user speaks: earlier turns and tool results are no longer the newest."""
        seen = _WRAPPERS.sub("", text[-_LOOK_BACK:]).strip()
        if not seen:
            return
        self.ask = seen if self._new_turn else f"{self.ask}\n{seen}"
        self._new_turn = False
        self.result = None

    def returns(self, text: str) -> None:
        self.result = text

    def add(self, role: str, part: Any, mark: CacheMark | None = None) -> None:
        content = msgspec.json.encode(part)
        self.segments.append(Segment(b"%s\0%s\0" % (role.encode(), content), _weigh(part, len(content)), mark))

    def mark_last(self, mark: CacheMark) -> None:
        self.segments[-1] = replace(self.segments[-1], mark=mark)


def text_of(content: Any) -> str:
    """The text of a string, a content part or a list of parts, whatever the dialect calls them."""
    if isinstance(content, str):
        return content
    texts = [within(part, "text") for part in items_of(content) or [content]]
    return "\n".join(text for text in texts if isinstance(text, str))


def within(value: Any, *path: str) -> Any:
    """What a path of names leads to in decoded JSON of unknown shape; None when it leads nowhere."""
    for name in path:
        value = object_of(value).get(name)
    return value


def object_of(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def items_of(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def body_as(raw: bytes, kind: type[_Body]) -> _Body:
    """Decodes a request body or raises the `Fault` that a provider would answer."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise Fault(400, f"Invalid request body: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Fault(400, "We could not parse the JSON body of your request.") from None


def _weigh(part: Any, size: int) -> int:
    if isinstance(part, str):
        return len(part.encode())
    parts = items_of(part) or items_of(within(part, "content"))
    if parts:
        return sum(_weigh(inner, len(msgspec.json.encode(inner))) for inner in parts)
    if within(part, "type") in _PICTURES or "inlineData" in object_of(part):
        return _PICTURE_WEIGHT
    text = within(part, "text")
    return len(text.encode()) if isinstance(text, str) else size
