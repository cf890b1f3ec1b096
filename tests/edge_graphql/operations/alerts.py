"""Alerts of budgets, and webhooks."""

from __future__ import annotations

from edge_graphql.operations.operation import AT, LONG, NEW, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

FIELDS = (
    "{ id subjectKind subjectId subjectLabel userId window period threshold cap spent blocks setByKind setById "
    "setByLabel at resetsAt }"
)
ALERT = {
    "id": "alert",
    "subjectKind": "USER",
    "subjectId": "mia",
    "subjectLabel": "Mia Member <mia@example.com>",
    "userId": "mia",
    "window": "DAY",
    "period": "2026-11-24",
    "threshold": 80,
    "cap": "5",
    "spent": "4",
    "blocks": False,
    "setByKind": "USER",
    "setById": "mia",
    "setByLabel": "Mia Member",
    "at": AT,
    "resetsAt": "2026-11-25T00:00:00.000Z",
}
HOOK = "{ id name url subjects enabled createdAt secretUpdatedAt }"
PAGER = {
    "id": "pager",
    "name": "Pager",
    "url": "https://127.0.0.1:1/hook",
    "subjects": ["USER"],
    "enabled": True,
    "createdAt": AT,
    "secretUpdatedAt": AT,
}
NEWS = {"name": " News ", "url": "https://news.example.com/in?a=b", "subjects": ["POOL", "USER"]}
BAD_URLS = (
    "",
    "news",
    "http://10.0.0.1/",
    "https://localhost/",
    "https://a.example/#x",
    "https://u:p@a.example/",
    LONG,
)

