"""Single sign-on."""

from __future__ import annotations

from edge_graphql.operations.operation import AT, LONG, NEW, Fault, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

FIELDS = (
    "{ enabled issuer clientId clientSecretUpdatedAt label scopes groupsClaim createsPeople domains "
    "membersUsePasswords trustsEmail adminValues mappings { value groupId group { name } } redirectUrl version }"
)
SET_UP = {
    "enabled": True,
    "issuer": "https://id.example.com",
    "clientId": "gate",
    "clientSecretUpdatedAt": AT,
    "label": "Company",
    "scopes": ["groups"],
    "groupsClaim": "groups",
    "createsPeople": True,
    "domains": ["example.com"],
    "membersUsePasswords": True,
    "trustsEmail": False,
    "adminValues": ["admins"],
    "mappings": [{"value": "devs", "groupId": "team", "group": {"name": "Team"}}],
    "redirectUrl": "https://ai.example.com/auth/sso/callback",
    "version": 0,
}
UPDATE = (
    f"mutation ($input: UpdateSingleSignOnInput!) {{ updateSingleSignOn(input: $input) {{ singleSignOn {FIELDS} }} }}"
)
ROW = {"value": "ops", "groupId": "empty"}


def _bad(field: str, value: object, code: str = "invalid_input", at: str | None = None) -> Fault:
    return bad(code, at or field, input={field: value})


OPERATIONS = {
    "singleSignOn": Operation(f"{{ singleSignOn {FIELDS} }}", Role.ADMIN, TokenScope.READ, {}, SET_UP),
    "updateSingleSignOn": Operation(
        UPDATE,
        Role.ADMIN,
        TokenScope.SETTINGS,
        {
            "input": {
                "issuer": " https://login.example.com/tenant/ ",
                "clientId": "other",
                "clientSecret": " new secret ",
                "label": " Acme ",
                "scopes": ["openid", "roles"],
                "groupsClaim": "realm_access.roles",
                "createsPeople": False,
                "domains": ["@Example.ORG"],
                "membersUsePasswords": False,
                "trustsEmail": True,
                "enabled": False,
                "expectedVersion": 0,
            }
        },
        {
            "singleSignOn": SET_UP
            | {
                "issuer": "https://login.example.com/tenant/",
                "clientId": "other",
                "label": "Acme",
                "scopes": ["roles"],
                "groupsClaim": "realm_access.roles",
                "createsPeople": False,
                "domains": ["example.org"],
                "membersUsePasswords": False,
                "trustsEmail": True,
                "enabled": False,
                "version": 1,
            }
        },
        codes={"token": "forbidden"},
        faults=(
            _bad("issuer", "id.example.com"),
            _bad("issuer", "http://id.example.com"),
            _bad("issuer", "https://10.0.0.1/"),
            _bad("issuer", "https://localhost/realms/a"),
            _bad("issuer", "https://id.example.com/?tenant=a"),
            _bad("issuer", LONG),
            _bad("issuer", None),
            _bad("issuer", "https://elsewhere.example.com", at="clientSecret"),
            _bad("issuer", "", at="clientSecret"),
            bad("conflict", "issuer", input={"issuer": "", "clientSecret": None}),
            _bad("clientId", "", "conflict"),
            _bad("clientId", "a\u0007"),
            _bad("clientId", LONG),
            _bad("clientSecret", ""),
            _bad("clientSecret", LONG),
            _bad("clientSecret", "ключ"),
            _bad("label", LONG),
            _bad("label", "a\u202eb"),
            _bad("scopes", ["two scopes"]),
            _bad("scopes", [""]),
            _bad("scopes", [f"s{n}" for n in range(51)]),
            _bad("scopes", None),
            _bad("groupsClaim", " "),
            _bad("groupsClaim", LONG),
            _bad("domains", ["example"]),
            _bad("domains", ["a b.example"]),
            _bad("enabled", None),
            bad("stale_version", "expectedVersion", input={"label": "X", "expectedVersion": 7}),
        ),
        audit=("sso.update", "sso"),
    ),
    "setSsoMapping": Operation(
        f"mutation ($input: SetSsoMappingInput!) {{ setSsoMapping(input: $input) {{ singleSignOn {FIELDS} }} }}",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {
            "input": {
                "mappings": [ROW, {"value": " devs ", "groupId": "empty"}, ROW],
                "adminValues": ["root", "root"],
                "expectedVersion": 0,
            }
        },
        {
            "singleSignOn": SET_UP
            | {
                "adminValues": ["root"],
                "mappings": [
                    {"value": "devs", "groupId": "empty", "group": {"name": "Empty"}},
                    {"value": "ops", "groupId": "empty", "group": {"name": "Empty"}},
                ],
                "version": 1,
            }
        },
        codes={"token": "forbidden"},
        faults=(
            bad("not_found", "mappings", input={"mappings": [{"value": "a", "groupId": "none"}]}),
            bad("invalid_input", "mappings", input={"mappings": [{"value": " ", "groupId": "team"}]}),
            bad("invalid_input", "mappings", input={"mappings": [{"value": LONG, "groupId": "team"}]}),
            bad("invalid_input", "mappings", input={"mappings": [ROW] * 501}),
            bad("invalid_input", "adminValues", input={"mappings": [], "adminValues": [""]}),
            bad("invalid_input", "adminValues", input={"mappings": [], "adminValues": ["a\u0007"]}),
            bad("stale_version", "expectedVersion", input={"mappings": [], "expectedVersion": 7}),
        ),
        audit=("sso.set_mapping", "sso"),
    ),
    "testSingleSignOn": Operation(
        "mutation ($issuer: String) { testSingleSignOn(issuer: $issuer) { problems notes } }",
        Role.ADMIN,
        TokenScope.SETTINGS,
        {"issuer": "https://id.invalid"},
        {"problems": [NEW], "notes": []},
        codes={"token": "forbidden"},
        faults=(
            bad("invalid_input", "issuer", issuer=""),
            bad("invalid_input", "issuer", issuer="https://127.0.0.1/"),
            bad("invalid_input", "issuer", issuer=LONG),
        ),
    ),
    "unlinkIdentity": Operation(
        "mutation ($id: ID!) { unlinkIdentity(id: $id) { user { id email } } }",
        Role.ADMIN,
        TokenScope.USERS,
        {"id": "mia-identity"},
        {"user": {"id": "mia", "email": "mia@example.com"}},
        faults=(bad("not_found", "id", id="none"), bad("invalid_input", "id", id="a\0b")),
        audit=("sso.unlink", "mia"),
        then=(
            '{ user(id: "noor") { identities { id issuer subject email linkedAt lastUsedAt } lastSignIn { at way } } }',
            {
                "user": {
                    "identities": [
                        {
                            "id": "noor-identity",
                            "issuer": "https://id.example.com",
                            "subject": "noor-subject",
                            "email": "noor@example.com",
                            "linkedAt": AT,
                            "lastUsedAt": AT,
                        }
                    ],
                    "lastSignIn": {"at": AT, "way": "SSO"},
                }
            },
        ),
    ),
}
