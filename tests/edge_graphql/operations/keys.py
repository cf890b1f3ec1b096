"""Gateway keys and automation tokens."""

from __future__ import annotations

from typing import Any

from edge_graphql.operations.operation import AT, LONG, NEW, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

KEY = "{ id name prefix status createdAt lastUsedAt expiresAt revokedAt }"
TOKEN = "{ id name prefix scopes status createdAt lastUsedAt expiresAt }"
LATER = "2027-01-01T00:00:00.000Z"


def key(name: str, status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    facts = {"id": name, "name": name, "prefix": f"sg_{name}", "status": status, "createdAt": AT}
    return {**facts, "lastUsedAt": None, "expiresAt": None, "revokedAt": None, **more}


def token(name: str, status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    facts = {"id": name, "name": name, "prefix": f"sgt_{name}", "scopes": ["READ", "KEYS"], "status": status}
    return {**facts, "createdAt": AT, "lastUsedAt": None, "expiresAt": None, **more}


OPERATIONS = {
    "apiKeys": Operation(
        "query ($first: Int!, $after: String) { apiKeys(first: $first, after: $after) { totalCount "
        f"pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {KEY} }} }} }}",
        Role.MEMBER,
        TokenScope.READ,
        {"first": 10},
        {
            "totalCount": 2,
            "pageInfo": {"hasNextPage": False, "endCursor": NEW},
            "edges": [
                {"cursor": NEW, "node": key("mia-old", "REVOKED", revokedAt=AT)},
                {"cursor": NEW, "node": key("mia-key")},
            ],
        },
        by="mia",
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "first", first=101),
            bad("invalid_input", "after", after="WzFd"),
        ),
    ),
    "createApiKey": Operation(
        f"mutation ($input: CreateApiKeyInput!) {{ createApiKey(input: $input) {{ secret apiKey {KEY} }} }}",
        Role.MEMBER,
        TokenScope.KEYS,
        {"input": {"name": "  Laptop ", "expiresAt": "2027-01-01T01:00:00+01:00"}},
        {"secret": NEW, "apiKey": {**key("Laptop", expiresAt=LATER), "id": NEW, "prefix": NEW}},
        by="mia",
        faults=(
            bad("invalid_input", "name", input={"name": LONG}),
            bad("invalid_input", "name", input={"name": "a\tb"}),
            bad("invalid_input", "name", input={"name": None}),
            bad("invalid_input", "expiresAt", input={"expiresAt": "2026-11-24T12:00:00Z"}),
            bad("invalid_input", "expiresAt", input={"expiresAt": "2027-01-01T00:00:00"}),
            bad("invalid_input", "expiresAt", input={"expiresAt": "tomorrow"}),
            bad("invalid_input", "expiresAt", input={"expiresAt": "9999-12-31T23:59:59Z"}),
            bad("invalid_input", "expiresAt", input={"expiresAt": 1_800_000_000}),
            bad("invalid_input", "userId", input={"userId": "noor"}),
        ),
        audit=("api_key.create", NEW),
    ),
    "revokeApiKey": Operation(
        f"mutation ($id: ID!) {{ revokeApiKey(id: $id) {{ apiKey {KEY} }} }}",
        Role.MEMBER,
        TokenScope.KEYS,
        {"id": "mia-key"},
        {"apiKey": key("mia-key", "REVOKED", revokedAt=AT)},
        by="mia",
        others="not_found",
        faults=(bad("not_found", "id", id="none"), bad("not_found", "id", id="noor-key")),
        audit=("api_key.revoke", "mia-key"),
    ),
    "automationTokens": Operation(
        f"{{ automationTokens {TOKEN} }}",
        Role.MEMBER,
        TokenScope.READ,
        {},
        [token("mia-token")],
        by="mia",
    ),
    "createAutomationToken": Operation(
        "mutation ($input: CreateAutomationTokenInput!) "
        f"{{ createAutomationToken(input: $input) {{ secret token {TOKEN} }} }}",
        Role.MEMBER,
        TokenScope.KEYS,
        {"input": {"name": "CI", "scopes": ["KEYS"]}},
        {"secret": NEW, "token": {**token("CI", scopes=["KEYS"]), "id": NEW, "prefix": NEW}},
        by="mia",
        faults=(
            bad("invalid_input", "name", input={"name": "", "scopes": ["READ"]}),
            bad("invalid_input", "name", input={"name": LONG, "scopes": ["READ"]}),
            bad("invalid_input", "scopes", input={"name": "CI", "scopes": []}),
            bad("invalid_input", "scopes.0", input={"name": "CI", "scopes": ["EVERYTHING"]}),
            bad("invalid_input", "expiresAt", input={"name": "CI", "scopes": ["READ"], "expiresAt": AT}),
        ),
        audit=("token.create", NEW),
    ),
    "revokeAutomationToken": Operation(
        f"mutation ($id: ID!) {{ revokeAutomationToken(id: $id) {{ token {TOKEN} }} }}",
        Role.MEMBER,
        TokenScope.KEYS,
        {"id": "mia-token"},
        {"token": token("mia-token", "REVOKED")},
        by="mia",
        others="not_found",
        faults=(bad("not_found", "id", id="none"), bad("not_found", "id", id="noor-token")),
        audit=("token.revoke", "mia-token"),
    ),
}
