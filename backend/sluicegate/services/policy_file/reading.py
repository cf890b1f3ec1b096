"""What a policy file says. What it leaves out is not managed by it, and stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Generic, TypeVar

from sluicegate.domain.catalog import ModelKind, ModelStatus, parse_slug
from sluicegate.domain.policy import check_cap, check_limit, check_thresholds
from sluicegate.domain.user import parse_email, parse_name
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import Nanos, parse_usd
from sluicegate.kit.text import composed
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.groups import checked_description
from sluicegate.services.models import MAX_BACKENDS, MAX_PRIORITY, MAX_WEIGHT
from sluicegate.services.policy_file import nodes
from sluicegate.services.policy_file.nodes import Fault, InvalidDocument, Node, Scalar

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

VERSION = 1
# The file's names of what `RateLimits` and `Budget` call otherwise.
LIMITS = {
    "requests_per_minute": "requests",
    "input_tokens_per_minute": "input_tokens",
    "output_tokens_per_minute": "output_tokens",
    "concurrent_requests": "concurrent_requests",
}
CAPS = {"daily": "day", "weekly": "week", "monthly": "month"}
THRESHOLDS = "alert_thresholds"
# Top-level keys with this prefix are for anchors, and mean nothing by themselves.
SHARED_PREFIX = "x-"
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_NAME_OF_KEY = re.compile(r"[A-Za-z0-9_@+-][A-Za-z0-9_@+. -]*")


@dataclass(frozen=True, slots=True)
class Given(Generic[T]):
    """A value, and where the file has it."""

    value: T
    line: int
    path: str

    def fault(self, message: str) -> Fault:
        return Fault(self.line, self.path, message)


@dataclass(frozen=True, slots=True)
class BackendEntry:
    provider: Given[str]
    model: Given[str]
    priority: int
    weight: int


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """Backends replace all."""

    slug: Given[str]
    name: str | Absent = ABSENT
    kind: Given[ModelKind] | Absent = ABSENT
    status: Given[ModelStatus] | Absent = ABSENT
    backends: tuple[BackendEntry, ...] | Absent = ABSENT


@dataclass(frozen=True, slots=True)
class Values:
    """Limits and caps by the names that the domain has for them; null lifts one."""

    limits: Mapping[str, int | None] = field(default_factory=dict[str, "int | None"])
    caps: Mapping[str, Nanos | None] = field(default_factory=dict[str, "Nanos | None"])
    thresholds: tuple[int, ...] | Absent = ABSENT


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """`each` counts every member's own use, `pool` that of all together."""

    name: Given[str]
    description: str | Absent = ABSENT
    grants: tuple[Given[str], ...] | Absent = ABSENT
    members: tuple[Given[str], ...] | Absent = ABSENT
    each: Values = field(default_factory=Values)
    pool: Values = field(default_factory=Values)


@dataclass(frozen=True, slots=True)
class UserEntry:
    """What is set for one person alone."""

    email: Given[str]
    grants: tuple[Given[str], ...] | Absent = ABSENT
    own: Values = field(default_factory=Values)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    models: tuple[ModelEntry, ...] | Absent = ABSENT
    groups: tuple[GroupEntry, ...] | Absent = ABSENT
    users: tuple[UserEntry, ...] | Absent = ABSENT


def read_policy(text: str) -> PolicyFile:
    """Raises InvalidDocument with all faults; of a text that is not YAML, with the first."""
    root = nodes.parse(text)
    reader = _Reader()
    file = reader.policy(root)
    if reader.faults:
        raise InvalidDocument(reader.faults)
    return file


class _Bad(Exception):
    """A value that was found at fault, and is left out of what else is looked at."""


