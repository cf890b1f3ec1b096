"""Providers, what they offer, and the models that callers name."""

from __future__ import annotations

from typing import Any

from edge_graphql.operations.operation import AT, LONG, NEW, Fault, Operation, bad
from sluicegate.adapters.demo.catalogue import MODELS
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.user import Role

PROVIDER = (
    "{ id name kind baseUrl organization region apiVersion priceMultiplier headerNames enabled credentialPrefix "
    "credentialUpdatedAt createdAt }"
)
OFFER = "{ id name kind prices { ...p } charged { ...p } own free priced contextWindow maxOutputTokens createdAt }"
LIST = "id startsAt endsAt status prices { ...p } charged { ...p } own multiplier free createdAt"
CLASSES = "input cacheRead cacheWrite5m cacheWrite1h output"
PRICES = f"fragment p on Prices {{ {CLASSES} longContext {{ above {CLASSES} }} }}"
MODEL = "{ id slug displayName kind status createdAt }"
BACKENDS = "{ id priority weight providerModel { id } }"
SECRET = "sk-0123456789abcdef"

ACME = {
    "id": "acme",
    "name": "Acme",
    "kind": "CUSTOM_OPENAI",
    "baseUrl": "https://api.acme.example/v1",
    "organization": None,
    "region": None,
    "apiVersion": None,
    "priceMultiplier": "1",
    "headerNames": [],
    "enabled": True,
    "credentialPrefix": "sk-acm…",
    "credentialUpdatedAt": AT,
    "createdAt": AT,
}
DEMO = ACME | {
    "id": "demo",
    "name": "Demo",
    "kind": "DEMO",
    "baseUrl": None,
    "credentialPrefix": None,
    "credentialUpdatedAt": None,
}


def prices(**known: str) -> dict[str, Any]:
    return {**classes(**known), "longContext": []}


def classes(**known: str) -> dict[str, Any]:
    return dict.fromkeys(CLASSES.split()) | known


FAST_PRICES = {
    **prices(input="0.25", cacheRead="0.025", output="1.25"),
    "longContext": [{"above": 200_000, **classes(input="0.5", output="2.5")}],
}
NOTHING = {**classes(**dict.fromkeys(CLASSES.split(), "0")), "longContext": []}
FAST_OFFER = {
    "id": "offer",
    "name": "demo-fast",
    "kind": "CHAT",
    "prices": FAST_PRICES,
    "charged": FAST_PRICES,
    "own": False,
    "free": False,
    "priced": True,
    "contextWindow": 128_000,
    "maxOutputTokens": 8_000,
    "createdAt": AT,
}
FAST_LIST = {
    "id": "list",
    "startsAt": AT,
    "endsAt": None,
    "status": "CURRENT",
    "prices": FAST_PRICES,
    "charged": FAST_PRICES,
    "own": False,
    "multiplier": "1",
    "free": False,
    "createdAt": AT,
}
UNPRICED = FAST_OFFER | {
    "id": "unpriced",
    "name": "acme-large",
    "prices": prices(),
    "charged": prices(),
    "priced": False,
    "contextWindow": None,
    "maxOutputTokens": None,
}
FAST = {"id": "fast", "slug": "fast", "displayName": "Fast", "kind": "CHAT", "status": "ACTIVE", "createdAt": AT}
SLOW = FAST | {"id": "slow", "slug": "slow", "displayName": "", "status": "DRAFT"}
NO_MORE = {"provider": {"id": "acme"}, "catalogEntry": None}
FIRST = {"providerModelId": "offer"}
SLUGS = ("", " fast", "two words", "Fast", "über", "-x", "x-", "a/b", "a_b", "x" * 101, LONG)


def given(**values: Any) -> dict[str, Any]:
    return {"input": values}


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


