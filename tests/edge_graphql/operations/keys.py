"""Gateway keys and automation tokens."""

from __future__ import annotations

from typing import Any

from edge_graphql.operations.operation import AT, LONG, NEW, Fault, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

KEY = (
    "{ id name prefix status createdAt lastUsedAt lastUsedClient expiresAt revokedAt previousPrefix previousExpiresAt }"
)
TOKEN = "{ id name prefix scopes status createdAt lastUsedAt expiresAt }"
LATER = "2027-01-01T00:00:00.000Z"


def key(name: str, status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    facts = {"id": name, "name": name, "prefix": f"sg_{name}", "status": status, "createdAt": AT}
    nothing = dict.fromkeys(("lastUsedAt", "lastUsedClient", "revokedAt", "previousPrefix", "previousExpiresAt"))
    return {**facts, **nothing, "expiresAt": None, **more}


MIA_KEY = key("mia-key", lastUsedAt="2026-11-24T11:00:00.000Z", lastUsedClient="aider")
NARROW = {"modelIds": ["fast"], "rateLimit": {"requestsPerMinute": 1}, "budget": {"daily": "1"}}
NARROWED = {"models": [{"slug": "fast"}], "rateLimit": {"requestsPerMinute": 1}, "budget": {"daily": "1"}}


def narrowing_faults(**base: Any) -> tuple[Fault, ...]:
    return (
        bad("invalid_input", "name", input={**base, "name": LONG}),
        bad("invalid_input", "name", input={**base, "name": "a\tb"}),
        bad("invalid_input", "name", input={**base, "name": None}),
        bad("invalid_input", "expiresAt", input={**base, "expiresAt": "2026-11-24T12:00:00Z"}),
        bad("invalid_input", "expiresAt", input={**base, "expiresAt": "2027-01-01T00:00:00"}),
        bad("invalid_input", "expiresAt", input={**base, "expiresAt": "tomorrow"}),
        bad("invalid_input", "expiresAt", input={**base, "expiresAt": "9999-12-31T23:59:59Z"}),
        bad("invalid_input", "expiresAt", input={**base, "expiresAt": 1_800_000_000}),
        bad("invalid_input", "userId", input={**base, "userId": "noor"}),
        bad("invalid_input", "modelIds", input={**base, "modelIds": ["slow"]}),
        bad("invalid_input", "modelIds", input={**base, "modelIds": ["none"]}),
        bad("invalid_input", "modelIds", input={**base, "modelIds": [str(n) for n in range(101)]}),
        bad("invalid_input", "rateLimit.requestsPerMinute", input={**base, "rateLimit": {"requestsPerMinute": -1}}),
        bad(
            "invalid_input",
            "rateLimit.outputTokensPerMinute",
            input={**base, "rateLimit": {"outputTokensPerMinute": 2**40}},
        ),
        bad("invalid_input", "budget.daily", input={**base, "budget": {"daily": "NaN"}}),
        bad("invalid_input", "budget.weekly", input={**base, "budget": {"weekly": "-1"}}),
        bad("invalid_input", "budget.alertThresholds", input={**base, "budget": {"alertThresholds": [0]}}),
    )


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
                {"cursor": NEW, "node": MIA_KEY},
            ],
        },
        by="mia",
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "first", first=101),
            bad("invalid_input", "after", after="WzFd"),
        ),
    ),
    "allApiKeys": Operation(
        "query ($first: Int!, $after: String, $search: String, $state: KeyState) { allApiKeys(first: $first, "
        "after: $after, search: $search, state: $state) { totalCount "
        f"pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {{ ...k owner {{ name }} }} }} }} }} "
        f"fragment k on ApiKey {KEY}",
        Role.ADMIN,
        TokenScope.READ,
        {"first": 10, "search": "MIA", "state": "ACTIVE"},
        {
            "totalCount": 1,
            "pageInfo": {"hasNextPage": False, "endCursor": NEW},
            "edges": [{"cursor": NEW, "node": {**MIA_KEY, "owner": {"name": "Mia Member"}}}],
        },
        faults=(
            bad("invalid_input", "first", first=101),
            bad("invalid_input", "after", after="WzFd"),
            bad("invalid_input", "search", search="x" * 301),
        ),
    ),
    "createApiKey": Operation(
        f"mutation ($input: CreateApiKeyInput!) {{ createApiKey(input: $input) {{ secret apiKey {KEY} }} }}",
        Role.MEMBER,
        TokenScope.KEYS,
        {"input": {"name": "  Laptop ", "expiresAt": "2027-01-01T01:00:00+01:00"}},
        {"secret": NEW, "apiKey": {**key("Laptop", expiresAt=LATER), "id": NEW, "prefix": NEW}},
        by="mia",
        faults=narrowing_faults(),
        audit=("api_key.create", NEW),
    ),
    "updateApiKey": Operation(
        f"mutation ($input: UpdateApiKeyInput!) {{ updateApiKey(input: $input) {{ apiKey {KEY} }} }}",
        Role.MEMBER,
        TokenScope.KEYS,
        {"input": {"id": "mia-key", "name": "Desk", "expiresAt": LATER, **NARROW}},
        {"apiKey": MIA_KEY | {"name": "Desk", "expiresAt": LATER}},
        by="mia",
        others="not_found",
        faults=(
            *narrowing_faults(id="mia-key"),
            bad("not_found", "id", input={"id": "none", "name": "x"}),
            bad("not_found", "id", input={"id": "noor-key", "name": "x"}),
            bad("conflict", "id", input={"id": "mia-old", "name": "x"}),
        ),
        audit=("api_key.update", "mia-key"),
        then=(
            '{ user(id: "mia") { apiKeys { models { slug } rateLimit { requestsPerMinute } budget { daily } } } }',
            {
                "user": {
                    "apiKeys": [
                        {"models": None, "rateLimit": {"requestsPerMinute": None}, "budget": {"daily": None}},
                        NARROWED,
                    ]
                }
            },
        ),
    ),
    "rotateApiKey": Operation(
        "mutation ($id: ID!, $overlapHours: Int!) { rotateApiKey(id: $id, overlapHours: $overlapHours) "
        f"{{ secret apiKey {KEY} }} }}",
        Role.MEMBER,
        TokenScope.KEYS,
        {"id": "mia-key", "overlapHours": 1},
        {
            "secret": NEW,
            "apiKey": MIA_KEY | {"prefix": NEW, "previousPrefix": NEW, "previousExpiresAt": "2026-11-24T13:00:00.000Z"},
        },
        by="mia",
        others="not_found",
        codes={"ada": "forbidden", "token": "forbidden"},
        faults=(
            *(bad("invalid_input", "overlapHours", overlapHours=hours) for hours in (-1, 721, 2**31, 1.5)),
            bad("not_found", "id", id="none"),
            bad("not_found", "id", id="noor-key"),
            bad("conflict", "id", id="mia-old"),
        ),
        audit=("api_key.rotate", "mia-key"),
    ),
    "revokeApiKey": Operation(
        f"mutation ($id: ID!) {{ revokeApiKey(id: $id) {{ apiKey {KEY} }} }}",
        Role.MEMBER,
        TokenScope.KEYS,
        {"id": "mia-key"},
        {"apiKey": MIA_KEY | {"status": "REVOKED", "revokedAt": AT}},
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
