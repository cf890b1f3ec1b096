"""Grants, limits, budgets, pools, and what comes of them."""

from __future__ import annotations

from typing import Any

from edge_graphql.operations.operation import AT, LONG, NEW, Fault, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

LIMITS = "requestsPerMinute inputTokensPerMinute outputTokensPerMinute concurrentRequests"
CAPS = "daily weekly monthly alertThresholds"
TOO_MUCH = 2_000_000_001


def limit_faults() -> tuple[Fault, ...]:
    names = LIMITS.split()
    absurd = (-1, TOO_MUCH, 2**40, 1.5, float("nan"), float("inf"), "60", True)
    return tuple(bad("invalid_input", names[i % 4], input={names[i % 4]: value}) for i, value in enumerate(absurd))


def cap_faults() -> tuple[Fault, ...]:
    names = CAPS.split()[:3]
    absurd = ("-1", "-0.000000001", "NaN", "Infinity", "1e400", "1000000000.01", "0.0000000001", "", "five", 5, "1_000")
    amounts = [bad("invalid_input", names[i % 3], input={names[i % 3]: value}) for i, value in enumerate(absurd)]
    thresholds: tuple[Any, ...] = ([0], [101], [-5], list(range(1, 12)))
    return (
        *amounts,
        *(bad("invalid_input", "alertThresholds", input={"alertThresholds": value}) for value in thresholds),
        bad("invalid_input", "alertThresholds.0", input={"alertThresholds": [80.5]}),
    )


def limits(**values: int) -> dict[str, Any]:
    return dict.fromkeys(LIMITS.split()) | values


def caps(thresholds: list[int] | None = None, **values: str) -> dict[str, Any]:
    empty = {"daily": None, "weekly": None, "monthly": None}
    return {**empty, **values, "alertThresholds": thresholds or [80, 100]}


SUBJECTS = (
    bad("not_found", "userId", subject={"userId": "none"}),
    bad("not_found", "groupId", subject={"groupId": "none"}),
    bad("invalid_input", "subject.userId", subject={"userId": "a\0b"}),
)
OVERRIDE = "{ id dimension window limit cap unlimited reason createdBy createdAt endsAt endedAt endedBy running }"
ADA = "Ada Admin <ada@example.com>"
RAISE = {"userId": "mia", "reason": " Launch  week ", "endsAt": "2026-12-01T12:00:00Z"}
OVERRIDDEN = {
    "id": "override",
    "dimension": None,
    "window": None,
    "limit": None,
    "cap": None,
    "unlimited": False,
    "reason": "Launch week",
    "createdBy": "Ada",
    "createdAt": AT,
    "endsAt": "2026-12-01T12:00:00.000Z",
    "endedAt": None,
    "endedBy": None,
    "running": True,
}
BOTH = {"userId": "mia", "groupId": "team"}
USER_SOURCE = {"kind": "USER", "name": "Mia Member"}
GROUP_SOURCE = {"kind": "GROUP", "name": "Team"}
PREVIEW = (
    "{ people stricter looser blocked unblocked unchanged affected { userId stricter looser blocked unblocked "
    "limits { dimension before after } budgets { window before after spent } } }"
)