def price_faults(**base: Any) -> tuple[Fault, ...]:
    absurd = ("-1", "NaN", "-Infinity", "1e99", "0.0000000001", "1000000001", "free", 3, True)
    names = CLASSES.split()
    faults = [
        bad("invalid_input", f"prices.{names[i % 5]}", input={**base, "prices": {names[i % 5]: value}})
        for i, value in enumerate(absurd)
    ]
    for tier, field in (
        ({"above": 0, "input": "1", "output": "1"}, "above"),
        ({"above": -1, "input": "1", "output": "1"}, "above"),
        ({"above": "many", "input": "1", "output": "1"}, "above"),
        ({"above": 9, "output": "1"}, "input"),
        ({"above": 9, "input": "1", "output": "1", "cacheRead": "-1"}, "cacheRead"),
    ):
        given_prices = {"input": "1", "output": "1", "longContext": [tier]}
        faults.append(bad("invalid_input", f"prices.longContext.0.{field}", input={**base, "prices": given_prices}))
    for name in ("contextWindow", "maxOutputTokens"):
        faults += [bad("invalid_input", name, input={**base, name: value}) for value in (0, -1, 2**31 - 1, 2**40, 1.5)]
    return tuple(faults)


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
    "priceCatalog": Operation(
        "query ($kind: ProviderKind!) { priceCatalog(kind: $kind) { publishedOn refreshed entries { model kind source "
        "asOf contextWindow maxOutputTokens capabilities prices { input } } } }",
        Role.ADMIN,
        TokenScope.READ,
        {"kind": "DEMO"},
        {"publishedOn": NEW, "refreshed": False, "entries": []},
        faults=(bad("invalid_input", "kind", kind="COPPER"),),
    ),
    "listProviderOffers": Operation(
        "mutation ($id: ID!) { listProviderOffers(id: $id) { ok message offers { name kind added contextWindow "
        "maxOutputTokens prices { input } catalogEntry { model } } } }",
        Role.ADMIN,
        TokenScope.CATALOG,
        {"id": "demo"},
        {
            "ok": True,
            "message": "The provider answered with its model list.",
            "offers": [
                {
                    "name": name,
                    "kind": "EMBEDDING" if model.embeds else "CHAT",
                    "added": name == "demo-fast",
                    "contextWindow": None,
                    "maxOutputTokens": None,
                    "prices": None,
                    "catalogEntry": None,
                }
                for name, model in sorted(MODELS.items())
            ],
        },
        faults=(bad("not_found", "id", id="none"),),
    ),
    "importProviderModels": Operation(
        "mutation ($input: ImportProviderModelsInput!) { importProviderModels(input: $input) { skipped "
        f"providerModels {OFFER} }} }} {PRICES}",
        Role.ADMIN,
        TokenScope.CATALOG,
        given(providerId="acme", models=[{"name": "acme-large"}, {"name": "acme-small"}]),
        {"skipped": ["acme-large"], "providerModels": [UNPRICED | {"id": NEW, "name": "acme-small"}]},
        faults=(
            bad("invalid_input", "models", **given(providerId="acme", models=[])),
            bad("invalid_input", "models.0.name", **given(providerId="acme", models=[{"name": ""}])),
            bad(
                "invalid_input",
                "models.1.prices.input",
                **given(providerId="acme", models=[{"name": "a"}, {"name": "b", "prices": {"input": "-1"}}]),
            ),
            bad("not_found", "providerId", **given(providerId="none", models=[{"name": "a"}])),
        ),
        audit=("provider_model.create", NEW),
    ),
    "createProviderModel": Operation(
        "mutation ($input: CreateProviderModelInput!) { createProviderModel(input: $input) "
        f"{{ providerModel {OFFER} }} }} {PRICES}",
        Role.ADMIN,
        TokenScope.CATALOG,
        given(providerId="acme", name=" acme-small ", prices={"input": "0", "output": "0.000000001"}, contextWindow=1),
        {
            "providerModel": UNPRICED
            | {
                "id": NEW,
                "name": "acme-small",
                "prices": prices(input="0", output="0.000000001"),
                "charged": prices(input="0", output="0.000000001"),
                "priced": True,
                "contextWindow": 1,
            }
        },
        faults=(
            *price_faults(providerId="acme", name="x"),
            *(bad("invalid_input", "name", **given(providerId="acme", name=name)) for name in ("", LONG, "a\nb")),
            bad("not_found", "providerId", **given(providerId="none", name="x")),
            bad("conflict", "name", **given(providerId="acme", name="acme-large")),
            bad("invalid_input", "kind", **given(providerId="acme", name="x", kind="IMAGE")),
        ),
        audit=("provider_model.create", NEW),
    ),
    "updateProviderModel": Operation(
        "mutation ($input: UpdateProviderModelInput!) { updateProviderModel(input: $input) "
        f"{{ providerModel {OFFER} }} }} {PRICES}",
        Role.ADMIN,
        TokenScope.CATALOG,
        given(id="offer", prices=None, free=True, contextWindow=None),
        {"providerModel": FAST_OFFER | {"prices": prices(), "charged": NOTHING, "free": True, "contextWindow": None}},
        faults=(
            *price_faults(id="offer"),
            bad("not_found", "id", **given(id="none", free=True)),
            bad("invalid_input", "free", **given(id="offer", free=None)),
            bad("invalid_input", "free", **given(id="offer", free="yes")),
        ),
        audit=("provider_model.update", "offer"),
    ),
    "schedulePrices": Operation(
        "mutation ($input: SchedulePricesInput!) { schedulePrices(input: $input) { providerModel { id priced "
        f"priceLists {{ {LIST} }} }} }} }} {PRICES}",
        Role.ADMIN,
        TokenScope.CATALOG,
        given(
            providerModelId="offer",
            startsAt="2026-12-01T00:00:00Z",
            prices={"input": "1", "output": "2", "longContext": [{"above": 200_000, "input": "2", "output": "3"}]},
            own=True,
        ),
        {
            "providerModel": {
                "id": "offer",
                "priced": True,
                "priceLists": [
                    {
                        "id": NEW,
                        "startsAt": "2026-12-01T00:00:00.000Z",
                        "endsAt": None,
                        "status": "COMING",
                        "prices": {
                            **classes(input="1", output="2"),
                            "longContext": [{"above": 200_000, **classes(input="2", output="3")}],
                        },
                        "charged": {
                            **classes(input="1", output="2"),
                            "longContext": [{"above": 200_000, **classes(input="2", output="3")}],
                        },
                        "own": True,
                        "multiplier": "1",
                        "free": False,
                        "createdAt": AT,
                    },
                    FAST_LIST | {"endsAt": "2026-12-01T00:00:00.000Z"},
                ],
            }
        },
        faults=(
            *(
                bad(
                    "invalid_input",
                    f"prices.{name}",
                    **given(providerModelId="offer", startsAt="2026-12-01T00:00:00Z", prices={name: "-1"}),
                )
                for name in CLASSES.split()
            ),
            *(
                bad("invalid_input", "startsAt", **given(providerModelId="offer", startsAt=at, free=True))
                for at in (AT, "2026-11-24", "2036-11-24T00:00:00Z", "soon", 5)
            ),
            bad("invalid_input", "prices", **given(providerModelId="offer", startsAt="2026-12-01T00:00:00Z")),
            bad(
                "not_found",
                "providerModelId",
                **given(providerModelId="none", startsAt="2026-12-01T00:00:00Z", free=True),
            ),
        ),
        audit=("provider_model.schedule_prices", "offer"),
    ),
    "withdrawPrices": Operation(
        "mutation ($id: ID!) { withdrawPrices(id: $id) { providerModel { id priceLists { id } } } }",
        Role.ADMIN,
        TokenScope.CATALOG,
        {"id": "coming"},
        {"providerModel": {"id": "unpriced", "priceLists": []}},
        faults=(bad("not_found", "id", id="none"), bad("invalid_input", "id", id="list")),
        audit=("provider_model.withdraw_prices", "unpriced"),
    ),
    "deleteProviderModel": Operation(
        "mutation ($id: ID!) { deleteProviderModel(id: $id) { id } }",
        Role.ADMIN,
        TokenScope.CATALOG,
        {"id": "offer"},
        {"id": "offer"},
        faults=(bad("not_found", "id", id="none"),),
        audit=("provider_model.delete", "offer"),
        then=('{ model(id: "fast") { backends { id } } }', {"model": {"backends": []}}),
    ),
    "models": Operation(
        "query ($first: Int! = 10, $after: String, $search: String, $kind: ModelKind, $status: ModelStatus) "
        "{ models(first: $first, after: $after, search: $search, kind: $kind, status: $status) { totalCount "
        f"edges {{ cursor node {{ ...m backends {BACKENDS} }} }} }} }} fragment m on Model {MODEL}",
        Role.ADMIN,
        TokenScope.READ,
        {"kind": "CHAT"},
        {
            "totalCount": 2,
            "edges": [
                {
                    "cursor": NEW,
                    "node": {
                        **FAST,
                        "backends": [{"id": "backend", "priority": 0, "weight": 1, "providerModel": {"id": "offer"}}],
                    },
                },
                {"cursor": NEW, "node": {**SLOW, "backends": []}},
            ],
        },
        faults=(
            bad("invalid_input", "first", first=0),
            bad("invalid_input", "after", after="e30="),
            bad("invalid_input", "search", search=LONG),
            bad("invalid_input", "kind", kind="IMAGE"),
            bad("invalid_input", "status", status="GONE"),
        ),
    ),
    "model": Operation(
        "query ($id: ID!) { model(id: $id) { ...m grants(first: 5) { totalCount edges { node { user { id } "
        f"group {{ id }} }} }} }} }} }} fragment m on Model {MODEL}",
        Role.ADMIN,
        TokenScope.READ,
        {"id": "fast"},
        {
            **FAST,
            "grants": {
                "totalCount": 2,
                "edges": [
                    {"node": {"user": None, "group": {"id": "team"}}},
                    {"node": {"user": {"id": "mia"}, "group": None}},
                ],
            },
        },
        faults=(bad("invalid_input", "id", id="a\0b"),),
    ),
    "availableModels": Operation(
        "{ availableModels { slug displayName kind provider contextWindow maxOutputTokens prices { ...p } free } } "
        f"{PRICES}",
        Role.MEMBER,
        TokenScope.READ,
        {},
        [
            {
                "slug": "fast",
                "displayName": "Fast",
                "kind": "CHAT",
                "provider": "Demo",
                "contextWindow": 128_000,
                "maxOutputTokens": 8_000,
                "prices": FAST_PRICES,
                "free": False,
            }
        ],
        by="mia",
    ),
    "createModel": Operation(
        f"mutation ($input: CreateModelInput!) {{ createModel(input: $input) {{ model {MODEL} }} }}",
        Role.ADMIN,
        TokenScope.CATALOG,
        given(slug="claude-4.5", displayName=" Claude ", status="ACTIVE", backends=[{"providerModelId": "offer"}]),
        {"model": FAST | {"id": NEW, "slug": "claude-4.5", "displayName": "Claude"}},
        faults=(
            *(bad("invalid_input", "slug", **given(slug=slug)) for slug in SLUGS),
            bad("conflict", "slug", **given(slug="fast")),
            bad("invalid_input", "displayName", **given(slug="x", displayName=LONG)),
            bad("invalid_input", "displayName", **given(slug="x", displayName="a\0b")),
            bad("invalid_input", "backends", **given(slug="x", status="ACTIVE")),
            bad("invalid_input", "backends", **given(slug="x", backends=[{"providerModelId": "offer"}] * 2)),
            bad(
                "invalid_input",
                "backends",
                **given(slug="x", backends=[{"providerModelId": f"{n}"} for n in range(21)]),
            ),
            bad(
                "invalid_input",
                "backends",
                **given(slug="x", kind="EMBEDDING", backends=[{"providerModelId": "offer"}]),
            ),
            bad("not_found", "backends.0.providerModelId", **given(slug="x", backends=[{"providerModelId": "none"}])),
            *(
                bad(
                    "invalid_input",
                    f"backends.0.{name}",
                    **given(slug="x", backends=[FIRST | {name: value}]),
                )
                for name, value in (
                    ("priority", -1),
                    ("priority", 1001),
                    ("weight", 0),
                    ("weight", 1001),
                    ("weight", 2**40),
                    ("weight", float("nan")),
                )
            ),
        ),
        audit=("model.create", NEW),
    ),
    "updateModel": Operation(
        f"mutation ($input: UpdateModelInput!) {{ updateModel(input: $input) {{ model {MODEL} }} }}",
        Role.ADMIN,
        TokenScope.CATALOG,
        given(id="fast", slug="faster", status="DISABLED"),
        {"model": FAST | {"slug": "faster", "status": "DISABLED"}},
        faults=(
            *(bad("invalid_input", "slug", **given(id="fast", slug=slug)) for slug in SLUGS),
            bad("not_found", "id", **given(id="none", slug="x")),
            bad("conflict", "slug", **given(id="fast", slug="slow")),
            bad("invalid_input", "slug", **given(id="fast", slug=None)),
            bad("invalid_input", "status", **given(id="fast", status=None)),
            bad("invalid_input", "backends", **given(id="fast", backends=[])),
            bad("invalid_input", "backends", **given(id="slow", status="ACTIVE")),
            bad("invalid_input", "kind", **given(id="fast", kind="EMBEDDING")),
        ),
        audit=("model.update", "fast"),
    ),
    "deleteModel": Operation(
        "mutation ($id: ID!) { deleteModel(id: $id) { id } }",
        Role.ADMIN,
        TokenScope.CATALOG,
        {"id": "fast"},
        {"id": "fast"},
        faults=(bad("not_found", "id", id="none"),),
        audit=("model.delete", "fast"),
        then=(
            '{ user(id: "mia") { grants { id } inheritedGrants { id } } }',
            {"user": {"grants": [], "inheritedGrants": []}},
        ),
    ),
}
