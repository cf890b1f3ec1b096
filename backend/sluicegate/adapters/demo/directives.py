"""Reads `[[tool:NAME {"json": "arguments"}]]` out of a prompt, so that a person can try tool loops without a model."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_OPENING = re.compile(r"\[\[tool:([\w.\-/]+)\s*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` is JSON text, or plain text for a free-form tool."""

    name: str
    arguments: str


def tool_calls(text: str) -> tuple[ToolCall, ...]:
    """Every call asked for, in order. Arguments may hold `]]`.

    Some assistants quote the prompt once more on its way, so `\\"` is read as `"` where JSON would not have it.
    """
    calls: list[ToolCall] = []
    opening = _OPENING.search(text)
    while opening:
        arguments, end = _arguments(text, opening.end())
        calls.append(ToolCall(opening[1], arguments or "{}"))
        opening = _OPENING.search(text, end)
    return tuple(calls)


def without_directives(text: str) -> str:
    """What is left for a person to read."""
    opening = _OPENING.search(text)
    while opening:
        _, end = _arguments(text, opening.end())
        text = text[: opening.start()] + text[end:]
        opening = _OPENING.search(text, opening.start())
    return text.strip()


def _arguments(text: str, start: int) -> tuple[str, int]:
    if text[start : start + 1] == "{":
        try:
            _, end = _DECODER.raw_decode(text, start)
        except ValueError:
            end = -1
        if end > 0 and text.startswith("]]", end):
            return text[start:end], end + 2
    close = text.find("]]", start)
    if close < 0:
        return text[start:].strip(), len(text)
    while text.startswith("]]]", close):
        close += 1
    return text[start:close].replace('\\"', '"').strip(), close + 2
