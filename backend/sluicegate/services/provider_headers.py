"""Further headers that a provider wants: names that everybody may see, and values that nobody sees again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sluicegate.domain.catalog import KINDS, ProviderKind
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.secret import Secret

MAX_HEADERS = 20
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_MAX_VALUE = 2000
# What authenticates, frames or routes a call, or speaks of its body, is written by the gateway alone.
_RESERVED = frozenset(
    {
        "accept-encoding",
        "anthropic-version",
        "api-key",
        "authorization",
        "connection",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "openai-organization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-api-key",
        "x-goog-api-key",
    }
)
_RESERVED_PREFIXES = ("content-", "proxy-", "x-forwarded-")


@dataclass(frozen=True, slots=True)
class NewHeader:
    """Without a value, the one that is stored under this name stays."""

    name: str
    value: Secret | None = None


def checked(kind: ProviderKind, headers: Sequence[NewHeader]) -> list[NewHeader]:
    """With lower-case names; raises InvalidInput naming the place of a fault."""
    if headers and not KINDS[kind].takes_headers:
        raise InvalidInput("headers", f"must be empty: {KINDS[kind].label} takes none of its own")
    if len(headers) > MAX_HEADERS:
        raise InvalidInput("headers", f"takes at most {MAX_HEADERS}")
    found: list[NewHeader] = []
    for index, header in enumerate(headers):
        name = header.name.strip().lower()
        if not _NAME.fullmatch(name):
            raise InvalidInput(f"headers.{index}.name", "must be the name of a header, such as X-Team")
        if name in _RESERVED or name.startswith(_RESERVED_PREFIXES):
            raise InvalidInput(f"headers.{index}.name", f"must not be {name}, which the gateway writes itself")
        if any(other.name == name for other in found):
            raise InvalidInput(f"headers.{index}.name", f"must not be {name} a second time")
        found.append(NewHeader(name, _checked_value(header.value, f"headers.{index}.value")))
    return found


def _checked_value(value: Secret | None, field: str) -> Secret | None:
    if value is None:
        return None
    text = value.reveal().strip()
    if not 1 <= len(text) <= _MAX_VALUE:
        raise InvalidInput(field, f"must have 1 to {_MAX_VALUE} characters")
    if not all(32 <= ord(c) <= 126 for c in text):
        raise InvalidInput(field, "must not contain line breaks, control characters or letters beyond ASCII")
    return Secret(text)


def merged(headers: Sequence[NewHeader], stored: dict[str, str]) -> dict[str, str]:
    """Values by name, with those that stay; raises InvalidInput for a new name without a value."""
    values: dict[str, str] = {}
    for index, header in enumerate(headers):
        if header.value is not None:
            values[header.name] = header.value.reveal()
        elif header.name in stored:
            values[header.name] = stored[header.name]
        else:
            raise InvalidInput(f"headers.{index}.value", "is needed for a header that is new")
    return values
