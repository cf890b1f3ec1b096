"""Rules that look for secrets in what callers send."""

from __future__ import annotations

from edge_graphql.operations.operation import AT, LONG, NEW, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

PLAIN = "{ id name description pattern action check enabled template createdAt }"
RULE = PLAIN.replace("}", "version recentCalls }")
AWS = {
    "id": "aws",
    "name": "AWS access key ID",
    "description": "Of our cloud",
    "pattern": "AKIA[A-Z2-7]{16}",
    "action": "REDACT",
    "check": "NONE",
    "enabled": True,
    "template": None,
    "createdAt": AT,
    "version": 0,
    "recentCalls": 1,
}
AWS_PLAIN = {name: value for name, value in AWS.items() if name not in ("version", "recentCalls")}
BADGE = AWS_PLAIN | {
    "id": NEW,
    "name": "Badge",
    "description": "",
    "pattern": "BADGE-[0-9]{6}",
    "action": "BLOCK",
}
TRIAL = (
    "query ($text: String!, $draft: SecretRuleDraft) { secretRuleTrial(text: $text, draft: $draft) "
    "{ matches action sent fault position parts { text rules action } } }"
)
BAD_PATTERNS = ("", " ", "(", "a(?=b)", "(a)\\1", "a*", "x" * 1_001, "a\0b", "\\p{L}{900}", LONG)

