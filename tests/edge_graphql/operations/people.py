"""People: who is asking, everybody else, invitations, passwords, sessions."""

from __future__ import annotations

from typing import Any

from edge_graphql.operations.operation import AT, LONG, NEW, Operation, bad
from edge_graphql.people import PASSWORD
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

USER = "{ id email name role status createdAt lastActiveAt }"
NEW_PASSWORD = "another long sentence"
ENDS = "2026-12-08T12:00:00.000Z"


def person(user_id: str, name: str, role: str = "MEMBER", status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    facts = {"id": user_id, "email": f"{user_id}@example.com", "name": name, "role": role, "status": status}
    return {**facts, "createdAt": AT, "lastActiveAt": None, **more}


# Those who call are active, too: the last call was an hour ago.
ADA, MIA = person("ada", "Ada Admin", "ADMIN"), person("mia", "Mia Member", lastActiveAt="2026-11-24T11:00:00.000Z")
SUE = person("sue", "Sue Suspended", status="SUSPENDED")
IVY = person("ivy", "", status="INVITED")
GONE = '{ user(id: "%s") { id } }'

OPERATIONS = {
    "viewer": Operation(
        f"{{ viewer {{ isAdmin viaToken user {USER} }} }}",
        Role.MEMBER,
        TokenScope.READ,
        {},
        {"isAdmin": False, "viaToken": False, "user": MIA},
        by="mia",
    ),
    "user": Operation(
        "query ($id: ID!) { user(id: $id) { ...u groups { name } apiKeys { id status } sessions { id current } "
        "grants { model { slug } } inheritedGrants { group { id } } rateLimit { requestsPerMinute } budget { daily } "
        f"effectivePolicy {{ models {{ model {{ slug }} }} }} invitationExpiresAt }} }} fragment u on User {USER}",
        Role.MEMBER,
        TokenScope.READ,
        {"id": "mia"},
        {
            **MIA,
            "groups": [{"name": "Team"}],
            "apiKeys": [{"id": "mia-old", "status": "REVOKED"}, {"id": "mia-key", "status": "ACTIVE"}],
            "sessions": [{"id": "mia-here", "current": True}, {"id": "mia-there", "current": False}],
            "grants": [{"model": {"slug": "fast"}}],
            "inheritedGrants": [{"group": {"id": "team"}}],
            "rateLimit": {"requestsPerMinute": 60},
            "budget": {"daily": "5"},
            "effectivePolicy": {"models": [{"model": {"slug": "fast"}}]},
            "invitationExpiresAt": None,
        },
        by="mia",
        others="forbidden",
        faults=(
            bad("invalid_input", "id", id="a\0b"),
            bad("forbidden", None, id="noor"),
            bad("forbidden", None, id="x"),
        ),
    ),
    "users": Operation(
        "query ($first: Int!, $after: String, $search: String, $role: Role, $status: UserStatus, $sort: UserSort!) "
        "{ users(first: $first, after: $after, search: $search, role: $role, status: $status, sort: $sort) "
        f"{{ totalCount pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {{ ...u invitationExpiresAt "
        f"invitationMail {{ status error }} }} }} }} }} fragment u on User {USER}",
        Role.ADMIN,
        TokenScope.READ,
        {"first": 3, "sort": "NAME_ASC"},
        {
            "totalCount": 5,
            "pageInfo": {"hasNextPage": True, "endCursor": NEW},
            "edges": [
                {"cursor": NEW, "node": {**ADA, "invitationExpiresAt": None, "invitationMail": None}},
                {
                    "cursor": NEW,
                    "node": {
                        **IVY,
                        "invitationExpiresAt": "2026-12-01T12:00:00.000Z",
                        "invitationMail": {"status": "FAILED", "error": "550 no"},
                    },
                },
                {"cursor": NEW, "node": {**MIA, "invitationExpiresAt": None, "invitationMail": None}},
            ],
        },
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "first", first=1_000_000),
            bad("invalid_input", "first", first=-(2**31)),
            bad("invalid_input", "first", first="ten"),
            bad("invalid_input", "after", after="e30"),
            bad("invalid_input", "search", search=LONG),
            bad("invalid_input", "search", search="\udc00"),
            bad("invalid_input", "role", role="KING"),
            bad("invalid_input", "status", status=LONG),
            bad("invalid_input", "sort", sort="RANDOM"),
        ),
    ),
    "updateViewer": Operation(
        f"mutation ($name: String!) {{ updateViewer(name: $name) {{ user {USER} }} }}",
        Role.MEMBER,
        TokenScope.USERS,
        {"name": " Mia M. "},
        {"user": MIA | {"name": "Mia M."}},
        by="mia",
        faults=(
            bad("invalid_input", "name", name=" "),
            bad("invalid_input", "name", name=LONG),
            bad("invalid_input", "name", name="a\u0007b"),
            bad("invalid_input", "name", name=None),
        ),
        audit=("user.update", "mia"),
    ),
    "changePassword": Operation(
        f"mutation ($input: ChangePasswordInput!) {{ changePassword(input: $input) {{ user {USER} }} }}",
        Role.MEMBER,
        TokenScope.USERS,
        {"input": {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}},
        {"user": MIA},
        by="mia",
        codes={"token": "forbidden", "mia-token": "forbidden"},
        faults=(
            bad("invalid_input", "currentPassword", input={"currentPassword": "wrong", "newPassword": NEW_PASSWORD}),
            bad("invalid_input", "newPassword", input={"currentPassword": PASSWORD, "newPassword": "short"}),
            bad("invalid_input", "newPassword", input={"currentPassword": PASSWORD, "newPassword": LONG}),
            bad("invalid_input", "newPassword", input={"currentPassword": PASSWORD, "newPassword": "mia@example.com"}),
            bad("invalid_input", "newPassword", input={"currentPassword": PASSWORD}),
        ),
        audit=("user.change_password", "mia"),
        then=('{ user(id: "mia") { sessions { id } } }', {"user": {"sessions": [{"id": "mia-here"}]}}),
    ),
    "updateUser": Operation(
        f"mutation ($input: UpdateUserInput!) {{ updateUser(input: $input) {{ user {USER} }} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"input": {"id": "mia", "name": "Mia Renamed"}},
        {"user": MIA | {"name": "Mia Renamed"}},
        faults=(
            bad("not_found", "id", input={"id": "none", "name": "x"}),
            bad("invalid_input", "name", input={"id": "mia", "name": ""}),
            bad("invalid_input", "name", input={"id": "mia", "name": LONG}),
            bad("invalid_input", "name", input={"id": "mia", "name": None}),
            bad("invalid_input", "role", input={"id": "mia", "role": None}),
            bad("invalid_input", "role", input={"id": "mia", "role": "KING"}),
            bad("conflict", "role", input={"id": "ada", "role": "MEMBER"}),
            bad("invalid_input", "email", input={"id": "mia", "email": "x@example.com"}),
        ),
        audit=("user.update", "mia"),
    ),
    "suspendUser": Operation(
        f"mutation ($id: ID!) {{ suspendUser(id: $id) {{ user {USER} }} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"id": "mia"},
        {"user": MIA | {"status": "SUSPENDED"}},
        faults=(
            bad("not_found", "id", id="none"),
            bad("conflict", "id", id="ada"),
            bad("conflict", "id", id="ivy"),
        ),
        audit=("user.suspend", "mia"),
        then=('{ user(id: "mia") { status sessions { id } } }', {"user": {"status": "SUSPENDED", "sessions": []}}),
    ),
    "reactivateUser": Operation(
        f"mutation ($id: ID!) {{ reactivateUser(id: $id) {{ user {USER} }} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"id": "sue"},
        {"user": SUE | {"status": "ACTIVE"}},
        faults=(bad("not_found", "id", id="none"), bad("conflict", "id", id="ivy")),
        audit=("user.reactivate", "sue"),
    ),
    "deleteUser": Operation(
        "mutation ($id: ID!) { deleteUser(id: $id) { id } }",
        Role.ADMIN,
        TokenScope.USERS,
        {"id": "mia"},
        {"id": "mia"},
        faults=(bad("not_found", "id", id="none"), bad("conflict", "id", id="ada")),
        audit=("user.delete", "mia"),
        then=(GONE % "mia", {"user": None}),
    ),
    "createPasswordResetLink": Operation(
        f"mutation ($userId: ID!) {{ createPasswordResetLink(userId: $userId) {{ user {USER} resetUrl }} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"userId": "mia"},
        {"user": MIA, "resetUrl": NEW},
        codes={"token": "forbidden"},
        faults=(
            bad("not_found", "userId", userId="none"),
            bad("conflict", "userId", userId="ivy"),
            bad("conflict", "userId", userId="sue"),
        ),
        audit=("user.create_reset_link", "mia"),
    ),
    "inviteUsers": Operation(
        "mutation ($input: InviteUsersInput!) { inviteUsers(input: $input) "
        f"{{ results {{ email user {USER} inviteUrl error {{ code message }} }} }} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"input": {"emails": ["Zoe@Example.com", "nobody", "mia@example.com"], "groupIds": ["team"]}},
        {
            "results": [
                {
                    "email": "zoe@example.com",
                    "user": {**person("zoe", "", status="INVITED"), "id": NEW},
                    "inviteUrl": NEW,
                    "error": None,
                },
                {
                    "email": "nobody",
                    "user": None,
                    "inviteUrl": None,
                    "error": {
                        "code": "invalid_input",
                        "message": "'nobody' is not an e-mail address; write it like ada@example.com",
                    },
                },
                {
                    "email": "mia@example.com",
                    "user": None,
                    "inviteUrl": None,
                    "error": {"code": "conflict", "message": "There is an account with this address already."},
                },
            ]
        },
        faults=(
            bad("invalid_input", "emails", input={"emails": []}),
            bad("invalid_input", "emails", input={"emails": ["a@example.com"] * 101}),
            bad("invalid_input", "emails.1", input={"emails": ["a@example.com", 5]}),
            bad("invalid_input", "emails.0", input={"emails": ["a\0@example.com"]}),
            bad("not_found", "groupIds", input={"emails": ["a@example.com"], "groupIds": ["none"]}),
            bad("invalid_input", "role", input={"emails": ["a@example.com"], "role": "KING"}),
        ),
        audit=("user.invite", NEW),
    ),
    "resendInvitation": Operation(
        f"mutation ($userId: ID!) {{ resendInvitation(userId: $userId) {{ user {USER} inviteUrl }} }}",
        Role.ADMIN,
        TokenScope.USERS,
        {"userId": "ivy"},
        {"user": IVY, "inviteUrl": NEW},
        faults=(bad("not_found", "userId", userId="none"), bad("conflict", "userId", userId="mia")),
        audit=("invitation.resend", "ivy"),
    ),
    "withdrawInvitation": Operation(
        "mutation ($userId: ID!) { withdrawInvitation(userId: $userId) { id } }",
        Role.ADMIN,
        TokenScope.USERS,
        {"userId": "ivy"},
        {"id": "ivy"},
        faults=(bad("not_found", "userId", userId="none"), bad("conflict", "userId", userId="mia")),
        audit=("invitation.withdraw", "ivy"),
        then=(GONE % "ivy", {"user": None}),
    ),
    "sessions": Operation(
        "{ sessions { id client address createdAt lastSeenAt expiresAt current } }",
        Role.MEMBER,
        TokenScope.READ,
        {},
        [
            {
                "id": name,
                "client": "Firefox on Linux",
                "address": "10.0.0.1",
                "createdAt": AT,
                "lastSeenAt": seen,
                "expiresAt": ENDS,
                "current": name == "mia-here",
            }
            for name, seen in (("mia-here", AT), ("mia-there", "2026-11-24T11:00:00.000Z"))
        ],
        by="mia",
    ),
    "revokeSession": Operation(
        "mutation ($id: ID!) { revokeSession(id: $id) { id } }",
        Role.MEMBER,
        TokenScope.USERS,
        {"id": "mia-there"},
        {"id": "mia-there"},
        by="mia",
        others="not_found",
        faults=(bad("not_found", "id", id="none"), bad("not_found", "id", id="noor-here")),
        audit=("session.revoke", "mia"),
        then=('{ user(id: "mia") { sessions { id } } }', {"user": {"sessions": [{"id": "mia-here"}]}}),
    ),
    "endOtherSessions": Operation(
        "mutation { endOtherSessions { count } }",
        Role.MEMBER,
        TokenScope.USERS,
        {},
        {"count": 1},
        by="mia",
        codes={"token": "conflict", "mia-token": "conflict"},
        audit=("session.end_all", "mia"),
        then=('{ user(id: "mia") { sessions { id } } }', {"user": {"sessions": [{"id": "mia-here"}]}}),
    ),
    "endUserSessions": Operation(
        "mutation ($userId: ID!) { endUserSessions(userId: $userId) { count } }",
        Role.MEMBER,
        TokenScope.USERS,
        {"userId": "mia"},
        {"count": 2},
        by="mia",
        others="forbidden",
        faults=(bad("forbidden", None, userId="noor"), bad("forbidden", None, userId="none")),
        audit=("session.end_all", "mia"),
        then=('{ user(id: "mia") { sessions { id } } }', {"user": {"sessions": []}}),
    ),
}
