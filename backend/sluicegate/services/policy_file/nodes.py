"""YAML as a tree that knows where each value stands, and the faults that are found in it.

Events are put together here instead of by the library: its own way recurses as deeply as the text does, which ends the
process, and gives numbers as floats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import yaml
from yaml.resolver import Resolver

from sluicegate.kit.errors import InvalidInput

MAX_CHARACTERS = 500_000
_MAX_DEPTH = 20
# Counted with every alias put in place, so that a short text cannot stand for an endless one.
_MAX_NODES = 200_000
_CORE = "tag:yaml.org,2002:"
_SCALARS = ("str", "null", "bool", "int", "float", "timestamp", "merge", "value")
_MERGE = "<<"


@dataclass(frozen=True, slots=True)
class Fault:
    """What cannot be taken, where. `line` counts from 1; 0 where it is about the document as a whole."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.path}: {self.message}" if self.path else f"{place}{self.message}"


class InvalidDocument(InvalidInput):
    """Names all faults of a policy file."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.line)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__("document", f"{str(self.faults[0])[:600]}{more}")


@dataclass(frozen=True, slots=True)
class Scalar:
    """`kind` is what YAML 1.1 takes the text for: str, null, bool, int, float or timestamp."""

    line: int
    text: str
    kind: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Sequence:
    line: int
    items: tuple[Node, ...]
    weight: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys may repeat; whoever reads says so."""

    line: int
    entries: tuple[tuple[Scalar, Node], ...]
    weight: int


Node: TypeAlias = Scalar | Sequence | Mapping


def parse(text: str) -> Node:
    """The one document in `text`; raises InvalidDocument at the first place that is not YAML, or not plain data."""
    if len(text) > MAX_CHARACTERS:
        _refuse(0, f"has {len(text)} characters, and may have at most {MAX_CHARACTERS}")
    if any("\ud800" <= c <= "\udfff" for c in text):
        _refuse(0, "must not contain broken Unicode")
    try:
        return _Composer(text.removeprefix("\ufeff")).document()
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "is not YAML"
        if "cannot start any token" in problem:
            problem += " (indent with blanks, not tabs; quote text that begins with a sign)"
        return _refuse(mark.line + 1 if mark is not None else 0, problem)
    except yaml.YAMLError as error:
        return _refuse(0, f"is not YAML: {str(error).splitlines()[0]}")


def _refuse(line: int, message: str) -> NoReturn:
    raise InvalidDocument([Fault(line, "", message)])


class _Composer:
    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=yaml.CSafeLoader))
        self._anchors: dict[str, Node] = {}
        self._resolver = Resolver()

    def document(self) -> Node:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            _refuse(0, "is empty; begin with `version: 1`")
        root = self._node(next(self._events), 0)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            _refuse(after.start_mark.line + 1, "holds a second document; one file is one document")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        line: int = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                _refuse(line, f"*{event.anchor} stands for nothing yet; put &{event.anchor} in front of a value above")
            return self._anchors[event.anchor]
        if depth > _MAX_DEPTH:
            _refuse(line, f"is nested deeper than {_MAX_DEPTH} levels")
        if isinstance(event, yaml.ScalarEvent):
            made: Node = self._scalar(event, line)
        else:
            self._require_plain_tag(event, line)
            inner = tuple(self._inner(depth + 1))
            weight = 1 + sum(node.weight for node in inner)
            if weight > _MAX_NODES:
                _refuse(line, f"stands for more than {_MAX_NODES} values, with all its anchors put in place")
            if isinstance(event, yaml.SequenceStartEvent):
                made = Sequence(line, inner, weight)
            else:
                made = Mapping(line, tuple(_merged(inner)), weight)
        if event.anchor is not None:
            self._anchors[event.anchor] = made
        return made

    def _inner(self, depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, yaml.CollectionEndEvent):
                return
            yield self._node(event, depth)

    def _scalar(self, event: Any, line: int) -> Scalar:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._resolver.resolve(yaml.ScalarNode, event.value, event.implicit if tag is None else (False, True))
        kind = tag.removeprefix(_CORE)
        if kind not in _SCALARS:
            _refuse(line, f"the tag {tag} has no place here; write the plain value")
        # PostgreSQL keeps none.
        if "\0" in event.value:
            _refuse(line, "must not contain NUL")
        return Scalar(line, event.value, kind)

    def _require_plain_tag(self, event: Any, line: int) -> None:
        if event.tag not in (None, "!", f"{_CORE}map", f"{_CORE}seq"):
            _refuse(line, f"the tag {event.tag} has no place here; write the plain value")


def _merged(inner: tuple[Node, ...]) -> list[tuple[Scalar, Node]]:
    """Keys with their values, `<<` put in place: what stands there itself goes before what comes from elsewhere."""
    own: list[tuple[Scalar, Node]] = []
    others: list[Mapping] = []
    for key, value in zip(inner[::2], inner[1::2], strict=True):
        if not isinstance(key, Scalar):
            _refuse(key.line, "a key must be text")
        elif key.kind == "merge":
            others += _mappings(key, value)
        else:
            own.append((key, value))
    known = {key.text for key, _ in own}
    for other in others:
        for key, value in other.entries:
            if key.text not in known:
                known.add(key.text)
                own.append((key, value))
    return own


def _mappings(key: Scalar, value: Node) -> list[Mapping]:
    parts = value.items if isinstance(value, Sequence) else (value,)
    found = [part for part in parts if isinstance(part, Mapping)]
    if len(found) < len(parts):
        _refuse(key.line, f"{_MERGE} takes a mapping, or a list of mappings, by alias")
    return found
