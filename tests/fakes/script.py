"""What a test can make the provider do wrong, or right in an unusual way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal

from sluicegate.domain.usage import TokenUsage


class UsageFault(Enum):
    """Ways in which providers report usage badly. All but the last two touch every place where usage stands."""

    MISSING = auto()
    NULL = auto()
    NULL_COUNTS = auto()
    NEGATIVE = auto()
    HUGE = auto()
    TEXT = auto()
    ONLY_IN_FIRST_EVENT = auto()
    ONLY_OUTPUT_AT_END = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """One scripted answer; every field left alone is as usual.

    `status` from 400 on gives an error in the dialect's shape. `body` replaces the whole body. `headers` replace those
    of the same name. `usage` replaces the figures or spoils them. Seconds are real ones.

    `hang_up` closes before any byte. `stall_before` waits before the head, `stall_after` between head and body.
    `cut_after` closes after so many bytes of the body; with `reset` by RST, which may lose what was on its way.
    `split` sends the body in pieces of so many bytes. `endless` never ends a stream: with whole events, or with one
    event whose line never ends.
    """

    status: int = 200
    message: str = "the provider was told to fail"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    usage: TokenUsage | UsageFault | None = None
    hang_up: bool = False
    reset: bool = False
    stall_before: float = 0.0
    stall_after: float = 0.0
    cut_after: int | None = None
    framing: Literal["usual", "chunked", "length", "close"] = "usual"
    gzip: bool = False
    crlf: bool = False
    split: int | None = None
    endless: Literal["events", "line"] | None = None
    times: int = 1


def html_page() -> Step:
    """A proxy's page in place of an answer, with a status that says all is well."""
    page = b"<!doctype html><title>Welcome</title><p>Please sign in."
    return Step(body=page, headers={"content-type": "text/html; charset=utf-8"})


def broken_json() -> Step:
    """A body that stops in the middle although its length is as announced."""
    return Step(body=b'{"id":"broken","usage":{"output_tok', headers={"content-type": "application/json"})


def rate_limited(seconds: int = 1) -> Step:
    return Step(status=429, headers={"retry-after": str(seconds)})
