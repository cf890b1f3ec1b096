"""What providers offer, and at which prices."""

from __future__ import annotations

from typing import Any

from edge_graphql.operations.catalog_rows import (
    CLASSES,
    FAST_LIST,
    FAST_OFFER,
    LIST,
    NOTHING,
    OFFER,
    PRICES,
    UNPRICED,
    classes,
    given,
    prices,
)
from edge_graphql.operations.operation import AT, LONG, NEW, Fault, Operation, bad
from sluicegate.adapters.demo.catalogue import MODELS
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role


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
}
