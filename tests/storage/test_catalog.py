"""Providers, provider models and models as the database keeps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from sluicegate.domain.catalog import Backend, Model, ModelKind, ModelStatus, Provider, ProviderKind, ProviderModel
from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.domain.usage import LongContext, Prices
from sluicegate.kit.errors import Conflict
from sluicegate.ports.pages import PageRequest
from sluicegate.storage.engine import SqlStore
from sluicegate.storage.policy_source import SqlPolicySource
from storage.records import NOW

PROVIDER = Provider("p1", "OpenAI", ProviderKind.OPENAI, None, None, None, True, None, None, NOW)
LONG = LongContext(272_000, Prices(2_500_000_000, 250_000_000, None, None, 15_000_000_000))
PRICES = Prices(1_250_000_000, 125_000_000, None, None, 10_000_000_000, (LONG,))
PLAIN = ProviderModel("pm1", "p1", "gpt-5", ModelKind.CHAT, 400_000, 128_000, NOW)
TARGET = PLAIN.costing(PRICES, list_id="pl1")
OTHER = replace(PLAIN, id="pm2", name="gpt-5-mini").costing(Prices(), free=True, list_id="pl2")
MODEL = Model(
    "m1",
    "gpt-5",
    "GPT 5",
    ModelKind.CHAT,
    ModelStatus.ACTIVE,
    (Backend("b1", "pm1", 0, 3), Backend("b2", "pm2", 1, 1)),
    NOW,
)


async def fill(store: SqlStore) -> None:
    async with store.write() as tx:
        await tx.catalog.add_provider(PROVIDER)
        await tx.catalog.add_provider_model(TARGET)
        await tx.catalog.add_provider_model(OTHER)
        await tx.catalog.add_model(MODEL)


async def test_everything_comes_back_as_it_went_in(store: SqlStore) -> None:
    await fill(store)
    async with store.read() as tx:
        assert await tx.catalog.provider("p1") == PROVIDER
        assert await tx.catalog.provider_models(["pm1", "pm2", "pm3"]) == {"pm1": TARGET, "pm2": OTHER}
        assert await tx.catalog.models_of_providers(["p1", "p2"]) == {"p1": [TARGET, OTHER]}
        assert await tx.catalog.model("m1") == MODEL
        assert await tx.catalog.model_by_slug("gpt-5") == MODEL
        assert await tx.catalog.model_by_slug("gpt-6") is None


async def test_provider_names_are_found_and_unique_without_regard_to_case(store: SqlStore) -> None:
    await fill(store)
    async with store.read() as tx:
        assert await tx.catalog.provider_by_name("openAI") == PROVIDER
    # The services look first; where two look at once, PostgreSQL's refusal is told as theirs would be.
    with pytest.raises((IntegrityError, Conflict)):
        async with store.write() as tx:
            await tx.catalog.add_provider(replace(PROVIDER, id="p2", name="OPENAI"))


async def test_price_lists_come_with_their_model_oldest_first(store: SqlStore) -> None:
    await fill(store)
    first = TARGET.price_lists[0]
    coming = replace(first, id="pl9", starts_at=NOW + timedelta(hours=1), prices=Prices(1, output=2))
    # Of two that start at the same instant, the one that was made later counts.
    corrected = replace(first, id="pl3", prices=Prices(input=0))
    async with store.write() as tx:
        await tx.prices.add(coming)
        await tx.prices.add(corrected)
    async with store.read() as tx:
        found = await tx.catalog.provider_model("pm1")
        assert found == replace(TARGET, price_lists=(first, corrected, coming), current=corrected)
        assert (await tx.catalog.models_of_providers(["p1"]))["p1"] == [found, OTHER]
        assert await tx.prices.get_many(["pl3", "pl9", "none"]) == {"pl3": corrected, "pl9": coming}
    async with store.write() as tx:
        await tx.prices.delete("pl9")
    async with store.read() as tx:
        assert await tx.prices.get_many(["pl9"]) == {}


async def test_only_prices_in_force_and_to_come_are_read_for_serving(store: SqlStore) -> None:
    await fill(store)
    first = TARGET.price_lists[0]
    second, third, fourth = (replace(first, id=f"pl-{n}", starts_at=NOW + timedelta(hours=n)) for n in (1, 2, 3))
    async with store.write() as tx:
        for made in (third, second, fourth):
            await tx.prices.add(made)
    source = SqlPolicySource(store.engine)
    for hours, lists in ((0, (first, second, third, fourth)), (2, (third, fourth)), (9, (fourth,))):
        at = NOW + timedelta(hours=hours)
        found = (await source.catalog(at)).provider_models["pm1"]
        assert found == replace(TARGET, price_lists=lists, current=lists[0])
    assert (await source.catalog(NOW - timedelta(hours=1))).provider_models["pm1"].current is None


@pytest.mark.parametrize("whole", [True, False])
async def test_past_prices_outlive_their_model(store: SqlStore, *, whole: bool) -> None:
    await fill(store)
    coming = replace(TARGET.price_lists[0], id="pl9", starts_at=NOW + timedelta(days=4000))
    async with store.write() as tx:
        await tx.prices.add(coming)
        await (tx.catalog.delete_provider("p1") if whole else tx.catalog.delete_provider_model("pm1"))
    async with store.read() as tx:
        assert await tx.prices.get_many(["pl1", "pl9"]) == {"pl1": TARGET.price_lists[0]}


async def test_a_credential_is_kept_apart(store: SqlStore) -> None:
    await fill(store)
    later = NOW + timedelta(hours=1)
    async with store.write() as tx:
        await tx.catalog.set_sealed_credential("p1", "v1.a.b", "sk-123…", later)
    async with store.read() as tx:
        assert await tx.catalog.sealed_credential("p1") == "v1.a.b"
        expected = replace(PROVIDER, credential_prefix="sk-123…", credential_updated_at=later)
        assert await tx.catalog.provider("p1") == expected


async def test_backends_are_replaced_as_a_whole(store: SqlStore) -> None:
    await fill(store)
    changed = replace(MODEL, backends=(Backend("b3", "pm2", 0, 1),))
    async with store.write() as tx:
        await tx.catalog.replace_backends(changed)
        await tx.catalog.update_model("m1", status=ModelStatus.DISABLED)
    async with store.read() as tx:
        assert await tx.catalog.model("m1") == replace(changed, status=ModelStatus.DISABLED)


async def test_deleting_a_provider_takes_its_models_and_their_backends(store: SqlStore) -> None:
    await fill(store)
    async with store.write() as tx:
        await tx.catalog.delete_provider("p1")
    async with store.read() as tx:
        assert await tx.catalog.provider_models(["pm1", "pm2"]) == {}
        assert await tx.catalog.model("m1") == replace(MODEL, backends=())


async def test_deleting_a_model_takes_its_grants(store: SqlStore) -> None:
    await fill(store)
    team = Subject(SubjectKind.GROUP, "team")
    async with store.write() as tx:
        await tx.policy.add_grants(team, ["m1"], NOW)
        await tx.catalog.delete_model("m1")
    async with store.read() as tx:
        assert await tx.catalog.model("m1") is None
        assert await tx.policy.grants_of([team]) == []


async def test_pages_follow_the_name_and_miss_nobody(store: SqlStore) -> None:
    names = ["beta", "Alpha", "alpha 2", "Gamma", "delta"]
    async with store.write() as tx:
        for index, name in enumerate(names):
            await tx.catalog.add_provider(replace(PROVIDER, id=f"p{index}", name=name))
    seen: list[str] = []
    after: str | None = None
    async with store.read() as tx:
        while True:
            page = await tx.catalog.page_providers(None, PageRequest(2, after))
            seen += [provider.name for provider, _ in page.items]
            after = page.items[-1][1]
            if not page.has_next:
                break
        assert await tx.catalog.count_providers(None) == 5
    assert seen == ["Alpha", "alpha 2", "beta", "delta", "Gamma"]


@pytest.mark.parametrize(
    ("search", "kind", "status", "found"),
    [
        (None, None, None, ["a-1", "b_2", "c.3"]),
        ("  ", None, None, ["a-1", "b_2", "c.3"]),
        ("_", None, None, ["b_2"]),
        ("%", None, None, []),
        ("SECOND", None, None, ["b_2"]),
        (None, ModelKind.EMBEDDING, None, ["c.3"]),
        (None, None, ModelStatus.DRAFT, ["b_2"]),
        ("a", ModelKind.EMBEDDING, None, []),
    ],
)
async def test_models_are_filtered(
    store: SqlStore, search: str | None, kind: ModelKind | None, status: ModelStatus | None, found: list[str]
) -> None:
    plain = replace(MODEL, backends=(), display_name="")
    async with store.write() as tx:
        await tx.catalog.add_model(replace(plain, id="1", slug="a-1"))
        await tx.catalog.add_model(
            replace(plain, id="2", slug="b_2", display_name="The Second", status=ModelStatus.DRAFT)
        )
        await tx.catalog.add_model(replace(plain, id="3", slug="c.3", kind=ModelKind.EMBEDDING))
    async with store.read() as tx:
        page = await tx.catalog.page_models(search, kind, status, PageRequest())
        assert [model.slug for model, _ in page.items] == found
        assert await tx.catalog.count_models(search, kind, status) == len(found)