OPERATIONS = {
    "alerts": Operation(
        "query ($first: Int! = 10, $after: String, $subjectKind: SourceKind, $userId: ID, $groupId: ID) { alerts("
        "first: $first, after: $after, subjectKind: $subjectKind, userId: $userId, groupId: $groupId) "
        f"{{ totalCount pageInfo {{ hasNextPage }} edges {{ cursor node {FIELDS} }} }} }}",
        Role.ADMIN,
        TokenScope.READ,
        {"subjectKind": "USER", "userId": "mia"},
        {"totalCount": 1, "pageInfo": {"hasNextPage": False}, "edges": [{"cursor": NEW, "node": ALERT}]},
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "after", after="nonsense"),
            bad("invalid_input", "subjectKind", subjectKind="TEAM"),
            bad("invalid_input", "userId", userId="a\0b"),
        ),
    ),
    "alertNotices": Operation(
        "query ($first: Int! = 10, $after: String, $unread: Boolean! = true) { alertNotices(first: $first, "
        "after: $after, unread: $unread) { totalCount edges { node { readAt alert { id } } } } }",
        Role.MEMBER,
        TokenScope.READ,
        {},
        {"totalCount": 1, "edges": [{"node": {"readAt": None, "alert": {"id": "alert"}}}]},
        by="mia",
        faults=(bad("invalid_input", "first", first=101), bad("invalid_input", "after", after=LONG)),
    ),
    "alertSettings": Operation("{ alertSettings { admins } }", Role.ADMIN, TokenScope.READ, {}, {"admins": "SHARED"}),
    "webhooks": Operation(f"{{ webhooks {HOOK} }}", Role.ADMIN, TokenScope.READ, {}, [PAGER]),
    "webhookDeliveries": Operation(
        "query ($first: Int! = 10, $after: String, $webhookId: ID, $status: WebhookDeliveryStatus) { webhookDeliveries("
        "first: $first, after: $after, webhookId: $webhookId, status: $status) { totalCount edges { node { id "
        "webhookId kind alertId body status attempts responseStatus error createdAt nextAttemptAt finishedAt "
        "webhook { name } } } } }",
        Role.ADMIN,
        TokenScope.READ,
        {"webhookId": "pager", "status": "FAILED"},
        {
            "totalCount": 1,
            "edges": [
                {
                    "node": {
                        "id": "post",
                        "webhookId": "pager",
                        "kind": "ALERT",
                        "alertId": "alert",
                        "body": "{}",
                        "status": "FAILED",
                        "attempts": 9,
                        "responseStatus": 500,
                        "error": "Answered with 500.",
                        "createdAt": AT,
                        "nextAttemptAt": None,
                        "finishedAt": AT,
                        "webhook": {"name": "Pager"},
                    }
                }
            ],
        },
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "after", after="nonsense"),
            bad("invalid_input", "status", status="LOST"),
            bad("invalid_input", "webhookId", webhookId="a\0b"),
        ),
    ),
    "markAlertsRead": Operation(
        "mutation ($ids: [ID!]) { markAlertsRead(ids: $ids) { unread } }",
        Role.MEMBER,
        TokenScope.USERS,
        {"ids": ["alert"]},
        {"unread": 0},
        by="mia",
        faults=(bad("invalid_input", "ids", ids=["x"] * 101), bad("invalid_input", "ids.0", ids=["a\0b"])),
    ),
    "setAlertSettings": Operation(
        "mutation ($admins: AdminAlerts!) { setAlertSettings(admins: $admins) { admins } }",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"admins": "POOLS"},
        {"admins": "POOLS"},
        then=("{ alertSettings { admins } }", {"alertSettings": {"admins": "POOLS"}}),
        faults=(bad("invalid_input", "admins", admins="ALL"),),
        audit=("alerts.admins", "admins"),
    ),
    "createWebhook": Operation(
        f"mutation ($input: CreateWebhookInput!) {{ createWebhook(input: $input) {{ secret webhook {HOOK} }} }}",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"input": NEWS},
        {"secret": NEW, "webhook": PAGER | NEWS | {"id": NEW, "name": "News", "subjects": ["USER", "POOL"]}},
        faults=(
            *(bad("invalid_input", "url", input=NEWS | {"url": url}) for url in BAD_URLS),
            bad("invalid_input", "name", input=NEWS | {"name": " "}),
            bad("invalid_input", "name", input=NEWS | {"name": LONG}),
            bad("invalid_input", "subjects", input=NEWS | {"subjects": []}),
            bad("invalid_input", "subjects", input=NEWS | {"subjects": ["GROUP"]}),
        ),
        audit=("webhook.create", NEW),
    ),
    "updateWebhook": Operation(
        f"mutation ($input: UpdateWebhookInput!) {{ updateWebhook(input: $input) {{ webhook {HOOK} }} }}",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"input": {"id": "pager", "name": "Siren", "enabled": False}},
        {"webhook": PAGER | {"name": "Siren", "enabled": False}},
        faults=(
            bad("not_found", "id", input={"id": "none", "name": "x"}),
            bad("invalid_input", "name", input={"id": "pager", "name": None}),
            bad("invalid_input", "url", input={"id": "pager", "url": "https://127.0.0.1/"}),
            bad("invalid_input", "subjects", input={"id": "pager", "subjects": None}),
            bad("invalid_input", "id", input={"id": "a\0b"}),
        ),
        audit=("webhook.update", "pager"),
    ),
    "rotateWebhookSecret": Operation(
        f"mutation ($id: ID!) {{ rotateWebhookSecret(id: $id) {{ secret webhook {HOOK} }} }}",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"id": "pager"},
        {"secret": NEW, "webhook": PAGER},
        faults=(bad("not_found", "id", id="none"), bad("invalid_input", "id", id="a\0b")),
        audit=("webhook.rotate_secret", "pager"),
    ),
    "deleteWebhook": Operation(
        "mutation ($id: ID!) { deleteWebhook(id: $id) { id } }",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"id": "pager"},
        {"id": "pager"},
        then=(
            "{ webhooks { id } webhookDeliveries { totalCount } }",
            {"webhooks": [], "webhookDeliveries": {"totalCount": 0}},
        ),
        faults=(bad("not_found", "id", id="none"), bad("invalid_input", "id", id="a\0b")),
        audit=("webhook.delete", "pager"),
    ),
    "testWebhook": Operation(
        "mutation ($id: ID!) { testWebhook(id: $id) { delivery { kind status attempts responseStatus error } } }",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"id": "pager"},
        {"delivery": {"kind": "TEST", "status": "FAILED", "attempts": 1, "responseStatus": None, "error": NEW}},
        faults=(bad("not_found", "id", id="none"), bad("invalid_input", "id", id="a\0b")),
        audit=("webhook.test", "pager"),
    ),
    "retryWebhookDelivery": Operation(
        "mutation ($id: ID!) { retryWebhookDelivery(id: $id) { delivery { id status attempts } } }",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"id": "post"},
        {"delivery": {"id": "post", "status": "QUEUED", "attempts": 9}},
        faults=(bad("not_found", "id", id="none"), bad("invalid_input", "id", id="a\0b")),
        audit=("webhook.retry", "pager"),
    ),
}
