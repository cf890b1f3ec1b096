"""The neutral form: what a call asks and what comes back, in no protocol's words.

Reading a protocol gives these values, writing one takes them; no protocol knows another. What a protocol can't say is
dropped or refused where it is written, by the table in docs/translation.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from sluicegate.gateway.reading import Reading

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """Exactly one of `data` (base64) and `url` is set."""

    media_type: str = ""
    data: str = ""
    url: str = ""
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """Exactly one of `data` (base64), `url` and `text` is set."""

    media_type: str = ""
    data: str = ""
    url: str = ""
    text: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Thought:
    """Reasoning that was shown. Its signature holds for one provider only, so it is never carried over."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call by the model. `arguments` is JSON text, or plain text when `freeform`."""

    id: str
    name: str
    arguments: str
    namespace: str | None = None
    freeform: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool answered to the call of this id."""

    call_id: str
    parts: tuple[Text | Image | Document, ...]
    failed: bool = False


Part = Text | Image | Document | Thought | Call | Result


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Turn:
    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """`schema` is the JSON schema of the arguments; a freeform tool takes plain text instead."""

    name: str
    description: str = ""
    schema: Object = field(default_factory=dict[str, Any])
    namespace: str | None = None
    freeform: bool = False
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which tool has to be called: `any` of them, `one` by name, `none`, or as the model likes (`auto`)."""

    mode: Literal["auto", "any", "none", "one"]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """A JSON answer; `schema` is None for any JSON object."""

    schema: Object | None
    name: str = "answer"
    strict: bool | None = None


@dataclass(slots=True)
class Ask:
    """One call. None means that the caller did not say."""

    turns: list[Turn]
    tools: list[Tool] = field(default_factory=list[Tool])
    choice: Choice | None = None
    parallel: bool | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] = field(default_factory=list[str])
    stream: bool = False
    effort: str | None = None
    format: Format | None = None
    cache_key: str | None = None
    verbosity: str | None = None


class Stop(StrEnum):
    """Why the model stopped."""

    END = "end"
    LENGTH = "length"
    TOOL = "tool"
    SEQUENCE = "sequence"
    REFUSAL = "refusal"


@dataclass(slots=True)
class Reply:
    """What an answer is written with besides itself. `model` is the name that the caller knows, `created` is in seconds
    since the epoch, `input_estimate` in tokens stands in where the provider counts nothing. `hide_usage` keeps usage
    out of a stream that did not ask for it.
    """

    ask: Ask
    model: str
    created: int
    input_estimate: int
    hide_usage: bool = False


@dataclass(slots=True)
class Answer:
    """A whole answer. `reading` is its usage as far as the provider told it."""

    parts: list[Text | Thought | Call]
    stop: Stop
    reading: Reading
    stop_sequence: str | None = None

    @property
    def size(self) -> int:
        """Bytes of what the model wrote, from which its tokens are estimated where nobody counted them."""
        return sum(len((p.arguments if isinstance(p, Call) else p.text).encode()) for p in self.parts)


# What streams are made of


@dataclass(frozen=True, slots=True)
class TextPiece:
    text: str


@dataclass(frozen=True, slots=True)
class ThoughtPiece:
    text: str


@dataclass(frozen=True, slots=True)
class CallBegin:
    """A tool call whose name is known. `key` tells calls of one answer apart."""

    key: int
    id: str
    name: str
    namespace: str | None = None
    freeform: bool = False


@dataclass(frozen=True, slots=True)
class CallPiece:
    """More of a call's arguments, as they came."""

    key: int
    text: str


@dataclass(frozen=True, slots=True)
class CallEnd:
    key: int


@dataclass(frozen=True, slots=True)
class Finish:
    stop: Stop
    stop_sequence: str | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """Usage so far; a later one replaces an earlier one."""

    reading: Reading


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider reported an error. `status` is the one that it has, or would have, outside a stream."""

    status: int
    message: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """A sign of life."""


@dataclass(frozen=True, slots=True)
class Done:
    """The stream's proper end."""


Event = TextPiece | ThoughtPiece | CallBegin | CallPiece | CallEnd | Finish | Used | Failed | Ping | Done


@dataclass(frozen=True, slots=True)
class Target:
    """The provider's model that a request is written for; `max_output` is in tokens.

    `reasons` tells that it takes an effort, `samples` that it takes temperature and its like. `adaptive` tells that it
    finds out itself how much to think, and `extra_high` that it knows the effort `xhigh`; both count for Messages only.
    """

    model: str
    max_output: int | None = None
    reasons: bool = False
    samples: bool = True
    adaptive: bool = False
    extra_high: bool = False