def preview(people: int, *affected: tuple[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Of a change that blocks everybody."""
    verdict = {"stricter": True, "looser": False, "blocked": True, "unblocked": False, "budgets": []}
    counts = {"people": people, "stricter": people, "looser": 0, "blocked": people, "unblocked": 0, "unchanged": 0}
    return counts | {"affected": [{"userId": user_id, **verdict, "limits": limits} for user_id, limits in affected]}


WINDOWS = {
    "DAY": "2026-11-25T00:00:00.000Z",
    "WEEK": "2026-11-30T00:00:00.000Z",
    "MONTH": "2026-12-01T00:00:00.000Z",
}


def effective_budget(window: str, cap: str | None, source: dict[str, str] | None, spent: str) -> dict[str, Any]:
    candidates = [{"cap": cap, "source": source}] if cap else []
    held = {"spent": spent, "reserved": "0", "resetsAt": WINDOWS[window], "alertThresholds": [80, 100]}
    return {"window": window, "cap": cap, "source": source, **held, "candidates": candidates}


OPERATIONS = {
    "effectivePolicy": Operation(
        "query ($userId: ID!) { effectivePolicy(userId: $userId) { models { model { slug } sources { ...s } } "
        "limits { dimension limit used source { ...s } candidates { value source { ...s } } } "
        "budgets { window cap spent reserved resetsAt alertThresholds source { ...s } "
        "candidates { cap source { ...s } } } "
        "pools { source { ...s } limits { dimension limit used } budgets { window cap spent alertThresholds } } } } "
        "fragment s on PolicySource { kind name }",
        Role.MEMBER,
        TokenScope.READ,
        {"userId": "mia"},
        {
            "models": [{"model": {"slug": "fast"}, "sources": [USER_SOURCE, GROUP_SOURCE]}],
            "limits": [
                {
                    "dimension": "REQUESTS",
                    "limit": 30,
                    "used": 0,
                    "source": GROUP_SOURCE,
                    "candidates": [{"value": 30, "source": GROUP_SOURCE}, {"value": 60, "source": USER_SOURCE}],
                },
                {"dimension": "INPUT_TOKENS", "limit": None, "used": 0, "source": None, "candidates": []},
                {"dimension": "OUTPUT_TOKENS", "limit": None, "used": 0, "source": None, "candidates": []},
                {
                    "dimension": "CONCURRENT_REQUESTS",
                    "limit": 5,
                    "used": 0,
                    "source": GROUP_SOURCE,
                    "candidates": [{"value": 5, "source": GROUP_SOURCE}],
                },
            ],
            "budgets": [
                effective_budget("DAY", "5", USER_SOURCE, "0.000003"),
                effective_budget("WEEK", None, None, "0.000003"),
                effective_budget("MONTH", "100", GROUP_SOURCE, "0.000003"),
            ],
            "pools": [
                {
                    "source": {"kind": "POOL", "name": "Team"},
                    "limits": [
                        {"dimension": "REQUESTS", "limit": None, "used": 0},
                        {"dimension": "INPUT_TOKENS", "limit": None, "used": 0},
                        {"dimension": "OUTPUT_TOKENS", "limit": 9000, "used": 0},
                        {"dimension": "CONCURRENT_REQUESTS", "limit": None, "used": 0},
                    ],
                    "budgets": [
                        {"window": "DAY", "cap": None, "spent": "0.000008", "alertThresholds": [80, 100]},
                        {"window": "WEEK", "cap": "50", "spent": "0.000008", "alertThresholds": [80, 100]},
                        {"window": "MONTH", "cap": None, "spent": "0.000008", "alertThresholds": [80, 100]},
                    ],
                }
            ],
        },
        by="mia",
        others="forbidden",
        faults=(bad("forbidden", None, userId="noor"), bad("invalid_input", "userId", userId="\ud800")),
    ),
    "explain": Operation(
        "query ($userId: ID!, $model: String!) { explain(userId: $userId, model: $model) "
        "{ allowed status code message retryAt checks { name passed } } }",
        Role.MEMBER,
        TokenScope.READ,
        {"userId": "mia", "model": "slow"},
        {
            "allowed": False,
            "status": 404,
            "code": "model_not_found",
            "message": "The model 'slow' does not exist here or is not active.",
            "retryAt": None,
            "checks": [{"name": "account", "passed": True}, {"name": "model", "passed": False}],
        },
        by="mia",
        others="forbidden",
        faults=(
            bad("forbidden", None, userId="noor"),
            bad("invalid_input", "model", model="a\0b"),
            bad("invalid_input", "model", model=None),
        ),
    ),
    "previewUserPolicy": Operation(
        "query ($userId: ID!, $rateLimit: RateLimitInput, $budget: BudgetInput) { previewUserPolicy(userId: $userId, "
        f"rateLimit: $rateLimit, budget: $budget) {PREVIEW} }}",
        Role.ADMIN,
        TokenScope.READ,
        {"userId": "mia", "rateLimit": {"requestsPerMinute": 0}},
        preview(1, ("mia", [{"dimension": "REQUESTS", "before": 30, "after": 0}])),
        faults=(
            bad("not_found", "userId", userId="none"),
            bad("invalid_input", "rateLimit.requestsPerMinute", rateLimit={"requestsPerMinute": -1}),
            bad("invalid_input", "budget.daily", budget={"daily": "NaN"}),
        ),
    ),
    "previewGroupPolicy": Operation(
        "query ($groupId: ID!, $rateLimit: RateLimitInput, $budget: BudgetInput, $first: Int! = 20) "
        "{ previewGroupPolicy(groupId: $groupId, rateLimit: $rateLimit, budget: $budget, first: $first) "
        f"{PREVIEW} }}",
        Role.ADMIN,
        TokenScope.READ,
        {"groupId": "team", "rateLimit": {"requestsPerMinute": 0, "concurrentRequests": 5}, "first": 1},
        preview(2, ("mia", [{"dimension": "REQUESTS", "before": 30, "after": 0}])),
        faults=(
            bad("not_found", "groupId", groupId="none"),
            bad("invalid_input", "first", first=-1),
            bad("invalid_input", "first", first=101),
            bad("invalid_input", "rateLimit.inputTokensPerMinute", rateLimit={"inputTokensPerMinute": TOO_MUCH}),
            bad("invalid_input", "budget.monthly", budget={"monthly": "-1"}),
        ),
    ),
    "grantModels": Operation(
        "mutation ($input: GrantModelsInput!) { grantModels(input: $input) { grants { id createdAt } } }",
        Role.ADMIN,
        TokenScope.POLICY,
        {"input": {"subject": {"userId": "noor"}, "modelIds": ["slow", "slow"]}},
        {"grants": [{"id": NEW, "createdAt": AT}]},
        faults=(
            bad("invalid_input", "modelIds", input={"subject": {"userId": "noor"}, "modelIds": []}),
            bad(
                "invalid_input",
                "modelIds",
                input={"subject": {"userId": "noor"}, "modelIds": [str(n) for n in range(101)]},
            ),
            bad("not_found", "modelIds", input={"subject": {"userId": "noor"}, "modelIds": ["fast", "none"]}),
            bad("not_found", "userId", input={"subject": {"userId": "none"}, "modelIds": ["fast"]}),
            bad("invalid_input", "subject", input={"subject": {}, "modelIds": ["fast"]}),
            bad(
                "invalid_input",
                "subject",
                input={"subject": {"userId": "mia", "groupId": "team"}, "modelIds": ["fast"]},
            ),
        ),
        audit=("grant.add", "noor"),
        then=(
            '{ user(id: "noor") { grants { model { slug } } } }',
            {"user": {"grants": [{"model": {"slug": "slow"}}]}},
        ),
    ),
    "revokeGrant": Operation(
        "mutation ($id: ID!) { revokeGrant(id: $id) { id } }",
        Role.ADMIN,
        TokenScope.POLICY,
        {"id": "mia-fast"},
        {"id": "mia-fast"},
        faults=(bad("not_found", "id", id="none"), bad("invalid_input", "id", id="a\0b")),
        audit=("grant.revoke", "mia"),
        then=('{ user(id: "mia") { grants { id } } }', {"user": {"grants": []}}),
    ),
    "setRateLimit": Operation(
        "mutation ($subject: SubjectInput!, $input: RateLimitInput!) "
        f"{{ setRateLimit(subject: $subject, input: $input) {{ rateLimit {{ {LIMITS} }} }} }}",
        Role.ADMIN,
        TokenScope.POLICY,
        {"subject": {"userId": "mia"}, "input": {"requestsPerMinute": 0, "inputTokensPerMinute": 2_000_000_000}},
        {"rateLimit": limits(requestsPerMinute=0, inputTokensPerMinute=2_000_000_000)},
        faults=(*SUBJECTS, *limit_faults(), bad("invalid_input", "subject", subject={})),
        audit=("rate_limit.set", "mia"),
        then=(
            f'{{ user(id: "mia") {{ rateLimit {{ {LIMITS} }} }} }}',
            {"user": {"rateLimit": limits(requestsPerMinute=0, inputTokensPerMinute=2_000_000_000)}},
        ),
    ),
    "setBudget": Operation(
        "mutation ($subject: SubjectInput!, $input: BudgetInput!) "
        f"{{ setBudget(subject: $subject, input: $input) {{ budget {{ {CAPS} }} }} }}",
        Role.ADMIN,
        TokenScope.POLICY,
        {
            "subject": {"groupId": "team"},
            "input": {"daily": "0", "monthly": "12.345678901", "alertThresholds": [90, 50, 90]},
        },
        {"budget": caps([50, 90], daily="0", monthly="12.345678901")},
        faults=(*SUBJECTS, *cap_faults()),
        audit=("budget.set", "team"),
        then=(
            f'{{ group(id: "team") {{ budget {{ {CAPS} }} }} }}',
            {"group": {"budget": caps([50, 90], daily="0", monthly="12.345678901")}},
        ),
    ),
    "createOverride": Operation(
        f"mutation ($input: CreateOverrideInput!) {{ createOverride(input: $input) {{ override {OVERRIDE} }} }}",
        Role.ADMIN,
        TokenScope.POLICY,
        {"input": RAISE | {"dimension": "REQUESTS", "limit": 500}},
        {"override": OVERRIDDEN | {"id": NEW, "dimension": "REQUESTS", "limit": 500, "createdBy": ADA}},
        faults=(
            *(
                bad("invalid_input", "limit", input=RAISE | {"dimension": "REQUESTS", "limit": n})
                for n in (-1, TOO_MUCH)
            ),
            *(bad("invalid_input", "cap", input=RAISE | {"window": "DAY", "cap": n}) for n in ("-1", "NaN", "1e12")),
            *(
                bad("invalid_input", "reason", input=RAISE | {"window": "DAY", "cap": "1", "reason": text})
                for text in (" ", LONG, "a\0b", None)
            ),
            *(
                bad("invalid_input", "endsAt", input=RAISE | {"window": "DAY", "cap": "1", "endsAt": at})
                for at in (AT, "2028-01-01T00:00:00Z", "soon", None)
            ),
            bad("invalid_input", "dimension", input=RAISE | {"limit": 1}),
            bad("invalid_input", "dimension", input=RAISE | {"dimension": "REQUESTS", "window": "DAY", "limit": 1}),
            bad("invalid_input", "limit", input=RAISE | {"dimension": "REQUESTS"}),
            bad("invalid_input", "limit", input=RAISE | {"dimension": "REQUESTS", "limit": 1, "unlimited": True}),
            bad("invalid_input", "cap", input=RAISE | {"dimension": "REQUESTS", "limit": 1, "cap": "1"}),
            bad("not_found", "userId", input=RAISE | {"userId": "none", "dimension": "REQUESTS", "limit": 1}),
        ),
        audit=("override.create", "mia"),
        then=(
            '{ effectivePolicy(userId: "mia") { limits { dimension limit } } }',
            {
                "effectivePolicy": {
                    "limits": [
                        {"dimension": "REQUESTS", "limit": 500},
                        {"dimension": "INPUT_TOKENS", "limit": None},
                        {"dimension": "OUTPUT_TOKENS", "limit": None},
                        {"dimension": "CONCURRENT_REQUESTS", "limit": 5},
                    ]
                }
            },
        ),
    ),
    "endOverride": Operation(
        f"mutation ($id: ID!) {{ endOverride(id: $id) {{ override {OVERRIDE} }} }}",
        Role.ADMIN,
        TokenScope.POLICY,
        {"id": "override"},
        {"override": OVERRIDDEN | {"window": "DAY", "cap": "9", "running": False, "endedAt": AT, "endedBy": ADA}},
        faults=(bad("not_found", "id", id="none"),),
        audit=("override.end", "noor"),
    ),
    "setGroupPoolRateLimit": Operation(
        "mutation ($groupId: ID!, $input: RateLimitInput!) "
        "{ setGroupPoolRateLimit(groupId: $groupId, input: $input) { pool { __typename } } }",
        Role.ADMIN,
        TokenScope.POLICY,
        {"groupId": "team", "input": {"requestsPerMinute": 7}},
        {"pool": {"__typename": "GroupPool"}},
        faults=(bad("not_found", "groupId", groupId="none"), *limit_faults()),
        audit=("pool_rate_limit.set", "team"),
        then=(
            f'{{ group(id: "team") {{ pool {{ rateLimit {{ {LIMITS} }} }} }} }}',
            {"group": {"pool": {"rateLimit": limits(requestsPerMinute=7)}}},
        ),
    ),
    "setGroupPoolBudget": Operation(
        "mutation ($groupId: ID!, $input: BudgetInput!) "
        "{ setGroupPoolBudget(groupId: $groupId, input: $input) { pool { __typename } } }",
        Role.ADMIN,
        TokenScope.POLICY,
        {"groupId": "team", "input": {"weekly": "7.5"}},
        {"pool": {"__typename": "GroupPool"}},
        faults=(bad("not_found", "groupId", groupId="none"), *cap_faults()),
        audit=("pool_budget.set", "team"),
        then=(
            f'{{ group(id: "team") {{ pool {{ budget {{ {CAPS} }} }} }} }}',
            {"group": {"pool": {"budget": caps(weekly="7.5")}}},
        ),
    ),
}
