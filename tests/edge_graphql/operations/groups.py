"""Groups and who is in them."""

from __future__ import annotations

from typing import Any

from edge_graphql.operations.operation import AT, LONG, NEW, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

GROUP = "{ id name description createdAt }"
TEAM = {"id": "team", "name": "Team", "description": "Those who build", "createdAt": AT}
EMPTY = {"id": "empty", "name": "Empty", "description": "", "createdAt": AT}
MEMBERS = "{{ group(id: {id}) {{ memberCount members {{ edges {{ node {{ id }} }} }} }} }}"


def members(*ids: str) -> dict[str, Any]:
    edges = [{"node": {"id": user_id}} for user_id in ids]
    return {"group": {"memberCount": len(ids), "members": {"edges": edges}}}


OPERATIONS = {
    "groups": Operation(
        "query ($first: Int!, $after: String, $search: String) "
        "{ groups(first: $first, after: $after, search: $search) "
        f"{{ totalCount pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {GROUP} }} }} }}",
        Role.ADMIN,
        TokenScope.READ,
        {"first": 10},
        {
            "totalCount": 2,
            "pageInfo": {"hasNextPage": False, "endCursor": NEW},
            "edges": [{"cursor": NEW, "node": EMPTY}, {"cursor": NEW, "node": TEAM}],
        },
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "first", first=-1),
            bad("invalid_input", "first", first=101),
            bad("invalid_input", "first", first=float("nan")),
            bad("invalid_input", "after", after="nonsense"),
            bad("invalid_input", "after", after=LONG),
            bad("invalid_input", "search", search=LONG),
            bad("invalid_input", "search", search="a\0b"),
        ),
    ),
    "group": Operation(
        f"query ($id: ID!) {{ group(id: $id) {{ ...g members(first: 1) {{ totalCount edges {{ node {{ email }} }} }} "
        "grants { model { slug } group { id } } rateLimit { requestsPerMinute concurrentRequests } budget { monthly } "
        f"}} }} fragment g on Group {GROUP}",
        Role.ADMIN,
        TokenScope.READ,
        {"id": "team"},
        {
            **TEAM,
            "members": {"totalCount": 2, "edges": [{"node": {"email": "mia@example.com"}}]},
            "grants": [{"model": {"slug": "fast"}, "group": {"id": "team"}}],
            "rateLimit": {"requestsPerMinute": 30, "concurrentRequests": 5},
            "budget": {"monthly": "100"},
        },
        faults=(bad("invalid_input", "id", id="a\0b"),),
    ),
    "createGroup": Operation(
        f"mutation ($input: CreateGroupInput!) {{ createGroup(input: $input) {{ group {GROUP} }} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"input": {"name": "  Design  ", "description": "Those who draw"}},
        {"group": {"id": NEW, "name": "Design", "description": "Those who draw", "createdAt": AT}},
        faults=(
            bad("invalid_input", "name", input={"name": " "}),
            bad("invalid_input", "name", input={"name": LONG}),
            bad("invalid_input", "name", input={"name": "a\nb"}),
            bad("invalid_input", "name", input={"name": "a\0b"}),
            bad("invalid_input", "name", input={"name": "\ud800"}),
            bad("invalid_input", "name", input={"name": 7}),
            bad("invalid_input", "name", input={}),
            bad("invalid_input", "description", input={"name": "x", "description": LONG}),
            bad("invalid_input", "description", input={"name": "x", "description": "a\0b"}),
            bad("conflict", "name", input={"name": "TEAM"}),
            bad("invalid_input", "colour", input={"name": "x", "colour": "red"}),
        ),
        audit=("group.create", NEW),
    ),
    "updateGroup": Operation(
        f"mutation ($input: UpdateGroupInput!) {{ updateGroup(input: $input) {{ group {GROUP} }} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"input": {"id": "team", "name": "Crew"}},
        {"group": TEAM | {"name": "Crew"}},
        faults=(
            bad("not_found", "id", input={"id": "none", "name": "x"}),
            bad("invalid_input", "name", input={"id": "team", "name": ""}),
            bad("invalid_input", "name", input={"id": "team", "name": LONG}),
            bad("invalid_input", "name", input={"id": "team", "name": None}),
            bad("invalid_input", "description", input={"id": "team", "description": LONG}),
            bad("conflict", "name", input={"id": "team", "name": "empty"}),
        ),
        audit=("group.update", "team"),
    ),
    "deleteGroup": Operation(
        "mutation ($id: ID!) { deleteGroup(id: $id) { id } }",
        Role.ADMIN,
        TokenScope.USERS,
        {"id": "team"},
        {"id": "team"},
        then=(
            '{ group(id: "team") { id } user(id: "mia") { groups { id } } }',
            {"group": None, "user": {"groups": []}},
        ),
        faults=(bad("not_found", "id", id="none"), bad("invalid_input", "id", id="a\0b")),
        audit=("group.delete", "team"),
    ),
    "addGroupMembers": Operation(
        f"mutation ($input: GroupMembersInput!) {{ addGroupMembers(input: $input) {{ group {GROUP} }} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"input": {"groupId": "empty", "userIds": ["ada", "mia", "ada"]}},
        {"group": EMPTY},
        then=(MEMBERS.format(id='"empty"'), members("ada", "mia")),
        faults=(
            bad("not_found", "groupId", input={"groupId": "none", "userIds": ["mia"]}),
            bad("not_found", "userIds", input={"groupId": "empty", "userIds": ["mia", "none"]}),
            bad("invalid_input", "userIds", input={"groupId": "empty", "userIds": []}),
            bad("invalid_input", "userIds", input={"groupId": "empty", "userIds": ["mia"] * 101}),
            bad("invalid_input", "userIds.1", input={"groupId": "empty", "userIds": ["mia", None]}),
        ),
        audit=("group.add_members", "empty"),
    ),
    "removeGroupMembers": Operation(
        f"mutation ($input: GroupMembersInput!) {{ removeGroupMembers(input: $input) {{ group {GROUP} }} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"input": {"groupId": "team", "userIds": ["mia", "ada"]}},
        {"group": TEAM},
        then=(MEMBERS.format(id='"team"'), members("noor")),
        faults=(
            bad("not_found", "groupId", input={"groupId": "none", "userIds": ["mia"]}),
            bad("not_found", "userIds", input={"groupId": "team", "userIds": ["none"]}),
            bad("invalid_input", "userIds", input={"groupId": "team", "userIds": []}),
        ),
        audit=("group.remove_members", "team"),
    ),
}
