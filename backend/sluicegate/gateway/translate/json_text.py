"""JSON inside JSON: tool arguments, which one protocol carries as an object and others as text."""

from __future__ import annotations

from typing import Any

import msgspec

from sluicegate.gateway.reading import loaded

_encode = msgspec.json.Encoder().encode
# The one argument of a function that stands for a freeform tool.
FREEFORM = "input"
FREEFORM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {FREEFORM: {"type": "string", "description": "The tool's whole input, as plain text."}},
    "required": [FREEFORM],
    "additionalProperties": False,
}


def dumped(value: Any) -> str:
    return _encode(value).decode()


def arguments_object(text: str) -> dict[str, Any]:
    """Arguments as an object. What is no object, as a model that was cut off leaves it, is kept as text in one."""
    if not text.strip():
        return {}
    value = loaded(text.encode(errors="replace"))
    return value if isinstance(value, dict) else {FREEFORM: text}


def wrapped(text: str) -> str:
    """A freeform input as the arguments of a function."""
    return dumped({FREEFORM: text})


def unwrapped(arguments: str) -> str:
    """The freeform input out of a function's arguments."""
    value = loaded(arguments.encode(errors="replace"))
    inner = value.get(FREEFORM) if isinstance(value, dict) else None
    return inner if isinstance(inner, str) else arguments


def complete(text: str) -> bool:
    """Whether the arguments so far are a whole JSON value."""
    return text.strip() != "" and loaded(text.encode(errors="replace")) is not None
