"""People and groups as SCIM shows them (RFC 7643), cut to what was asked for (RFC 7644, section 3.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from sluicegate.domain.user import UserStatus
from sluicegate.services.scim.faults import invalid_value
from sluicegate.services.scim.groups import ProvisionedGroup
from sluicegate.services.scim.paths import GROUP_URN, USER_URN
from sluicegate.services.scim.people import Person

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
DEFAULT_COUNT, MAX_COUNT = 100, 500
# Far beyond any deployment, and within what databases count by.
_MAX_START = 10_000_000
_ALWAYS = ("schemas", "id")
_CORE = tuple(f"{urn.lower()}:" for urn in (USER_URN, GROUP_URN))


@dataclass(frozen=True, slots=True)
class Cut:
    """Names of attributes in lower case; with `only`, nothing else but what is always shown."""

    only: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    def wants(self, name: str) -> bool:
        """Whether an attribute, or some part of it, is shown."""
        lower = name.lower()
        if self.only:
            return any(each == lower or each.startswith(f"{lower}.") for each in self.only)
        return lower not in self.without

    def of(self, resource: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in resource.items():
            if name in _ALWAYS:
                found[name] = value
            elif self.wants(name):
                found[name] = self._part(name.lower(), value)
        return found

    def _part(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._part(name, each) for each in value]
        if not isinstance(value, dict) or name in self.only:
            return value
        if self.only:
            return {sub: part for sub, part in value.items() if f"{name}.{sub.lower()}" in self.only}
        return {sub: part for sub, part in value.items() if f"{name}.{sub.lower()}" not in self.without}


@dataclass(frozen=True, slots=True)
class Asked:
    """How a list was asked for; `start` counts from 1."""

    filter: str | None
    start: int
    count: int
    cut: Cut


def cut_of(query: QueryParams) -> Cut:
    return Cut(_names(query.get("attributes")), _names(query.get("excludedAttributes")))


def asked_by_query(query: QueryParams) -> Asked:
    start, count = _number(query.get("startIndex"), "startIndex", 1), _number(query.get("count"), "count", None)
    return _asked(query.get("filter") or None, start, count, cut_of(query))


def asked_by_body(body: dict[str, Any]) -> Asked:
    """A search by POST (RFC 7644, section 3.4.3)."""
    fields = {name.lower(): value for name, value in body.items()}
    start, count = _number(fields.get("startindex"), "startIndex", 1), _number(fields.get("count"), "count", None)
    only, without = _names(fields.get("attributes")), _names(fields.get("excludedattributes"))
    given = fields.get("filter")
    if given is not None and not isinstance(given, str):
        raise invalid_value("filter must be text.")
    return _asked(given or None, start, count, Cut(only, without))


def _asked(given: str | None, start: int | None, count: int | None, cut: Cut) -> Asked:
    most = DEFAULT_COUNT if count is None else min(max(count, 0), MAX_COUNT)
    return Asked(given, min(max(start or 1, 1), _MAX_START), most, cut)


def _number(given: object, name: str, default: int | None) -> int | None:
    if given is None or given == "":
        return default
    try:
        return int(str(given))
    except ValueError:
        raise invalid_value(f"{name} must be a whole number.") from None


def _names(given: object) -> frozenset[str]:
    """A list, or text with commas; without the schema's URN."""
    parts = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else []
    names: set[str] = set()
    for part in parts:
        name = str(part).strip().lower()
        for urn in _CORE:
            name = name.removeprefix(urn)
        if name:
            names.add(name)
    return frozenset(names)


def listed(resources: list[dict[str, Any]], total: int, start: int) -> dict[str, Any]:
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def user_resource(person: Person, base: str) -> dict[str, Any]:
    user, facts = person.user, person.facts
    resource: dict[str, Any] = {"schemas": [USER_URN], "id": user.id}
    if facts.external_id is not None:
        resource["externalId"] = facts.external_id
    names = {"givenName": facts.given_name, "familyName": facts.family_name}
    shown = {name: value for name, value in names.items() if value}
    resource |= {"userName": user.email} | ({"name": shown} if shown else {})
    if user.name:
        resource["displayName"] = user.name
    resource["emails"] = [{"value": user.email, "type": "work", "primary": True}]
    resource["active"] = user.status is not UserStatus.SUSPENDED
    if person.groups:
        resource["groups"] = [
            {"value": group.id, "display": group.name, "type": "direct", "$ref": f"{base}/Groups/{group.id}"}
            for group in person.groups
        ]
    return resource | _meta("User", f"{base}/Users/{user.id}", user.created_at.isoformat())


def group_resource(found: ProvisionedGroup, base: str) -> dict[str, Any]:
    group = found.group
    resource: dict[str, Any] = {"schemas": [GROUP_URN], "id": group.id}
    if found.external_id is not None:
        resource["externalId"] = found.external_id
    resource["displayName"] = group.name
    if found.members is not None:
        resource["members"] = [
            {"value": user_id, "$ref": f"{base}/Users/{user_id}", "type": "User"} for user_id in found.members
        ]
    return resource | _meta("Group", f"{base}/Groups/{group.id}", group.created_at.isoformat())


def _meta(kind: str, location: str, created: str) -> dict[str, Any]:
    return {"meta": {"resourceType": kind, "created": created, "location": location}}
