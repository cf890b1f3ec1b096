"""What identity providers send, read with tolerance.

They write names of attributes in any case and with the URN of the schema before them, `"False"` for false, paths as
names in an object that has no path, and operations with a capital. What is not kept is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sluicegate.services.scim.faults import ScimFault, invalid_path, invalid_value
from sluicegate.services.scim.paths import GROUP_URN, USER_URN, Path, parse_path

MAX_OPERATIONS = 1000
MAX_EXTERNAL_ID = 255
READ_ONLY = ("id", "meta", "schemas", "groups")
_CORE = (USER_URN.lower(), GROUP_URN.lower())
_OPS = ("add", "replace", "remove")
Json = Mapping[str, Any]


class Operation(NamedTuple):
    """One of a PATCH. `path` is None where the value is an object of attributes."""

    op: str
    path: Path | None
    value: Any


class Assignment(NamedTuple):
    path: Path
    value: Any


def assignments(body: Json) -> Iterator[Assignment]:
    """The attributes of an object one by one, those of the schema's own URN among them."""
    for name, value in body.items():
        if name.lower() in _CORE and isinstance(value, dict):
            yield from assignments(value)
            continue
        path = _named(name)
        if path is not None:
            yield Assignment(path, value)


def _named(name: str) -> Path | None:
    """None for what is of another schema, or no name at all: neither is kept."""
    try:
        path = parse_path(name)
    except ScimFault:
        return None
    return None if path.foreign else path


def operations(body: Json) -> list[Operation]:
    """Raises ScimFault for a PATCH that has none, too many, or one that cannot be read."""
    found = next((value for name, value in body.items() if name.lower() == "operations"), None)
    if not isinstance(found, list) or not found:
        raise ScimFault("invalidSyntax", "Operations must be a list of at least one operation.")
    if len(found) > MAX_OPERATIONS:
        raise ScimFault("tooMany", f"A PATCH takes at most {MAX_OPERATIONS} operations; send the rest in another one.")
    return [_operation(each) for each in found]


def _operation(given: object) -> Operation:
    if not isinstance(given, dict):
        raise ScimFault("invalidSyntax", "Every operation must be an object.")
    fields = {str(name).lower(): value for name, value in given.items()}
    op = str(fields.get("op", "")).lower()
    if op not in _OPS:
        raise ScimFault("invalidSyntax", f"An operation must be one of {', '.join(_OPS)}.")
    value = fields.get("value")
    if fields.get("path") in (None, ""):
        if op == "remove":
            raise ScimFault("noTarget", "A remove needs a path that tells what is to go.")
        if not isinstance(value, dict):
            raise invalid_value("An operation without a path needs an object of attributes as its value.")
        return Operation(op, None, value)
    if op != "remove" and "value" not in fields:
        raise invalid_value(f"The operation {op} needs a value.")
    return Operation(op, parse_path(fields["path"]), value)


def targets(operation: Operation) -> Iterator[Assignment]:
    """What an add or a replace assigns. Raises ScimFault for a path to what nobody may change."""
    if operation.path is None:
        yield from assignments(operation.value)
        return
    refuse_read_only(operation.path)
    yield Assignment(operation.path, operation.value)


def refuse_read_only(path: Path) -> None:
    if path.attribute in READ_ONLY and not path.foreign:
        raise ScimFault("mutability", f"{path.attribute} is read only.")


def text(value: object, name: str, most: int | None = None) -> str:
    if not isinstance(value, str):
        raise invalid_value(f"{name} must be text.")
    if most is not None and len(value) > most:
        raise invalid_value(f"{name} must have at most {most} characters.")
    return value


def optional_text(value: object, name: str, most: int) -> str | None:
    """None for what is empty, too: it clears the attribute."""
    return None if value is None else text(value, name, most).strip() or None


def boolean(value: object, name: str) -> bool:
    """Also as text, which Entra ID sends."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise invalid_value(f"{name} must be true or false.")


def member_ids(value: object) -> list[str]:
    """Of a list of members or of one. Raises ScimFault for what names none."""
    if value is None:
        return []
    return [_member_id(each) for each in (value if isinstance(value, list) else [value])]


def _member_id(given: object) -> str:
    if isinstance(given, dict):
        fields = {str(name).lower(): value for name, value in given.items()}
        if str(fields.get("type") or "User").lower() == "group":
            raise invalid_value("A group can't be a member of another one; put the people themselves into it.")
        given = fields.get("value")
    if not isinstance(given, str) or not given:
        raise invalid_value('A member must be given as {"value": "<id of a user>"}.')
    return given


def chosen_member(path: Path) -> str | None:
    """Whom `members[value eq "…"]` means; None for all of them."""
    if path.sub not in (None, "value"):
        raise invalid_path(f"Members have no {path.sub} that could be changed.")
    if not path.where:
        return None
    if len(path.where) != 1 or path.where[0][0] != "value" or not isinstance(path.where[0][1], str):
        raise invalid_path('Name a member like members[value eq "<id of a user>"].')
    return path.where[0][1]
