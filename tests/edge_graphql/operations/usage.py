"""What was used."""

from __future__ import annotations

from typing import Any

from edge_graphql.operations.operation import AT, NEW, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

TOTALS = "requests errors inputTokens cacheReadTokens cacheWriteTokens outputTokens cost"


def totals(calls: int, cost: str) -> dict[str, Any]:
    """Of calls with 145 tokens of input, 40 of them read from a cache and 5 written to one, and 50 of output."""
    figures = {"requests": 1, "errors": 0, "inputTokens": 145, "cacheReadTokens": 40, "cacheWriteTokens": 5}
    return {name: count * calls for name, count in figures.items()} | {"outputTokens": 50 * calls, "cost": cost}


OPERATIONS = {
    "usage": Operation(
        "query ($from: Date!, $to: Date!, $interval: UsageInterval! = DAY, $userId: ID, $groupId: ID, "
        "$everyone: Boolean! = false, $by: UsageDimension! = MODEL, $first: Int! = 5) { usage(from: $from, to: $to, "
        "interval: $interval, userId: $userId, groupId: $groupId, everyone: $everyone) { totals { ...t } "
        "previous { ...t } previousSeries { start totals { requests } } series { start totals { requests } } "
        "breakdown(by: $by, first: $first) { key label totals { ...t } } } } "
        f"fragment t on UsageTotals {{ {TOTALS} }}",
        Role.MEMBER,
        TokenScope.READ,
        {"from": "2026-11-23", "to": "2026-11-24", "userId": "mia"},
        {
            "totals": totals(2, "0.000003"),
            "previous": totals(0, "0"),
            "previousSeries": [
                {"start": "2026-11-21T00:00:00.000Z", "totals": {"requests": 0}},
                {"start": "2026-11-22T00:00:00.000Z", "totals": {"requests": 0}},
            ],
            "series": [
                {"start": "2026-11-23T00:00:00.000Z", "totals": {"requests": 0}},
                {"start": "2026-11-24T00:00:00.000Z", "totals": {"requests": 2}},
            ],
            "breakdown": [{"key": "fast", "label": "fast", "totals": totals(2, "0.000003")}],
        },
        by="mia",
        others="forbidden",
        faults=(
            bad("invalid_input", "to", to="2026-11-22"),
            bad("invalid_input", "to", to="2028-01-01"),
            bad("invalid_input", "to", to="tomorrow"),
            bad("invalid_input", "from", **{"from": "2026-11-31"}),
            bad("invalid_input", "from", **{"from": "0001-01-01", "to": "0001-01-02"}),
            bad("invalid_input", "to", to="99999-01-01"),
            bad("invalid_input", "interval", **{"from": "2026-01-01"}, interval="HOUR"),
            bad("invalid_input", "interval", interval="MINUTE"),
            bad("invalid_input", "everyone", everyone=True),
            bad("invalid_input", "everyone", groupId="team"),
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "first", first=101),
            bad("forbidden", None, userId="noor"),
            bad("forbidden", None, userId=None, groupId="team"),
            bad("forbidden", None, userId=None, everyone=True),
        ),
    ),
    "calls": Operation(
        "query ($first: Int! = 10, $after: String, $userId: ID, $everyone: Boolean! = false, $model: String, "
        "$key: String, $provider: String, $outcome: CallOutcome, $status: Int, $from: DateTime, $to: DateTime) "
        "{ calls(first: $first, after: $after, "
        "userId: $userId, everyone: $everyone, model: $model, key: $key, provider: $provider, outcome: $outcome, "
        "status: $status, from: $from, "
        "to: $to) { pageInfo { hasNextPage } "
        "edges { cursor node { id at userLabel keyName model providerModel providerName status outcome stream "
        "inputTokens cacheReadTokens cacheWriteTokens outputTokens cost estimated latencyMs firstByteMs clientApp "
        "project charges { since free longContextAbove charges { priceClass tokens price } } } } } }",
        Role.MEMBER,
        TokenScope.READ,
        {
            "userId": "mia",
            "first": 1,
            "model": "fast",
            "key": "mia-key",
            "provider": "Demo",
            "outcome": "OK",
            "status": 200,
            "from": "2026-11-24T00:00:00Z",
            "to": "2026-11-25T00:00:00Z",
        },
        {
            "pageInfo": {"hasNextPage": True},
            "edges": [
                {
                    "cursor": NEW,
                    "node": {
                        "id": "call-2",
                        "at": "2026-11-24T11:00:00.000Z",
                        "userLabel": "Mia",
                        "keyName": "mia-key",
                        "model": "fast",
                        "providerModel": "demo-fast",
                        "providerName": "Demo",
                        "status": 200,
                        "outcome": "ok",
                        "stream": True,
                        "inputTokens": 145,
                        "cacheReadTokens": 40,
                        "cacheWriteTokens": 5,
                        "outputTokens": 50,
                        "cost": "0.000002",
                        "estimated": False,
                        "latencyMs": 1500,
                        "firstByteMs": 120,
                        "clientApp": "aider",
                        "project": None,
                        "charges": {
                            "since": AT,
                            "free": False,
                            "longContextAbove": None,
                            "charges": [
                                {"priceClass": "INPUT", "tokens": 100, "price": "0.25"},
                                {"priceClass": "CACHE_READ", "tokens": 40, "price": "0.025"},
                                {"priceClass": "CACHE_WRITE_5M", "tokens": 3, "price": "0.25"},
                                {"priceClass": "CACHE_WRITE_1H", "tokens": 2, "price": "0.25"},
                                {"priceClass": "OUTPUT", "tokens": 50, "price": "1.25"},
                            ],
                        },
                    },
                }
            ],
        },
        by="mia",
        others="forbidden",
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "first", first=101),
            bad("invalid_input", "after", after="nonsense"),
            bad("invalid_input", "outcome", outcome="MAYBE"),
            bad("invalid_input", "from", **{"from": "yesterday"}),
            bad("forbidden", None, userId="noor"),
            bad("forbidden", None, userId=None, everyone=True),
            bad("invalid_input", "everyone", everyone=True),
        ),
    ),
    "leaderboard": Operation(
        "query ($span: LeaderboardSpan! = MONTH, $order: LeaderboardOrder! = TOKENS, $first: Int! = 1) { "
        "leaderboard(span: $span, order: $order, first: $first) { enabled people places { ...p } own { ...p } } } "
        f"fragment p on LeaderboardPlace {{ rank name userId own totals {{ {TOTALS} }} }}",
        Role.MEMBER,
        TokenScope.READ,
        {"order": "REQUESTS"},
        {
            "enabled": True,
            "people": 2,
            "places": [{"rank": 1, "name": "Mia", "userId": "mia", "own": True, "totals": totals(2, "0.000003")}],
            "own": {"rank": 1, "name": "Mia", "userId": "mia", "own": True, "totals": totals(2, "0.000003")},
        },
        by="mia",
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "first", first=101),
            bad("invalid_input", "span", span="YEAR"),
            bad("invalid_input", "order", order="LUCK"),
        ),
    ),
    "setLeaderboard": Operation(
        "mutation ($enabled: Boolean!) { setLeaderboard(enabled: $enabled) { enabled } }",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"enabled": False},
        {"enabled": False},
        audit=("leaderboard.set", "leaderboard"),
        then=(
            "{ leaderboard { enabled people places { rank } own { rank } } }",
            {"leaderboard": {"enabled": False, "people": 0, "places": [], "own": None}},
        ),
    ),
}
