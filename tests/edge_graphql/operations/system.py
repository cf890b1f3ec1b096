"""The installation itself."""

from __future__ import annotations

from edge_graphql.operations.operation import AT, LONG, NEW, Operation, bad
from sluicegate import __version__
from sluicegate.adapters.vault import key_id
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

OPERATIONS = {
    "deployment": Operation(
        "{ deployment { version publicUrl timeZone mailConfigured } }",
        Role.MEMBER,
        TokenScope.READ,
        {},
        {
            "version": __version__,
            "publicUrl": "https://ai.example.com",
            "timeZone": "UTC",
            "mailConfigured": False,
        },
        by="mia",
    ),
    "installation": Operation(
        "{ installation { database invitationDays passwordLinkMinutes settings { name value given secret } "
        "encryption { primary { id madeAt credentials } secondary { id } unreadable } } }",
        Role.ADMIN,
        TokenScope.READ,
        {},
        {
            "database": NEW,
            "invitationDays": 7,
            "passwordLinkMinutes": 60,
            "settings": NEW,
            "encryption": {
                "primary": {"id": key_id(bytes.fromhex("ab" * 32)), "madeAt": None, "credentials": 3},
                "secondary": None,
                "unreadable": 0,
            },
        },
    ),
    "auditEvents": Operation(
        "query ($first: Int! = 10, $after: String, $actor: ID, $action: String, $from: DateTime, $to: DateTime, "
        "$search: String) { auditEvents(first: $first, after: $after, actor: $actor, action: $action, from: $from, "
        "to: $to, search: $search) { totalCount pageInfo { hasNextPage } edges { cursor node { id at actorKind "
        "actorLabel action targetKind targetId targetLabel changes { field before after } } } } }",
        Role.ADMIN,
        TokenScope.READ,
        {"actor": "ada", "action": "group.create", "from": AT, "to": "2026-11-24T12:00:01Z", "search": "TEAM"},
        {
            "totalCount": 1,
            "pageInfo": {"hasNextPage": False},
            "edges": [
                {
                    "cursor": NEW,
                    "node": {
                        "id": NEW,
                        "at": AT,
                        "actorKind": "USER",
                        "actorLabel": "Ada Admin",
                        "action": "group.create",
                        "targetKind": "group",
                        "targetId": "team",
                        "targetLabel": "Team",
                        "changes": [{"field": "name", "before": None, "after": "Team"}],
                    },
                }
            ],
        },
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "after", after="nonsense"),
            bad("invalid_input", "from", **{"from": "yesterday"}),
            bad("invalid_input", "to", to=AT),
            bad("invalid_input", "search", search=LONG),
            bad("invalid_input", "action", action="a\0b"),
        ),
    ),
    "auditActions": Operation("{ auditActions }", Role.ADMIN, TokenScope.READ, {}, ["group.create"]),
    "jobs": Operation(
        "{ jobs { name running startedAt finishedAt dueAt failures error } }",
        Role.ADMIN,
        TokenScope.READ,
        {},
        [
            {
                "name": "housekeeping",
                "running": False,
                "startedAt": None,
                "finishedAt": None,
                "dueAt": AT,
                "failures": 0,
                "error": None,
            }
        ],
    ),
    "backendHealth": Operation(
        "{ backendHealth { providerId providerName providerModel serves { id slug alone } state restsUntil inFlight "
        "answered refused unreached brokeOff headMs lastFailure lastFailureAt } }",
        Role.ADMIN,
        TokenScope.READ,
        {},
        [
            {
                "providerId": "demo",
                "providerName": "Demo",
                "providerModel": "demo-fast",
                "serves": [{"id": "fast", "slug": "fast", "alone": True}],
                "state": "HEALTHY",
                "restsUntil": None,
                "inFlight": 0,
                "answered": 0,
                "refused": 0,
                "unreached": 0,
                "brokeOff": 0,
                "headMs": None,
                "lastFailure": None,
                "lastFailureAt": None,
            }
        ],
    ),
    "mailDeliveries": Operation(
        "query ($first: Int! = 10, $after: String, $status: MailStatus) "
        "{ mailDeliveries(first: $first, after: $after, status: $status) { totalCount pageInfo { hasNextPage } "
        "edges { cursor node { id kind recipient status attempts "
        "createdAt nextAttemptAt finishedAt error userId } } } }",
        Role.ADMIN,
        TokenScope.READ,
        {"status": "FAILED"},
        {
            "totalCount": 1,
            "pageInfo": {"hasNextPage": False},
            "edges": [
                {
                    "cursor": NEW,
                    "node": {
                        "id": "letter",
                        "kind": "INVITATION",
                        "recipient": "ivy@example.com",
                        "status": "FAILED",
                        "attempts": 3,
                        "createdAt": AT,
                        "nextAttemptAt": None,
                        "finishedAt": AT,
                        "error": "550 no",
                        "userId": "ivy",
                    },
                }
            ],
        },
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "after", after=LONG),
            bad("invalid_input", "status", status="LOST"),
        ),
    ),
    "retryMail": Operation(
        "mutation ($id: ID!) { retryMail(id: $id) { delivery { id } } }",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"id": "letter"},
        None,
        codes={"ada": "conflict", "token": "conflict"},
        refused=("conflict", "id"),
        faults=(bad("not_found", "id", id="none"), bad("invalid_input", "id", id="a\0b")),
    ),
    "sendTestMail": Operation(
        "mutation ($to: String!) { sendTestMail(to: $to) { to } }",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"to": "ada@example.com"},
        None,
        codes={"ada": "conflict", "token": "conflict"},
        refused=("conflict", None),
    ),
}
