"""Who answers calls."""

from __future__ import annotations

from typing import Any

from edge_graphql.operations.catalog_rows import (
    ACME,
    OFFER,
    PRICES,
    PROVIDER,
    SECRET,
    UNPRICED,
    given,
)
from edge_graphql.operations.operation import LONG, NEW, Fault, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.user import Role


def provider_faults(**base: Any) -> tuple[Fault, ...]:
    urls = (
        "ftp://api.example.com",
        "api.example.com",
        "https://127.0.0.1/v1",
        "https://localhost/v1",
        "http://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/v1",
        "https://2130706433/v1",
        "https://user:secret@api.example.com",
        "https://api.example.com/v1?x=1",
        "https://api.example.com/../v1",
        "https://api.example.com#evil",
        "https://ex ample.com",
        LONG,
    )
    faults = [bad("invalid_input", "name", input={**base, "name": name}) for name in ("", LONG, "a\nb")]
    faults += [bad("invalid_input", "baseUrl", input={**base, "baseUrl": url}) for url in urls]
    faults += [bad("invalid_input", "credential", input={**base, "credential": text}) for text in ("a b", "ü", LONG)]
    faults += [bad("invalid_input", "organization", input={**base, "organization": text}) for text in ("a\r\nb", LONG)]
    faults += [
        bad("invalid_input", "apiVersion", input={**base, "apiVersion": text}) for text in ("2024-10-21", "1\r\n")
    ]
    for fault, field in (({"name": "Host", "value": "x"}, "name"), ({"name": "x-a", "value": "a\nb"}, "value")):
        faults.append(bad("invalid_input", f"headers.0.{field}", input={**base, "headers": [fault]}))
    factors = ("0", "-1", "1001", "0.0000001", "15%", "NaN")
    faults += [bad("invalid_input", "priceMultiplier", input={**base, "priceMultiplier": text}) for text in factors]
    return (*faults, bad("invalid_input", "region", input={**base, "region": LONG}))


OPERATIONS = {
    "providerKinds": Operation(
        "{ providerKinds { kind } }",
        Role.MEMBER,
        TokenScope.READ,
        {},
        [{"kind": kind.name} for kind in ProviderKind],
        by="mia",
    ),
    "providers": Operation(
        "query ($first: Int! = 10, $after: String, $search: String) { providers(first: $first, after: $after, "
        f"search: $search) {{ totalCount pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {PROVIDER} }} }} }}",
        Role.ADMIN,
        TokenScope.READ,
        {"search": "A_M"},
        {"totalCount": 0, "pageInfo": {"hasNextPage": False, "endCursor": None}, "edges": []},
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "first", first=101),
            bad("invalid_input", "after", after="?"),
            bad("invalid_input", "search", search=LONG),
        ),
    ),
    "provider": Operation(
        "query ($id: ID!) { provider(id: $id) { ...f models { ...o obstacle usedBy { slug } provider { id } "
        "catalogEntry { model } } } } "
        f"fragment f on Provider {PROVIDER} fragment o on ProviderModel {OFFER} {PRICES}",
        Role.ADMIN,
        TokenScope.READ,
        {"id": "acme"},
        {
            **ACME,
            "models": [
                {
                    **UNPRICED,
                    "obstacle": "No price is set",
                    "catalogEntry": None,
                    "usedBy": [],
                    "provider": {"id": "acme"},
                }
            ],
        },
        faults=(bad("invalid_input", "id", id="a\0b"),),
    ),
    "createProvider": Operation(
        f"mutation ($input: CreateProviderInput!) {{ createProvider(input: $input) {{ provider {PROVIDER} }} }}",
        Role.ADMIN,
        TokenScope.CATALOG,
        given(kind="OPENAI", name=" OpenAI ", credential=SECRET, organization="org-1"),
        {
            "provider": {
                **ACME,
                "id": NEW,
                "name": "OpenAI",
                "kind": "OPENAI",
                "baseUrl": None,
                "organization": "org-1",
                "credentialPrefix": NEW,
            }
        },
        faults=(
            *provider_faults(kind="CUSTOM_OPENAI", name="x", baseUrl="https://api.example.com", credential=SECRET),
            bad("conflict", "name", **given(kind="DEMO", name="ACME")),
            bad("invalid_input", "credential", **given(kind="OPENAI", name="x")),
            bad("invalid_input", "credential", **given(kind="OPENAI", name="x", credential="")),
            bad("invalid_input", "baseUrl", **given(kind="CUSTOM_OPENAI", name="x", credential=SECRET)),
            bad("invalid_input", "baseUrl", **given(kind="DEMO", name="x", baseUrl="https://api.example.com")),
            bad("invalid_input", "kind", **given(kind="COPPER", name="x")),
            bad("invalid_input", "name", **given(kind="DEMO")),
        ),
        audit=("provider.create", NEW),
    ),
    "updateProvider": Operation(
        f"mutation ($input: UpdateProviderInput!) {{ updateProvider(input: $input) {{ provider {PROVIDER} }} }}",
        Role.ADMIN,
        TokenScope.CATALOG,
        given(
            id="acme",
            enabled=False,
            organization="org-2",
            baseUrl="https://api.acme.example/v2/",
            priceMultiplier="0.850",
            headers=[{"name": "X-Team", "value": SECRET}],
        ),
        {
            "provider": ACME
            | {
                "priceMultiplier": "0.85",
                "headerNames": ["x-team"],
                "enabled": False,
                "organization": "org-2",
                "baseUrl": "https://api.acme.example/v2",
            }
        },
        faults=(
            *provider_faults(id="acme"),
            bad("not_found", "id", **given(id="none", name="x")),
            bad("conflict", "name", **given(id="acme", name="demo")),
            bad("invalid_input", "credential", **given(id="acme", baseUrl="https://evil.example/v1")),
            bad("invalid_input", "credential", **given(id="acme", credential=None)),
            bad("invalid_input", "name", **given(id="acme", name=None)),
            bad("invalid_input", "enabled", **given(id="acme", enabled=None)),
        ),
        audit=("provider.update", "acme"),
    ),
    "deleteProvider": Operation(
        "mutation ($id: ID!) { deleteProvider(id: $id) { id } }",
        Role.ADMIN,
        TokenScope.CATALOG,
        {"id": "demo"},
        {"id": "demo"},
        faults=(bad("not_found", "id", id="none"),),
        audit=("provider.delete", "demo"),
        then=(
            '{ provider(id: "demo") { id } model(id: "fast") { backends { id } } }',
            {"provider": None, "model": {"backends": []}},
        ),
    ),
    "testProvider": Operation(
        "mutation ($id: ID!) { testProvider(id: $id) { ok message latencyMs } }",
        Role.ADMIN,
        TokenScope.CATALOG,
        {"id": "demo"},
        {"ok": True, "message": "The demo provider answers inside this server.", "latencyMs": 0},
        faults=(bad("not_found", "id", id="none"),),
    ),
}