OPERATIONS = {
    "secretRules": Operation(f"{{ secretRules {RULE} }}", Role.ADMIN, TokenScope.READ, {}, [AWS]),
    "secretRule": Operation(
        f"query ($id: ID!) {{ secretRule(id: $id) {RULE} }}",
        Role.ADMIN,
        TokenScope.READ,
        {"id": "aws"},
        AWS,
        faults=(bad("invalid_input", "id", id="a\0b"),),
    ),
    "secretRulePacks": Operation(
        "{ secretRulePacks { key name } }",
        Role.ADMIN,
        TokenScope.READ,
        {},
        [
            {"key": "keys", "name": "Keys and passwords"},
            {"key": "cloud", "name": "Cloud platforms"},
            {"key": "code", "name": "Code hosting and packages"},
            {"key": "models", "name": "AI providers"},
            {"key": "services", "name": "Services"},
            {"key": "payment", "name": "Payment"},
        ],
    ),
    "secretFindings": Operation(
        "query ($first: Int! = 10, $after: String, $ruleId: ID, $userId: ID, $action: SecretAction, $from: DateTime, "
        "$to: DateTime) { secretFindings(first: $first, after: $after, ruleId: $ruleId, userId: $userId, "
        "action: $action, from: $from, to: $to) { totalCount edges { node { at ruleId ruleName action matches "
        "userLabel keyLabel modelSlug callId user { id } } } } }",
        Role.ADMIN,
        TokenScope.READ,
        {"ruleId": "aws", "userId": "mia", "action": "REDACT", "from": AT, "to": "2026-11-24T12:00:01Z"},
        {
            "totalCount": 1,
            "edges": [
                {
                    "node": {
                        "at": AT,
                        "ruleId": "aws",
                        "ruleName": "AWS access key ID",
                        "action": "REDACT",
                        "matches": 2,
                        "userLabel": "Mia Member",
                        "keyLabel": "laptop",
                        "modelSlug": "fast",
                        "callId": "call",
                        "user": {"id": "mia"},
                    }
                }
            ],
        },
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "after", after="nonsense"),
            bad("invalid_input", "action", action="SHOUT"),
            bad("invalid_input", "to", to=AT),
            bad("invalid_input", "ruleId", ruleId="a\0b"),
        ),
    ),
    "secretRuleTrial": Operation(
        TRIAL,
        Role.ADMIN,
        TokenScope.READ,
        {"text": "café AKIAIOSFODNN7EXAMPLE!"},
        {
            "matches": 1,
            "action": "REDACT",
            "sent": "café [REDACTED: AWS access key ID]!",
            "fault": None,
            "position": None,
            "parts": [
                {"text": "café ", "rules": [], "action": None},
                {"text": "AKIAIOSFODNN7EXAMPLE", "rules": ["AWS access key ID"], "action": "REDACT"},
                {"text": "!", "rules": [], "action": None},
            ],
        },
        faults=(
            bad("invalid_input", "text", text="x" * 100_001),
            bad("invalid_input", "draft.pattern", draft={"action": "LOG"}),
            bad("invalid_input", "name", draft={"pattern": "x", "name": LONG}),
        ),
    ),
    "createSecretRule": Operation(
        f"mutation ($input: CreateSecretRuleInput!) {{ createSecretRule(input: $input) {{ rule {PLAIN} }} }}",
        Role.ADMIN,
        TokenScope.POLICY,
        {"input": {"name": " Badge ", "pattern": "BADGE-[0-9]{6}", "action": "BLOCK"}},
        {"rule": BADGE},
        then=(
            '{ secretRuleTrial(text: "x BADGE-123456") { action sent parts { text rules } } '
            'harmless: secretRuleTrial(text: "x BADGE-12345") { action sent } '
            'draft: secretRuleTrial(text: "x 12", draft: { pattern: "[0-9]+", name: "Digits" }) { action sent } '
            'flood: secretRuleTrial(text: "' + "1" * 20_001 + '", draft: { pattern: "[0-9]" }) { action sent } }',
            {
                "secretRuleTrial": {
                    "action": "BLOCK",
                    "sent": None,
                    "parts": [{"text": "x ", "rules": []}, {"text": "BADGE-123456", "rules": ["Badge"]}],
                },
                "harmless": {"action": None, "sent": "x BADGE-12345"},
                "draft": {"action": "REDACT", "sent": "x [REDACTED: Digits]"},
                "flood": {"action": "BLOCK", "sent": None},
            },
        ),
        faults=(
            *(
                bad("invalid_input", "pattern", input={"name": "x", "pattern": p, "action": "LOG"})
                for p in BAD_PATTERNS
                if p != " "
            ),
            bad("invalid_input", "name", input={"name": " ", "pattern": "x", "action": "LOG"}),
            bad("invalid_input", "name", input={"name": 'a"b', "pattern": "x", "action": "LOG"}),
            bad("invalid_input", "name", input={"name": LONG, "pattern": "x", "action": "LOG"}),
            bad("invalid_input", "action", input={"name": "x", "pattern": "x", "action": "SHOUT"}),
            bad(
                "invalid_input",
                "description",
                input={"name": "x", "pattern": "x", "action": "LOG", "description": LONG},
            ),
            bad("conflict", "name", input={"name": "aws ACCESS key id", "pattern": "x", "action": "LOG"}),
        ),
        audit=("secret_rule.create", NEW),
    ),
    "updateSecretRule": Operation(
        f"mutation ($input: UpdateSecretRuleInput!) {{ updateSecretRule(input: $input) {{ rule {PLAIN} }} }}",
        Role.ADMIN,
        TokenScope.POLICY,
        {"input": {"id": "aws", "action": "BLOCK", "enabled": False, "expectedVersion": 0}},
        {"rule": AWS_PLAIN | {"action": "BLOCK", "enabled": False}},
        then=('{ secretRule(id: "aws") { action version } }', {"secretRule": {"action": "BLOCK", "version": 1}}),
        faults=(
            bad("not_found", "id", input={"id": "none", "name": "x"}),
            bad("invalid_input", "name", input={"id": "aws", "name": None}),
            bad("invalid_input", "pattern", input={"id": "aws", "pattern": "("}),
            bad("invalid_input", "pattern", input={"id": "aws", "pattern": None}),
            bad("stale_version", "expectedVersion", input={"id": "aws", "name": "x", "expectedVersion": 7}),
        ),
        audit=("secret_rule.update", "aws"),
    ),
    "deleteSecretRule": Operation(
        "mutation ($id: ID!) { deleteSecretRule(id: $id) { id } }",
        Role.ADMIN,
        TokenScope.POLICY,
        {"id": "aws"},
        {"id": "aws"},
        then=(
            "{ secretRules { id } secretFindings { totalCount } }",
            {"secretRules": [], "secretFindings": {"totalCount": 1}},
        ),
        faults=(bad("not_found", "id", id="none"), bad("invalid_input", "id", id="a\0b")),
        audit=("secret_rule.delete", "aws"),
    ),
    "addSecretRulePack": Operation(
        "mutation ($input: AddSecretRulePackInput!) { addSecretRulePack(input: $input) "
        "{ rules { name template action } } }",
        Role.ADMIN,
        TokenScope.POLICY,
        {"input": {"pack": "cloud", "templates": ["aws-access-key-id"]}},
        {"rules": [{"name": "AWS access key ID 2", "template": "aws-access-key-id", "action": "REDACT"}]},
        faults=(
            bad("not_found", "pack", input={"pack": "none"}),
            bad("invalid_input", "templates", input={"pack": "cloud", "templates": ["jwt"]}),
            bad("invalid_input", "templates", input={"pack": "cloud", "templates": []}),
        ),
        audit=("secret_rule.create", NEW),
    ),
}
