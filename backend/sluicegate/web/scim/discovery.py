"""What this server says of its own SCIM (RFC 7644, section 4; RFC 7643, sections 5 to 7)."""

from __future__ import annotations

from typing import Any

from sluicegate.services.scim.paths import GROUP_URN, USER_URN
from sluicegate.web.scim.shapes import MAX_COUNT

_CORE = "urn:ietf:params:scim:schemas:core:2.0"
_NOT = {"supported": False}


def service_provider_config(base: str) -> dict[str, Any]:
    return {
        "schemas": [f"{_CORE}:ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MAX_COUNT},
        "changePassword": _NOT,
        "sort": _NOT,
        "etag": _NOT,
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A provisioning token from the console's settings, as Authorization: Bearer.",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_types(base: str) -> list[dict[str, Any]]:
    return [
        _resource_type(base, "User", "/Users", USER_URN, "A person with an account."),
        _resource_type(base, "Group", "/Groups", GROUP_URN, "A group, on which grants, limits and budgets hang."),
    ]


def _resource_type(base: str, name: str, endpoint: str, schema: str, description: str) -> dict[str, Any]:
    return {
        "schemas": [f"{_CORE}:ResourceType"],
        "id": name,
        "name": name,
        "endpoint": endpoint,
        "description": description,
        "schema": schema,
        "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{name}"},
    }


def schemas(base: str) -> list[dict[str, Any]]:
    return [
        _schema(base, USER_URN, "User", "A person with an account.", _user_attributes()),
        _schema(base, GROUP_URN, "Group", "A group of people.", _group_attributes()),
    ]


def _schema(base: str, urn: str, name: str, description: str, attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schemas": [f"{_CORE}:Schema"],
        "id": urn,
        "name": name,
        "description": description,
        "attributes": attributes,
        "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{urn}"},
    }


def _attribute(name: str, description: str, **more: Any) -> dict[str, Any]:
    plain = {
        "name": name,
        "type": "string",
        "multiValued": False,
        "description": description,
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    }
    return plain | more


def _read_only(name: str, description: str, **more: Any) -> dict[str, Any]:
    return _attribute(name, description, mutability="readOnly", **more)


def _user_attributes() -> list[dict[str, Any]]:
    names = [
        _attribute("givenName", "The first name."),
        _attribute("familyName", "The last name."),
    ]
    emails = [
        _read_only("value", "The address, which is the userName."),
        _read_only("type", "Always work.", canonicalValues=["work"]),
        _read_only("primary", "Always true.", type="boolean"),
    ]
    groups = [
        _read_only("value", "The id of the group.", caseExact=True),
        _read_only("$ref", "Where the group is.", type="reference", referenceTypes=["Group"], caseExact=True),
        _read_only("display", "The name of the group."),
        _read_only("type", "Always direct.", canonicalValues=["direct"]),
    ]
    return [
        _attribute("userName", "The e-mail address, in lower case.", required=True, uniqueness="server"),
        _attribute("name", "The parts of the name.", type="complex", subAttributes=names),
        _attribute("displayName", "The name that the console shows."),
        _attribute("active", "False suspends: keys and sessions stop at once.", type="boolean"),
        _read_only("emails", "The userName.", type="complex", multiValued=True, subAttributes=emails),
        _read_only("groups", "What the person is in.", type="complex", multiValued=True, subAttributes=groups),
    ]


def _group_attributes() -> list[dict[str, Any]]:
    members = [
        _attribute("value", "The id of a user.", mutability="immutable", caseExact=True),
        _attribute(
            "$ref",
            "Where the user is.",
            type="reference",
            referenceTypes=["User"],
            mutability="immutable",
            caseExact=True,
        ),
        _attribute("type", "Always User.", mutability="immutable", canonicalValues=["User"]),
    ]
    return [
        _attribute("displayName", "The name of the group.", required=True, uniqueness="server"),
        _attribute("members", "Who is in it.", type="complex", multiValued=True, subAttributes=members),
    ]
