"""The models that callers name."""

from __future__ import annotations

from edge_graphql.operations.catalog_rows import (
    BACKENDS,
    FAST,
    FAST_PRICES,
    FIRST,
    MODEL,
    PRICES,
    SLOW,
    SLUGS,
    given,
)
from edge_graphql.operations.operation import LONG, NEW, Operation, bad
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role

OPERATIONS = {
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
