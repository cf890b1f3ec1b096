"""The policy as a file."""

from __future__ import annotations

from edge_graphql.operations.operation import NEW, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

PLAN = "{ id changes { kind name action fields { field action before after } } }"
# What a token with the scope `policy` alone may do.
STRICTER = "version: 1\ngroups: {Team: {limits: {requests_per_minute: 20}}}"
PLANNED = {
    "id": NEW,
    "changes": [
        {
            "kind": "group",
            "name": "Team",
            "action": "CHANGE",
            "fields": [{"field": "limits.requests_per_minute", "action": "CHANGE", "before": 30, "after": 20}],
        }
    ],
}


def limits(requests: str = "null", output: str = "null", concurrent: str = "null") -> str:
    """As they are written, on one line."""
    return (
        f"limits: {{requests_per_minute: {requests}, input_tokens_per_minute: null, "
        f"output_tokens_per_minute: {output}, concurrent_requests: {concurrent}}}"
    )


def budget(at: str, daily: str = "null", weekly: str = "null", monthly: str = "null") -> str:
    lines = (f"daily: {daily}", f"weekly: {weekly}", f"monthly: {monthly}", "alert_thresholds: [80, 100]")
    return "budget:\n" + "\n".join(f"{at}  {line}" for line in lines)


EXPORT = f"""\
version: 1
models:
  fast:
    name: Fast
    kind: chat
    status: active
    backends:
    - {{provider: Demo, model: demo-fast, priority: 0, weight: 1}}
  slow:
    name: ''
    kind: chat
    status: draft
    backends: []
groups:
  Empty:
    description: ''
    grants: []
    members: []
    {limits()}
    {budget("    ")}
    pool:
      {limits()}
      {budget("      ")}
  Team:
    description: Those who build
    grants: [fast]
    members: [mia@example.com, noor@example.com]
    {limits("30", concurrent="5")}
    {budget("    ", monthly="'100'")}
    pool:
      {limits(output="9000")}
      {budget("      ", weekly="'50'")}
users:
  mia@example.com:
    grants: [fast]
    {limits("60")}
    {budget("    ", daily="'5'")}
"""
DOCUMENTS = (
    "",
    "version: 1\ngroups: {Team: {limits: {requests_per_minute: -1}}}",
    "version: 1\ngroups: {Team: {grants: [none]}}",
    "version: 1\ngroups: {Team: {members: [eve@example.com]}}",
    "version: 1\nmodels: {fast: {backends: [{provider: None here, model: x}]}}",
    "[" * 10_000,
    "\ud800",
    None,
)

OPERATIONS = {
    "exportPolicy": Operation(
        "query ($members: Boolean!, $users: Boolean!) { exportPolicy(members: $members, users: $users) { document } }",
        Role.ADMIN,
        TokenScope.READ,
        {"members": True, "users": True},
        {"document": EXPORT},
    ),
    "planPolicy": Operation(
        f"query ($document: String!, $prune: Boolean!) {{ planPolicy(document: $document, prune: $prune) {PLAN} }}",
        Role.ADMIN,
        TokenScope.READ,
        {"document": STRICTER, "prune": False},
        PLANNED,
        faults=tuple(bad("invalid_input", "document", document=text) for text in DOCUMENTS),
    ),
    "applyPolicy": Operation(
        f"mutation ($input: ApplyPolicyInput!) {{ applyPolicy(input: $input) {{ plan {PLAN} }} }}",
        Role.ADMIN,
        TokenScope.POLICY,
        {"input": {"document": STRICTER}},
        {"plan": PLANNED},
        faults=(
            *(bad("invalid_input", "document", input={"document": text}) for text in DOCUMENTS),
            bad("stale_version", "expectedPlan", input={"document": STRICTER, "expectedPlan": "another"}),
        ),
        audit=("rate_limit.set", "team"),
        then=(
            '{ group(id: "team") { rateLimit { requestsPerMinute concurrentRequests } } }',
            {"group": {"rateLimit": {"requestsPerMinute": 20, "concurrentRequests": 5}}},
        ),
    ),
}
