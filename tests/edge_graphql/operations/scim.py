"""Provisioning by an identity provider."""

from __future__ import annotations

from edge_graphql.operations.operation import AT, LONG, NEW, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

TOKEN = "{ id name prefix status createdAt createdBy lastUsedAt previousPrefix previousExpiresAt }"
OKTA = {
    "id": "okta",
    "name": "Okta",
    "prefix": "sgp_okta",
    "status": "ACTIVE",
    "createdAt": AT,
    "createdBy": "Ada Admin",
    "lastUsedAt": None,
    "previousPrefix": None,
    "previousExpiresAt": None,
}
# Whoever makes one changes people by it.
_NOT_ALONE = {"token": "forbidden"}

OPERATIONS = {
    "provisioning": Operation(
        f"{{ provisioning {{ baseUrl tokens {TOKEN} }} }}",
        Role.ADMIN,
        TokenScope.READ,
        {},
        {"baseUrl": "https://ai.example.com/scim/v2", "tokens": [OKTA]},
    ),
    "createScimToken": Operation(
        f"mutation ($name: String!) {{ createScimToken(name: $name) {{ secret token {TOKEN} }} }}",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"name": "Entra ID"},
        {"secret": NEW, "token": OKTA | {"id": NEW, "name": "Entra ID", "prefix": NEW, "createdBy": NEW}},
        codes=_NOT_ALONE,
        faults=(bad("invalid_input", "name", name=" "), bad("invalid_input", "name", name=LONG)),
        audit=("scim_token.create", NEW),
    ),
    "rotateScimToken": Operation(
        "mutation ($id: ID!, $overlapHours: Int! = 24) "
        f"{{ rotateScimToken(id: $id, overlapHours: $overlapHours) {{ secret token {TOKEN} }} }}",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"id": "okta"},
        {
            "secret": NEW,
            "token": OKTA
            | {"prefix": NEW, "previousPrefix": "sgp_okta", "previousExpiresAt": "2026-11-25T12:00:00.000Z"},
        },
        codes=_NOT_ALONE,
        faults=(
            bad("not_found", "id", id="none"),
            bad("invalid_input", "id", id="a\0b"),
            bad("invalid_input", "overlapHours", id="okta", overlapHours=1),
        ),
        audit=("scim_token.rotate", "okta"),
    ),
    "revokeScimToken": Operation(
        f"mutation ($id: ID!) {{ revokeScimToken(id: $id) {{ token {TOKEN} }} }}",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"id": "okta"},
        {"token": OKTA | {"status": "REVOKED"}},
        codes=_NOT_ALONE,
        faults=(bad("not_found", "id", id="none"), bad("invalid_input", "id", id="a\0b")),
        audit=("scim_token.revoke", "okta"),
    ),
}
