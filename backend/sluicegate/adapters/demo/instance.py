"""The smallest value that a JSON schema accepts, with words of the prompt where it wants text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

_MAX_DEPTH = 24
# A caller's schema can ask for astronomically large values; it gets nulls beyond this.
_MAX_VALUES = 2_000
_MAX_LENGTH = 10_000
_FORMATS = {
    "date-time": "2025-01-01T00:00:00Z",
    "date": "2025-01-01",
    "time": "00:00:00Z",
    "duration": "PT1M",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
}


def instance_of(schema: Mapping[str, Any], words: str) -> Any:
    """Only required properties are filled, or all of them when the schema names none as required.

    Raises `TypeError`, `ValueError` or `AttributeError` for a schema that is none.
    """
    return _Builder(schema, words).build(schema, 0)


class _Builder:
    def __init__(self, root: Mapping[str, Any], words: str) -> None:
        self._root = root
        self._words = words
        self._left = _MAX_VALUES

    def build(self, schema: Any, depth: int) -> Any:
        self._left -= 1
        if not isinstance(schema, Mapping) or depth > _MAX_DEPTH or self._left < 0:
            return None
        node = cast("Mapping[str, Any]", schema)
        if "const" in node:
            return node["const"]
        if node.get("enum"):
            return node["enum"][0]
        if "$ref" in node:
            return self.build(self._resolve(node["$ref"]), depth + 1)
        branches = node.get("anyOf") or node.get("oneOf")
        if branches:
            return self.build(_preferred(branches), depth + 1)
        if "allOf" in node:
            return self.build(_merged(node), depth + 1)
        return self._typed(node, depth)

    def _typed(self, node: Mapping[str, Any], depth: int) -> Any:
        match _type_of(node):
            case "object":
                return self._object(node, depth)
            case "array":
                return self._array(node, depth)
            case "string":
                return self._string(node)
            case "integer":
                return int(_number(node))
            case "number":
                return _number(node)
            case "boolean":
                return True
            case _:
                return None

    def _object(self, node: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties: Mapping[str, Any] = node.get("properties") or {}
        wanted: list[str] = list(node.get("required", properties))
        return {name: self.build(properties.get(name, {}), depth + 1) for name in wanted[: self._left]}

    def _array(self, node: Mapping[str, Any], depth: int) -> list[Any]:
        heads: list[Any] = node.get("prefixItems") or []
        length = min(max(len(heads), int(node.get("minItems") or 0)), max(self._left, 0))
        tail = node.get("items", {})
        return [self.build(heads[i] if i < len(heads) else tail, depth + 1) for i in range(length)]

    def _string(self, node: Mapping[str, Any]) -> str:
        text = _FORMATS.get(str(node.get("format")), self._words)
        text = text.ljust(min(int(node.get("minLength") or 0), _MAX_LENGTH), ".")
        return text[: int(node.get("maxLength", _MAX_LENGTH))]

    def _resolve(self, reference: str) -> Any:
        found: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step:
                found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
        return found


def _type_of(node: Mapping[str, Any]) -> str:
    kind = node.get("type")
    if isinstance(kind, str):
        return kind
    if kind:
        return next((str(one) for one in kind if one != "null"), "null")
    if "properties" in node:
        return "object"
    return "array" if "items" in node else "string"


def _number(node: Mapping[str, Any]) -> float | int:
    if "minimum" in node:
        return node["minimum"]
    if "exclusiveMinimum" in node:
        return node["exclusiveMinimum"] + 1
    bounds = [node[name] - gap for name, gap in (("maximum", 0), ("exclusiveMaximum", 1)) if name in node]
    return min([0, *bounds])


def _preferred(branches: list[Any]) -> Any:
    return next((one for one in branches if one.get("type") != "null"), branches[0])


def _merged(node: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {name: value for name, value in node.items() if name != "allOf"}
    for part in node["allOf"]:
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", []), *part.get("required", [])]
        merged = {**merged, **part, "properties": properties, "required": required}
    return merged
