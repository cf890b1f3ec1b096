"""One thing done to many people."""

from __future__ import annotations

from typing import Any

from edge_graphql.operations.operation import LONG, NEW, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

RESULTS = "{ results { userId label outcome error { code message } } }"
LABELS = {
    "ada": "Ada Admin <ada@example.com>",
    "mia": "Mia Member <mia@example.com>",
    "noor": "Noor Other <noor@example.com>",
    "sue": "Sue Suspended <sue@example.com>",
    "ivy": "ivy@example.com",
}


def came_of(user_id: str, outcome: str, code: str | None = None, message: Any = NEW) -> dict[str, Any]:
    error = None if code is None else {"code": code, "message": message}
    return {"userId": user_id, "label": LABELS.get(user_id, ""), "outcome": outcome, "error": error}


def chosen(*ids: str) -> dict[str, Any]:
    return {"chosen": [{"id": user_id} for user_id in ids]}


FAST = {"id": NEW, "model": {"slug": "fast"}}
EMPTY, TEAM = {"id": "empty"}, {"id": "team"}
NOBODY = came_of("none", "REFUSED", "not_found", "There is no such user.")
SELECTIONS = (
    bad("invalid_input", "users", users={}),
    bad("invalid_input", "users", users={"chosen": []}),
    bad("invalid_input", "users", users={"chosen": [{"id": f"u{n}"} for n in range(501)]}),
    bad("invalid_input", "users", users={"chosen": [{"id": "mia"}], "matching": {"expectedCount": 1}}),
    bad("invalid_input", "users.chosen.0.id", users={"chosen": [{"id": "a\0b"}]}),
    bad("invalid_input", "users", users={"matching": {"expectedCount": 0, "search": "zzz"}}),
    bad("invalid_input", "search", users={"matching": {"expectedCount": 1, "search": LONG}}),
    bad("stale_version", "users.matching.expectedCount", users={"matching": {"expectedCount": 2, "search": "mia"}}),
)


def bulk(name: str, users: dict[str, Any], results: list[dict[str, Any]], **more: Any) -> Operation:
    return Operation(
        f"mutation ($users: UserSelectionInput!) {{ {name}(users: $users) {RESULTS} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"users": users},
        {"results": results},
        faults=SELECTIONS,
        **more,
    )


def membership(name: str, users: dict[str, Any], results: list[dict[str, Any]], **more: Any) -> Operation:
    return Operation(
        "mutation ($groupId: ID!, $users: UserSelectionInput!) "
        f"{{ {name}(groupId: $groupId, users: $users) {RESULTS} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"groupId": "team", "users": users},
        {"results": results},
        faults=(*SELECTIONS, bad("not_found", "groupId", groupId="none")),
        **more,
    )