class _Reader:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def policy(self, root: Node) -> PolicyFile:
        known = ("version", "models", "groups", "users")
        fields = self._fields(root, "", known, "the document", spare=SHARED_PREFIX)
        version = fields.get("version")
        if version is None:
            self._fault(root, "version", f"is missing; begin with `version: {VERSION}`")
        else:
            self._take("version", version, self._version)
        return PolicyFile(
            self._entries("models", fields, parse_slug, self._model),
            self._entries("groups", fields, parse_name, self._group, same=str.lower),
            self._entries("users", fields, parse_email, self._user),
        )

    def _model(self, slug: Given[str], node: Node) -> ModelEntry:
        at = slug.path
        fields = self._fields(node, at, ("name", "kind", "status", "backends"), "a model")
        return ModelEntry(
            slug,
            self._text(f"{at}.name", fields.get("name"), lambda text, path: parse_name(text, path, required=False)),
            self._choice(f"{at}.kind", fields.get("kind"), ModelKind),
            self._choice(f"{at}.status", fields.get("status"), ModelStatus),
            self._list(f"{at}.backends", fields.get("backends"), self._backend, most=MAX_BACKENDS),
        )

    def _backend(self, path: str, node: Node) -> BackendEntry:
        fields = self._fields(node, path, ("provider", "model", "priority", "weight"), "a backend")
        missing = [name for name in ("provider", "model") if name not in fields]
        if missing:
            self._fault(node, path, f"must name its {' and its '.join(missing)}")
        provider = self._named(f"{path}.provider", fields.get("provider"))
        model = self._named(f"{path}.model", fields.get("model"))
        priority = self._number(f"{path}.priority", fields.get("priority"), 0, MAX_PRIORITY)
        weight = self._number(f"{path}.weight", fields.get("weight"), 1, MAX_WEIGHT)
        if provider is None or model is None:
            raise _Bad
        return BackendEntry(provider, model, 0 if priority is None else priority, 1 if weight is None else weight)

    def _group(self, name: Given[str], node: Node) -> GroupEntry:
        at = name.path
        known = ("description", "grants", "members", "limits", "budget", "pool")
        fields = self._fields(node, at, known, "a group")
        pool = self._fields(fields["pool"], f"{at}.pool", ("limits", "budget"), "a pool") if "pool" in fields else {}
        return GroupEntry(
            name,
            self._text(f"{at}.description", fields.get("description"), checked_description),
            self._names(f"{at}.grants", fields.get("grants"), parse_slug),
            self._names(f"{at}.members", fields.get("members"), parse_email),
            self._values(at, fields),
            self._values(f"{at}.pool", pool),
        )

    def _user(self, email: Given[str], node: Node) -> UserEntry:
        at = email.path
        fields = self._fields(node, at, ("grants", "limits", "budget"), "a user")
        return UserEntry(email, self._names(f"{at}.grants", fields.get("grants"), parse_slug), self._values(at, fields))

    def _values(self, at: str, fields: Mapping[str, Node]) -> Values:
        limits: dict[str, int | None] = {}
        caps: dict[str, Nanos | None] = {}
        thresholds: tuple[int, ...] | Absent = ABSENT
        if "limits" in fields:
            for name, node in self._fields(fields["limits"], f"{at}.limits", tuple(LIMITS), "limits").items():
                self._take(f"{at}.limits.{name}", node, _limit, into=limits, key=LIMITS[name])
        if "budget" in fields:
            at = f"{at}.budget"
            for name, node in self._fields(fields["budget"], at, (*CAPS, THRESHOLDS), "a budget").items():
                if name == THRESHOLDS:
                    thresholds = self._thresholds(f"{at}.{name}", node)
                else:
                    self._take(f"{at}.{name}", node, _cap, into=caps, key=CAPS[name])
        return Values(limits, caps, thresholds)

    def _thresholds(self, path: str, node: Node) -> tuple[int, ...] | Absent:
        values = self._list(path, node, lambda at, item: _whole(item, at))
        if values is ABSENT:
            return ABSENT
        return self._take(path, node, lambda _node, at: check_thresholds(list(values), at)) or ()

    # What shapes there are.

    def _entries(
        self,
        section: str,
        fields: Mapping[str, Node],
        read_key: Callable[[str, str], str],
        read: Callable[[Given[str], Node], T],
        same: Callable[[str], str] = str,
    ) -> tuple[T, ...] | Absent:
        """What stands in a section, by name; `same` gives what is equal for two names of one thing."""
        if section not in fields:
            return ABSENT
        lines: dict[str, int] = {}
        found: list[T] = []
        for key, node in self._mapping(fields[section], section):
            path = join(section, key.text)
            name = self._take(path, key, lambda key, path: read_key(_text_of(key), path))
            if name is None:
                continue
            if same(name) in lines:
                self._fault(key, path, f"stands at line {lines[same(name)]} already")
                continue
            lines[same(name)] = key.line
            found.append(read(Given(name, key.line, path), node))
        return tuple(found)

    def _fields(
        self, node: Node, path: str, known: tuple[str, ...], what: str, spare: str | None = None
    ) -> dict[str, Node]:
        """The known keys of a mapping; any other is a fault."""
        found: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key, value in self._mapping(node, path):
            name = key.text
            at = join(path, name)
            if name in lines:
                self._fault(key, at, f"stands at line {lines[name]} already")
            elif name in known:
                found[name] = value
            elif spare is None or not name.startswith(spare):
                near = get_close_matches(name, known, 1, 0.5)
                hint = f"did you mean {near[0]}?" if near else f"{what} takes {', '.join(known)}"
                self._fault(key, at, f"is not known here; {hint}")
            lines[name] = key.line
        return found

    def _mapping(self, node: Node, path: str) -> tuple[tuple[Scalar, Node], ...]:
        if isinstance(node, nodes.Mapping):
            return node.entries
        empty = isinstance(node, Scalar) and node.kind == "null"
        way_out = "is empty; leave it out, or write {}" if empty else "must be a mapping: lines of `name: value`"
        self._fault(node, path, way_out)
        return ()

    def _list(
        self, path: str, node: Node | None, read: Callable[[str, Node], T], most: int | None = None
    ) -> tuple[T, ...] | Absent:
        if node is None:
            return ABSENT
        if not isinstance(node, nodes.Sequence):
            self._fault(node, path, "must be a list; write [] for none, or leave it out to keep what is there")
            return ABSENT
        if most is not None and len(node.items) > most:
            self._fault(node, path, f"takes at most {most}")
        found: list[T] = []
        for index, item in enumerate(node.items):
            at = f"{path}[{index}]"
            try:
                found.append(read(at, item))
            except _Bad:
                continue
            except InvalidInput as error:
                self._fault(item, at, error.message)
        return tuple(found)

    def _names(self, path: str, node: Node | None, check: Callable[[str, str], str]) -> tuple[Given[str], ...] | Absent:
        """A list of names, none of them twice."""
        lines: dict[str, int] = {}

        def read(at: str, item: Node) -> Given[str]:
            name = check(_text_of(item), at)
            if name in lines:
                raise InvalidInput(at, f"{name} stands at line {lines[name]} already")
            lines[name] = item.line
            return Given(name, item.line, at)

        return self._list(path, node, read)

    def _text(self, path: str, node: Node | None, check: Callable[[str, str], str]) -> str | Absent:
        if node is None:
            return ABSENT
        found = self._take(path, node, lambda node, path: check(_text_of(node), path))
        return ABSENT if found is None else found

    def _named(self, path: str, node: Node | None) -> Given[str] | None:
        text = self._text(path, node, _required)
        return None if text is ABSENT or node is None else Given(text, node.line, path)

    def _choice(self, path: str, node: Node | None, choices: type[E]) -> Given[E] | Absent:
        def read(node: Node, path: str) -> Given[E]:
            text = _text_of(node)
            if text not in [choice.value for choice in choices]:
                raise InvalidInput(path, f"must be one of {', '.join(choice.value for choice in choices)}")
            return Given(choices(text), node.line, path)

        return (self._take(path, node, read) if node is not None else None) or ABSENT

    def _number(self, path: str, node: Node | None, least: int, most: int) -> int | None:
        def read(node: Node, path: str) -> int:
            number = _whole(node, path)
            if not least <= number <= most:
                raise InvalidInput(path, f"must lie between {least} and {most}")
            return number

        return self._take(path, node, read) if node is not None else None

    def _version(self, node: Node, path: str) -> None:
        if _whole(node, path) != VERSION:
            raise InvalidInput(path, f"must be {VERSION}, the only one that this release reads")

    def _take(
        self,
        path: str,
        node: Node,
        read: Callable[[Node, str], T],
        into: dict[str, T] | None = None,
        key: str = "",
    ) -> T | None:
        """What `read` makes of it; None where it is at fault, which is noted."""
        try:
            found = read(node, path)
        except InvalidInput as error:
            self._fault(node, path, error.message)
            return None
        if into is not None:
            into[key] = found
        return found

    def _fault(self, node: Node, path: str, message: str) -> None:
        self.faults.append(Fault(node.line, path, message))


