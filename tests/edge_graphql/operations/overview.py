"""All limits and caps in one list."""

from __future__ import annotations

from edge_graphql.operations.operation import LONG, NEW, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

FAULTS = (
    bad("invalid_input", "first", first=0),
    bad("invalid_input", "after", after="nonsense"),
    bad("invalid_input", "search", search=LONG),
    bad("invalid_input", "kind", kind="KEY"),
    bad("invalid_input", "kind", kind="TEAM"),
)

OPERATIONS = {
    "budgetOwners": Operation(
        "query ($first: Int! = 10, $after: String, $search: String, $kind: SourceKind, $use: CapUseFilter) "
        "{ budgetOwners(first: $first, after: $after, search: $search, kind: $kind, use: $use) { totalCount "
        "pageInfo { hasNextPage } edges { cursor node { id kind subjectId name email budget { daily weekly monthly "
        "alertThresholds version } uses { window cap spent resetsAt reachedAt } } } } }",
        Role.ADMIN,
        TokenScope.READ,
        {"search": "MIA", "kind": "USER"},
        {
            "totalCount": 1,
            "pageInfo": {"hasNextPage": False},
            "edges": [
                {
                    "cursor": NEW,
                    "node": {
                        "id": "user:mia",
                        "kind": "USER",
                        "subjectId": "mia",
                        "name": "Mia Member",
                        "email": "mia@example.com",
                        "budget": {
                            "daily": "5",
                            "weekly": None,
                            "monthly": None,
                            "alertThresholds": [80, 100],
                            "version": 0,
                        },
                        "uses": [
                            {
                                "window": "DAY",
                                "cap": "5",
                                "spent": "0.000003",
                                "resetsAt": "2026-11-25T00:00:00.000Z",
                                "reachedAt": None,
                            }
                        ],
                    },
                }
            ],
        },
        faults=(*FAULTS, bad("invalid_input", "use", use="FAR")),
    ),
    "rateLimitOwners": Operation(
        "query ($first: Int! = 10, $after: String, $search: String, $kind: SourceKind) "
        "{ rateLimitOwners(first: $first, after: $after, search: $search, kind: $kind) { totalCount edges { node "
        "{ id name rateLimit { requestsPerMinute outputTokensPerMinute } uses { dimension limit used } } } } }",
        Role.ADMIN,
        TokenScope.READ,
        {"search": "team"},
        {
            "totalCount": 2,
            "edges": [
                {
                    "node": {
                        "id": "group:team",
                        "name": "Team",
                        "rateLimit": {"requestsPerMinute": 30, "outputTokensPerMinute": None},
                        "uses": None,
                    }
                },
                {
                    "node": {
                        "id": "pool:team",
                        "name": "Team",
                        "rateLimit": {"requestsPerMinute": None, "outputTokensPerMinute": 9000},
                        "uses": [
                            {"dimension": "REQUESTS", "limit": None, "used": 0},
                            {"dimension": "INPUT_TOKENS", "limit": None, "used": 0},
                            {"dimension": "OUTPUT_TOKENS", "limit": 9000, "used": 0},
                            {"dimension": "CONCURRENT_REQUESTS", "limit": None, "used": 0},
                        ],
                    }
                },
            ],
        },
        faults=FAULTS,
    ),
}