OPERATIONS = {
    "suspendUsers": bulk(
        "suspendUsers",
        {
            "chosen": [
                {"id": "sue"},
                {"id": "mia", "expectedVersion": 0},
                *chosen("ada", "ivy", "none", "mia")["chosen"],
            ]
        },
        [
            came_of("sue", "ALREADY"),
            came_of("mia", "DONE"),
            came_of("ada", "REFUSED", "conflict", "This is you. Nobody can suspend themselves this way."),
            came_of("ivy", "REFUSED", "conflict"),
            NOBODY,
        ],
        audit=("user.suspend", "mia"),
        then=('{ user(id: "mia") { status sessions { id } } }', {"user": {"status": "SUSPENDED", "sessions": []}}),
    ),
    "reactivateUsers": bulk(
        "reactivateUsers",
        {"matching": {"status": "SUSPENDED", "expectedCount": 1}},
        [came_of("sue", "DONE")],
        audit=("user.reactivate", "sue"),
    ),
    "deleteUsers": bulk(
        "deleteUsers",
        {"chosen": [{"id": "mia"}, {"id": "noor", "expectedVersion": 3}, {"id": "ada"}]},
        [
            came_of("mia", "DONE"),
            came_of("noor", "REFUSED", "stale_version"),
            came_of("ada", "REFUSED", "conflict", "This is you. Nobody can delete themselves this way."),
        ],
        audit=("user.delete", "mia"),
        then=('{ user(id: "mia") { id } }', {"user": None}),
    ),
    "addUsersToGroup": membership(
        "addUsersToGroup",
        chosen("mia", "sue", "none"),
        [came_of("mia", "ALREADY"), came_of("sue", "DONE"), NOBODY],
        audit=("group.add_members", "team"),
        then=('{ user(id: "sue") { groups { id } } }', {"user": {"groups": [{"id": "team"}]}}),
    ),
    "removeUsersFromGroup": membership(
        "removeUsersFromGroup",
        {"matching": {"groupId": "team", "search": "mia", "expectedCount": 1}},
        [came_of("mia", "DONE")],
        audit=("group.remove_members", "team"),
        then=('{ user(id: "mia") { groups { id } } }', {"user": {"groups": []}}),
    ),
    "importUsers": Operation(
        "mutation ($input: ImportUsersInput!) { importUsers(input: $input) { plan lines "
        "{ line email action changes { field before after } error { code field message } inviteUrl } } }",
        Role.ADMIN,
        TokenScope.USERS,
        {"input": {"csv": "email,groups\nmia@example.com,Empty; team\nnobody,\n", "dryRun": False}},
        {
            "plan": NEW,
            "lines": [
                {
                    "line": 2,
                    "email": "mia@example.com",
                    "action": "UPDATED",
                    "changes": [{"field": "groups", "before": "Team", "after": "Empty; Team"}],
                    "error": None,
                    "inviteUrl": None,
                },
                {
                    "line": 3,
                    "email": "nobody",
                    "action": "REFUSED",
                    "changes": [],
                    "error": {
                        "code": "invalid_input",
                        "field": "email",
                        "message": "'nobody' is not an e-mail address; write it like ada@example.com",
                    },
                    "inviteUrl": None,
                },
            ],
        },
        faults=(
            bad("invalid_input", "csv", input={"csv": ""}),
            bad("invalid_input", "csv", input={"csv": "email\n"}),
            bad("invalid_input", "csv", input={"csv": "name,role\nx,y\n"}),
            bad("invalid_input", "csv", input={"csv": "email,shoe size\na@example.com,7\n"}),
            bad("invalid_input", "csv", input={"csv": "email\n" + "a@example.com\n" * 501}),
            bad("invalid_input", "csv", input={"csv": "email\n" + LONG * 51}),
            bad("invalid_input", "csv", input={"csv": 'email\n"a@example.com\n'}),
            bad("invalid_input", "csv", input={"csv": "a\0b"}),
            bad(
                "stale_version",
                "expectedPlan",
                input={"csv": "email\nz@example.com\n", "dryRun": False, "expectedPlan": "other"},
            ),
        ),
        audit=("group.add_members", "empty"),
        then=('{ user(id: "mia") { groups { id } } }', {"user": {"groups": [EMPTY, TEAM]}}),
    ),
    "grantModelsToUsers": Operation(
        "mutation ($modelIds: [ID!]!, $users: UserSelectionInput!) "
        f"{{ grantModelsToUsers(modelIds: $modelIds, users: $users) {RESULTS} }}",
        Role.ADMIN,
        TokenScope.POLICY,
        {"modelIds": ["fast"], "users": chosen("noor", "mia")},
        {"results": [came_of("noor", "DONE"), came_of("mia", "ALREADY")]},
        faults=(
            *SELECTIONS,
            bad("not_found", "modelIds", modelIds=["fast", "none"]),
            bad("invalid_input", "modelIds", modelIds=[]),
            bad("invalid_input", "modelIds", modelIds=[f"m{n}" for n in range(101)]),
        ),
        audit=("grant.add", "noor"),
        then=(
            '{ user(id: "noor") { grants { model { slug } } } }',
            {"user": {"grants": [{"model": {"slug": "fast"}}]}},
        ),
    ),
}
