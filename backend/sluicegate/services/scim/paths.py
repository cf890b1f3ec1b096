"""Names of attributes, paths of PATCH and filters (RFC 7644, sections 3.4.2.2 and 3.5.2), as identity providers write
them: in any case, with or without the URN of the schema."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from sluicegate.services.scim.faults import ScimFault, invalid_path

USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"
_CORE = tuple(f"{urn.lower()}:" for urn in (USER_URN, GROUP_URN))
_MAX_TEXT = 2000
_MAX_CONDITIONS = 10
_NAME = r"[a-z$][a-z0-9_$-]*"
_PATH = re.compile(
    rf"(?P<urn>urn:[^\s\[\]\"]+:)?(?P<attribute>{_NAME})(?:\[(?P<where>.*)\])?(?:\.(?P<sub>{_NAME}))?", re.I | re.S
)
_CONDITION = re.compile(
    rf"\s*(?P<path>(?:urn:[^\s\[\]\"]+:)?{_NAME}(?:\[[^\]]*\])?(?:\.{_NAME})?)\s+(?P<op>[a-z]+)"
    r"(?:\s+(?P<value>\"(?:[^\"\\]|\\.)*\"|true|false|null|-?\d+(?:\.\d+)?))?\s*",
    re.I | re.S,
)
_AND = re.compile(r"and\s", re.I)

Value = str | bool | int | float | None
Condition = tuple[str, Value]


@dataclass(frozen=True, slots=True)
class Path:
    """`attribute` and `sub` are in lower case; `foreign` tells that it belongs to a schema that is not kept."""

    attribute: str
    sub: str | None = None
    where: tuple[Condition, ...] = ()
    foreign: bool = False

    @property
    def name(self) -> str:
        return self.attribute if self.sub is None else f"{self.attribute}.{self.sub}"


def parse_path(text: object) -> Path:
    """Raises ScimFault for what is no path."""
    found = _PATH.fullmatch(text.strip()) if isinstance(text, str) and len(text) <= _MAX_TEXT else None
    if found is None:
        shown = text[:80] if isinstance(text, str) else text
        raise invalid_path(
            f"{shown!r} is not a path; write it like displayName, name.givenName or members[value eq …]."
        )
    where = found["where"]
    conditions = () if where is None else tuple(parse_filter(where))
    foreign = found["urn"] is not None and found["urn"].lower() not in _CORE
    sub = found["sub"]
    return Path(found["attribute"].lower(), None if sub is None else sub.lower(), conditions, foreign)


def parse_filter(text: str) -> list[Condition]:
    """Names in lower case and what they are to equal, all of them at once. Raises ScimFault for anything else."""
    if len(text) > _MAX_TEXT:
        raise _bad_filter(f"has more than {_MAX_TEXT} characters")
    conditions: list[Condition] = []
    at = 0
    while True:
        found = _CONDITION.match(text, at)
        if found is None:
            raise _bad_filter("cannot be read")
        conditions.append(_condition(found))
        if found.end() == len(text):
            return conditions
        more = _AND.match(text, found.end())
        if more is None or not text[found.end() - 1].isspace():
            raise _bad_filter("cannot be read")
        if len(conditions) == _MAX_CONDITIONS:
            raise _bad_filter(f"has more than {_MAX_CONDITIONS} conditions")
        at = more.end()


def _condition(found: re.Match[str]) -> Condition:
    if found["op"].lower() != "eq":
        raise _bad_filter(f"uses {found['op']!r}")
    if found["value"] is None:
        raise _bad_filter("lacks a value")
    path = parse_path(found["path"])
    try:
        value: Value = json.loads(found["value"] if found["value"].startswith('"') else found["value"].lower())
    except ValueError:
        raise _bad_filter("has a text that cannot be read") from None
    if isinstance(value, str) and not is_plain(value):
        raise _bad_filter("has characters that no text holds")
    return (f"foreign:{path.name}" if path.foreign else path.name), value


def is_plain(text: str) -> bool:
    """Whether a database takes it: no null, no half of a pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _bad_filter(what: str) -> ScimFault:
    return ScimFault(
        "invalidFilter", f'The filter {what}. Write conditions like userName eq "ada@example.com", joined by and.'
    )