def join(path: str, key: str) -> str:
    """The path of a key; quoted where it could be read as more than one."""
    plain = key if _NAME_OF_KEY.fullmatch(key) and "." not in key else repr(key[:80])
    return f"{path}.{plain}" if path else plain


def _required(text: str, path: str) -> str:
    name = composed(text)
    if not name:
        raise InvalidInput(path, "must not be empty")
    return name


def _text_of(node: Node) -> str:
    """Raises InvalidInput for what YAML takes for something else: another tool would not read the same text."""
    if not isinstance(node, Scalar) or node.kind == "null":
        raise InvalidInput("", "must be text")
    if node.kind not in ("str", "value"):
        raise InvalidInput("", f"YAML reads {node.text[:40]} as {_KINDS[node.kind]}; put quotes around it")
    return node.text


_KINDS = {
    "bool": "yes or no",
    "int": "a number",
    "float": "a number",
    "timestamp": "a date",
    "merge": "a merge",
}


def _whole(node: Node, path: str) -> int:
    if not isinstance(node, Scalar) or node.kind != "int" or not _WHOLE.fullmatch(node.text):
        raise InvalidInput(path, "must be a whole number, in plain digits")
    return int(node.text)


def _limit(node: Node, path: str) -> int | None:
    if isinstance(node, Scalar) and node.kind == "null":
        return None
    try:
        return check_limit(_whole(node, path), path)
    except InvalidInput as error:
        raise InvalidInput(path, _in_yaml(error.message)) from None


def _cap(node: Node, path: str) -> Nanos | None:
    if isinstance(node, Scalar) and node.kind == "null":
        return None
    if not isinstance(node, Scalar) or node.kind not in ("str", "int", "float"):
        raise InvalidInput(path, "must be an amount in US dollars, like 12.50, or null for no cap")
    try:
        return check_cap(parse_usd(node.text, path), path)
    except InvalidInput as error:
        raise InvalidInput(path, _in_yaml(error.message)) from None


def _in_yaml(message: str) -> str:
    """Elsewhere a field is left empty; here that is spelt out."""
    return message.replace("an empty field means", "null means").replace("leave it empty for", "write null for")
