"""Providers, what they offer, and models: what is taken, what is kept, what is never shown."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from fakes.identity import Site
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import (
    Backend,
    Model,
    ModelKind,
    ModelStatus,
    Protocol,
    Provider,
    ProviderKind,
    ProviderModel,
    obstacle_to,
)
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.usage import LongContext, Prices
from sluicegate.domain.user import Role
from sluicegate.kit.errors import AppError, Conflict, Forbidden, InvalidInput, NotFound
from sluicegate.kit.secret import Secret
from sluicegate.policy.compile import Opened, compile_model
from sluicegate.ports.pages import PageRequest
from sluicegate.services.absent import ABSENT
from sluicegate.services.caller import Caller
from sluicegate.services.models import ModelChange, ModelFilter, ModelService, NewBackend, NewModel
from sluicegate.services.provider_models import NewProviderModel, ProviderModelChange, ProviderModelService
from sluicegate.services.providers import NewProvider, ProviderChange, ProviderService

CREDENTIAL = Secret("sk-proj-0123456789abcdefghij")
CATALOG = PolicyChange(ChangeKind.CATALOG)


def tiered(*tiers: tuple[int, Prices]) -> Prices:
    return Prices(1, output=1, long_context=tuple(LongContext(above, prices) for above, prices in tiers))


class Stage:
    def __init__(self, site: Site, admin: Caller, member: Caller) -> None:
        self.site, self.admin, self.member = site, admin, member
        self.vault = EnvelopeVault(b"k" * 32)
        self.providers = ProviderService(site.store, self.vault, site.clock, allow_private=False)
        self.offers = ProviderModelService(site.store, site.clock)
        self.models = ModelService(site.store, site.clock)

    async def openai(self, **values: Any) -> Provider:
        plain: dict[str, Any] = {"kind": ProviderKind.OPENAI, "name": "OpenAI", "credential": CREDENTIAL}
        return await self.providers.create(self.admin, NewProvider(**plain | values))

    async def offer(self, provider: Provider, name: str = "gpt-5", **values: Any) -> ProviderModel:
        return await self.offers.create(self.admin, NewProviderModel(provider.id, name, **values))

    async def audit(self) -> list[tuple[str, str, Any, Any]]:
        statement = text("SELECT action, target_label, before, after FROM audit_events ORDER BY id")
        async with self.site.store.engine.connect() as connection:
            rows = (await connection.execute(statement)).all()
        return [(r[0], r[1], *(json.loads(x) if isinstance(x, str) else x for x in r[2:])) for r in rows]

    def told(self) -> list[PolicyChange]:
        told, self.site.feed.published = self.site.feed.published, []
        return told


@pytest.fixture
async def stage(site: Site) -> Stage:
    return Stage(site, await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com"))


# Providers


async def test_a_provider_is_made_with_its_credential_sealed(stage: Stage) -> None:
    provider = await stage.openai(base_url=" https://EU.api.openai.com/v1/ ", organization=" org-1 ")

    assert provider == await stage.providers.get(stage.admin, provider.id)
    assert (provider.base_url, provider.organization) == ("https://eu.api.openai.com/v1", "org-1")
    assert (provider.credential_prefix, provider.credential_updated_at) == ("sk-pro…", stage.site.clock.now())
    async with stage.site.store.read() as tx:
        sealed = await tx.catalog.sealed_credential(provider.id)
    assert sealed is not None
    assert CREDENTIAL.reveal() not in sealed
    assert stage.vault.unseal(sealed, f"provider:{provider.id}") == CREDENTIAL
    assert stage.told() == [CATALOG]


async def test_no_credential_reaches_the_audit_log(stage: Stage) -> None:
    provider = await stage.openai()
    other = Secret("sk-proj-ZYXWVUTSRQPONMLKJIHG")
    await stage.providers.update(stage.admin, provider.id, ProviderChange(credential=other))
    events = await stage.audit()
    assert [event[0] for event in events] == ["provider.create", "provider.update"]
    assert CREDENTIAL.reveal() not in str(events)
    assert other.reveal() not in str(events)
    assert other.reveal()[:8] not in str(events)


@pytest.mark.parametrize(("credential", "prefix"), [("x" * 19, "…"), ("abcdefgh" + "x" * 12, "abcdef…"), ("k", "…")])
async def test_only_long_credentials_show_their_first_six_characters(
    stage: Stage, credential: str, prefix: str
) -> None:
    assert (await stage.openai(credential=Secret(credential))).credential_prefix == prefix


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"credential": None}, "credential"),
        ({"credential": Secret(" ")}, "credential"),
        ({"credential": Secret("line\nbreak")}, "credential"),
        ({"credential": Secret("x" * 4001)}, "credential"),
        ({"organization": "org\r\nx-evil: 1"}, "organization"),
        ({"region": "x" * 101}, "region"),
        ({"base_url": "http://169.254.169.254/latest"}, "baseUrl"),
        ({"kind": ProviderKind.CUSTOM_OPENAI}, "baseUrl"),
        ({"kind": ProviderKind.AZURE_OPENAI, "base_url": " "}, "baseUrl"),
        ({"kind": ProviderKind.DEMO, "base_url": "https://example.com"}, "baseUrl"),
    ],
)
async def test_faulty_providers_are_refused_by_field(stage: Stage, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await stage.openai(**values)
    assert caught.value.field == field
    assert await stage.providers.count(stage.admin, None) == 0
    assert (stage.told(), await stage.audit()) == ([], [])


async def test_names_are_unique_in_any_case(stage: Stage) -> None:
    provider = await stage.openai()
    other = await stage.openai(name="Other")
    with pytest.raises(Conflict) as caught:
        await stage.openai(name="OPENAI")
    assert caught.value.field == "name"
    with pytest.raises(Conflict):
        await stage.providers.update(stage.admin, other.id, ProviderChange(name="openai"))
    # Its own name is no other's.
    renamed = await stage.providers.update(stage.admin, provider.id, ProviderChange(name="openai"))
    assert renamed.name == "openai"


async def test_only_what_is_given_changes(stage: Stage) -> None:
    provider = await stage.openai(organization="org-1", region="eu")
    stage.told()
    stage.site.clock.advance(60)
    changed = await stage.providers.update(stage.admin, provider.id, ProviderChange(region=None, enabled=False))

    assert changed == replace(provider, region=None, enabled=False)
    assert changed == await stage.providers.get(stage.admin, provider.id)
    assert (await stage.audit())[-1] == (
        "provider.update",
        "OpenAI",
        {"region": "eu", "enabled": True},
        {"region": None, "enabled": False},
    )
    assert stage.told() == [CATALOG]


async def test_a_change_that_changes_nothing_is_none(stage: Stage) -> None:
    provider = await stage.openai()
    stage.told()
    await stage.providers.update(stage.admin, provider.id, ProviderChange(name="OpenAI", enabled=True))
    assert stage.told() == []
    assert len(await stage.audit()) == 1


async def test_an_empty_credential_removes_the_stored_one(stage: Stage) -> None:
    provider = await stage.openai()
    stage.site.clock.advance(60)
    changed = await stage.providers.update(stage.admin, provider.id, ProviderChange(credential=Secret("")))
    assert changed.credential_prefix is None
    assert changed.credential_updated_at == provider.created_at + timedelta(seconds=60)
    async with stage.site.store.read() as tx:
        assert await tx.catalog.sealed_credential(provider.id) is None


async def test_a_credential_does_not_follow_the_address_to_another_host(stage: Stage) -> None:
    provider = await stage.openai()
    elsewhere = ProviderChange(base_url="https://evil.example/v1")
    with pytest.raises(InvalidInput) as caught:
        await stage.providers.update(stage.admin, provider.id, elsewhere)
    assert caught.value.field == "credential"
    assert await stage.providers.get(stage.admin, provider.id) == provider

    same_host = ProviderChange(base_url="https://api.openai.com/other")
    assert (await stage.providers.update(stage.admin, provider.id, same_host)).base_url is not None
    moved = await stage.providers.update(stage.admin, provider.id, replace(elsewhere, credential=Secret("n" * 30)))
    assert moved.base_url == "https://evil.example/v1"


async def test_deleting_a_provider_takes_what_hangs_on_it(stage: Stage) -> None:
    provider = await stage.openai()
    offer = await stage.offer(provider)
    model = await stage.models.create(stage.admin, NewModel("fast", backends=(NewBackend(offer.id),)))
    stage.told()
    await stage.providers.delete(stage.admin, provider.id)

    assert await stage.providers.get(stage.admin, provider.id) is None
    assert await stage.offers.get_many(stage.admin, [offer.id]) == {}
    assert await stage.models.get(stage.admin, model.id) == replace(model, backends=())
    assert stage.told() == [CATALOG]
    with pytest.raises(NotFound):
        await stage.providers.delete(stage.admin, provider.id)


# Provider models


async def test_prices_may_be_unknown_known_or_free(stage: Stage) -> None:
    provider = await stage.openai()
    unknown = await stage.offer(provider, "a")
    half = await stage.offer(provider, "b", prices=Prices(input=1))
    known = await stage.offer(provider, "c", prices=Prices(input=0, output=0))
    free = await stage.offer(provider, "d", free=True)
    embedding = await stage.offer(provider, "e", kind=ModelKind.EMBEDDING, prices=Prices(input=1))
    assert [m.priced for m in (unknown, half, known, free, embedding)] == [False, False, True, True, True]
    found = await stage.offers.of_providers(stage.admin, [provider.id])
    assert found[provider.id] == [unknown, half, known, free, embedding]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x7fb"}, "name"),
        ({"prices": Prices(input=-1)}, "prices.input"),
        ({"prices": Prices(cache_read=-1)}, "prices.cacheRead"),
        ({"prices": Prices(cache_write_5m=-1)}, "prices.cacheWrite5m"),
        ({"prices": Prices(cache_write_1h=-1)}, "prices.cacheWrite1h"),
        ({"prices": Prices(output=10**18 + 1)}, "prices.output"),
        ({"prices": tiered((0, Prices(1, output=1)))}, "prices.longContext.0.above"),
        ({"prices": tiered((9, Prices(1, output=1)), (9, Prices(1, output=1)))}, "prices.longContext.1.above"),
        ({"prices": tiered((10**10, Prices(1, output=1)))}, "prices.longContext.0.above"),
        ({"prices": tiered((9, Prices(output=1)))}, "prices.longContext.0.input"),
        ({"prices": tiered((9, Prices(1)))}, "prices.longContext.0.output"),
        ({"prices": tiered((9, Prices(1, cache_read=-1, output=1)))}, "prices.longContext.0.cacheRead"),
        ({"prices": tiered(*((9 + n, Prices(1, output=1)) for n in range(6)))}, "prices.longContext"),
        ({"context_window": 0}, "contextWindow"),
        ({"max_output_tokens": -1}, "maxOutputTokens"),
        ({"max_output_tokens": 1_000_000_001}, "maxOutputTokens"),
    ],
)
async def test_faulty_provider_models_are_refused_by_field(stage: Stage, values: dict[str, Any], field: str) -> None:
    provider = await stage.openai()
    stage.told()
    with pytest.raises(InvalidInput) as caught:
        await stage.offer(provider, **values)
    assert caught.value.field == field
    assert await stage.offers.of_providers(stage.admin, [provider.id]) == {}
    assert stage.told() == []


async def test_a_provider_offers_a_name_once(stage: Stage) -> None:
    provider, other = await stage.openai(), await stage.openai(name="Other")
    await stage.offer(provider)
    await stage.offer(other)
    with pytest.raises(Conflict) as caught:
        await stage.offer(provider)
    assert caught.value.field == "name"
    with pytest.raises(NotFound):
        await stage.offers.create(stage.admin, NewProviderModel("ghost", "gpt-5"))


async def test_prices_change_as_a_whole_and_the_rest_stays(stage: Stage) -> None:
    offer = await stage.offer(await stage.openai(), prices=Prices(1, 2, 3, 4, 5), context_window=100)
    stage.told()
    changed = await stage.offers.update(stage.admin, offer.id, ProviderModelChange(prices=Prices(output=7)))
    assert (changed.prices, changed.free, changed.context_window) == (Prices(output=7), False, 100)
    cleared = await stage.offers.update(stage.admin, offer.id, ProviderModelChange(context_window=None, free=True))
    assert (cleared.prices, cleared.free, cleared.context_window) == (Prices(output=7), True, None)
    assert await stage.offers.get_many(stage.admin, [offer.id]) == {offer.id: cleared}
    assert stage.told() == [CATALOG, CATALOG]
    with pytest.raises(InvalidInput):
        await stage.offers.update(stage.admin, offer.id, ProviderModelChange(prices=Prices(input=-1)))


async def test_what_keeps_calls_away_from_a_provider_model_is_said(stage: Stage) -> None:
    provider = await stage.openai()
    unpriced, free = await stage.offer(provider, "a"), await stage.offer(provider, "b", free=True)
    assert (obstacle_to(provider, unpriced), obstacle_to(provider, free)) == ("No price is set", None)
    disabled = await stage.providers.update(stage.admin, provider.id, ProviderChange(enabled=False))
    assert obstacle_to(disabled, free) == "The provider is disabled"
    bare = await stage.providers.update(stage.admin, provider.id, ProviderChange(enabled=True, credential=Secret("")))
    assert obstacle_to(bare, free) == "The provider has no credential"
    nowhere = replace(provider, kind=ProviderKind.BEDROCK)
    assert obstacle_to(nowhere, free) == "The provider has no region"
    assert obstacle_to(replace(nowhere, region="eu-central-1"), free) is None


async def test_a_provider_model_knows_the_models_that_it_stands_behind(stage: Stage) -> None:
    provider = await stage.openai()
    shared, alone, unused = [await stage.offer(provider, name) for name in "abc"]
    wise = await stage.models.create(
        stage.admin, NewModel("wise", backends=(NewBackend(shared.id), NewBackend(alone.id)))
    )
    fast = await stage.models.create(stage.admin, NewModel("fast", backends=(NewBackend(shared.id),)))
    found = await stage.models.behind(stage.admin, [shared.id, alone.id, unused.id])
    assert found == {shared.id: [fast, wise], alone.id: [wise], unused.id: []}


async def test_deleting_a_provider_model_takes_its_backends(stage: Stage) -> None:
    offer = await stage.offer(await stage.openai())
    model = await stage.models.create(stage.admin, NewModel("fast", backends=(NewBackend(offer.id),)))
    await stage.offers.delete(stage.admin, offer.id)
    found = await stage.models.get(stage.admin, model.id)
    assert found is not None
    assert found.backends == ()
    with pytest.raises(NotFound):
        await stage.offers.delete(stage.admin, offer.id)


# Models


async def wired(stage: Stage, **values: Any) -> Model:
    offer = await stage.offer(await stage.openai())
    plain: dict[str, Any] = {"slug": "fast", "status": ModelStatus.ACTIVE, "backends": (NewBackend(offer.id, 2, 5),)}
    return await stage.models.create(stage.admin, NewModel(**plain | values))


async def test_a_model_is_made_with_its_backends(stage: Stage) -> None:
    model = await wired(stage, display_name="  Fast one ")
    assert (model.display_name, model.backends[0].priority, model.backends[0].weight) == ("Fast one", 2, 5)
    assert await stage.models.get(stage.admin, model.id) == model
    page = await stage.models.page(stage.admin, ModelFilter("FAST", ModelKind.CHAT, ModelStatus.ACTIVE), PageRequest())
    assert [found for found, _ in page.items] == [model]
    action, label, before, after = (await stage.audit())[-1]
    assert (action, label, before) == ("model.create", "fast", {})
    assert after["backends"] == [{"model": "gpt-5", "priority": 2, "weight": 5}]


@pytest.mark.parametrize(
    ("values", "error", "field"),
    [
        ({"slug": "Fast"}, InvalidInput, "slug"),
        ({"slug": "-fast"}, InvalidInput, "slug"),
        ({"slug": "a/b"}, InvalidInput, "slug"),
        ({"slug": ""}, InvalidInput, "slug"),
        ({"slug": "x" * 101}, InvalidInput, "slug"),
        ({"display_name": "x" * 121}, InvalidInput, "displayName"),
        ({"backends": ()}, InvalidInput, "backends"),
        ({"backends": (NewBackend("ghost"),)}, NotFound, "backends.0.providerModelId"),
        ({"backends": (NewBackend("a"),) * 2}, InvalidInput, "backends"),
        ({"backends": tuple(NewBackend(str(n)) for n in range(21))}, InvalidInput, "backends"),
        ({"kind": ModelKind.EMBEDDING}, InvalidInput, "backends"),
    ],
)
async def test_faulty_models_are_refused_by_field(
    stage: Stage, values: dict[str, Any], error: type[AppError], field: str
) -> None:
    with pytest.raises(error) as caught:
        await wired(stage, **values)
    assert caught.value.field == field
    assert await stage.models.count(stage.admin, ModelFilter()) == 0


@pytest.mark.parametrize(
    ("priority", "weight", "field"),
    [(-1, 1, "priority"), (1001, 1, "priority"), (0, 0, "weight"), (0, 1001, "weight")],
)
async def test_shares_must_make_sense(stage: Stage, priority: int, weight: int, field: str) -> None:
    offer = await stage.offer(await stage.openai())
    with pytest.raises(InvalidInput) as caught:
        await stage.models.create(stage.admin, NewModel("fast", backends=(NewBackend(offer.id, priority, weight),)))
    assert caught.value.field == f"backends.0.{field}"


async def test_slugs_are_unique(stage: Stage) -> None:
    model = await wired(stage)
    other = await stage.models.create(stage.admin, NewModel("wise"))
    with pytest.raises(Conflict) as caught:
        await stage.models.create(stage.admin, NewModel("fast"))
    assert caught.value.field == "slug"
    with pytest.raises(Conflict):
        await stage.models.update(stage.admin, other.id, ModelChange(slug="fast"))
    assert await stage.models.update(stage.admin, model.id, ModelChange(slug="fast")) == model


async def test_only_what_is_given_of_a_model_changes(stage: Stage) -> None:
    model = await wired(stage)
    stage.told()
    changed = await stage.models.update(stage.admin, model.id, ModelChange(slug="gpt-5.1", display_name="GPT"))
    assert changed == replace(model, slug="gpt-5.1", display_name="GPT")
    assert changed == await stage.models.get(stage.admin, model.id)
    assert stage.told() == [CATALOG]
    assert (await stage.audit())[-1][2:] == (
        {"slug": "fast", "display_name": ""},
        {"slug": "gpt-5.1", "display_name": "GPT"},
    )


async def test_an_active_model_keeps_a_backend(stage: Stage) -> None:
    model = await wired(stage)
    with pytest.raises(InvalidInput):
        await stage.models.update(stage.admin, model.id, ModelChange(backends=()))
    draft = await stage.models.update(stage.admin, model.id, ModelChange(status=ModelStatus.DRAFT, backends=()))
    with pytest.raises(InvalidInput):
        await stage.models.update(stage.admin, draft.id, ModelChange(status=ModelStatus.ACTIVE))
    assert await stage.models.get(stage.admin, model.id) == draft


async def test_a_deleted_model_is_gone(stage: Stage) -> None:
    model = await wired(stage)
    await stage.models.delete(stage.admin, model.id)
    assert await stage.models.get(stage.admin, model.id) is None
    assert (await stage.audit())[-1][0] == "model.delete"
    with pytest.raises(NotFound):
        await stage.models.update(stage.admin, model.id, ModelChange(slug=ABSENT))


Use = Callable[[Stage, Caller], Awaitable[object]]
WRITES: list[Use] = [
    lambda s, c: s.providers.create(c, NewProvider(ProviderKind.DEMO, "Demo")),
    lambda s, c: s.providers.update(c, "p", ProviderChange(enabled=False)),
    lambda s, c: s.providers.delete(c, "p"),
    lambda s, c: s.offers.create(c, NewProviderModel("p", "m")),
    lambda s, c: s.offers.update(c, "m", ProviderModelChange(free=True)),
    lambda s, c: s.offers.delete(c, "m"),
    lambda s, c: s.models.create(c, NewModel("fast")),
    lambda s, c: s.models.update(c, "m", ModelChange(slug="x")),
    lambda s, c: s.models.delete(c, "m"),
]
READS: list[Use] = [
    lambda s, c: s.providers.get(c, "p"),
    lambda s, c: s.providers.page(c, None, PageRequest()),
    lambda s, c: s.providers.count(c, None),
    lambda s, c: s.offers.get_many(c, ["m"]),
    lambda s, c: s.offers.of_providers(c, ["p"]),
    lambda s, c: s.models.get(c, "m"),
    lambda s, c: s.models.page(c, ModelFilter(), PageRequest()),
    lambda s, c: s.models.count(c, ModelFilter()),
    lambda s, c: s.models.behind(c, ["m"]),
]


@pytest.mark.parametrize("use", [*WRITES, *READS])
async def test_members_are_refused(stage: Stage, use: Use) -> None:
    with pytest.raises(Forbidden):
        await use(stage, stage.member)
    with pytest.raises(Forbidden):
        await use(stage, replace(stage.member, scopes=frozenset(TokenScope)))
    assert (stage.told(), await stage.audit()) == ([], [])


@pytest.mark.parametrize("use", WRITES)
async def test_changes_need_the_catalog_scope(stage: Stage, use: Use) -> None:
    with pytest.raises(Forbidden, match="catalog"):
        await use(stage, replace(stage.admin, scopes=frozenset(TokenScope) - {TokenScope.CATALOG}))
    assert (stage.told(), await stage.audit()) == ([], [])


@pytest.mark.parametrize("use", READS)
async def test_looking_needs_the_read_scope(stage: Stage, use: Use) -> None:
    with pytest.raises(Forbidden, match="read"):
        await use(stage, replace(stage.admin, scopes=frozenset({TokenScope.CATALOG})))


async def test_only_compatible_providers_say_whether_they_serve_responses(stage: Stage) -> None:
    new = NewProvider(ProviderKind.CUSTOM_OPENAI, "Own", base_url="https://llm.example.com/v1", serves_responses=False)
    provider = await stage.providers.create(stage.admin, new)
    assert (provider.serves_responses, provider.protocols) == (False, (Protocol.CHAT,))
    provider = await stage.providers.update(stage.admin, provider.id, ProviderChange(serves_responses=True))
    assert provider.protocols == (Protocol.CHAT, Protocol.RESPONSES)
    assert await stage.providers.get(stage.admin, provider.id) == provider
    openai = await stage.openai()
    with pytest.raises(InvalidInput, match="what OpenAI serves is known") as caught:
        await stage.providers.update(stage.admin, openai.id, ProviderChange(serves_responses=False))
    assert caught.value.field == "servesResponses"


async def test_capabilities_are_words_and_a_model_has_those_of_all_its_backends(stage: Stage) -> None:
    provider = await stage.openai()
    seeing = await stage.offer(provider, "seeing", free=True)
    plain = await stage.offer(provider, "plain", free=True)
    await stage.offers.update(stage.admin, seeing.id, ProviderModelChange(capabilities=("vision", "tools")))
    await stage.offers.update(stage.admin, plain.id, ProviderModelChange(capabilities=("tools",)))
    with pytest.raises(InvalidInput, match="word such as vision") as caught:
        await stage.offers.update(stage.admin, plain.id, ProviderModelChange(capabilities=("tools", "Seeing!")))
    assert caught.value.field == "capabilities.1"
    found = await stage.offers.get_many(stage.admin, [seeing.id, plain.id])
    assert [found[one.id].capabilities for one in (seeing, plain)] == [("vision", "tools"), ("tools",)]
    backends = tuple(Backend(one.id, one.id, 0, 1) for one in (seeing, plain))
    model = Model("m", "m", "M", ModelKind.CHAT, ModelStatus.ACTIVE, backends, seeing.created_at)
    opened = Opened({provider.id: Secret("sk")})
    compiled = compile_model(model, found, {provider.id: provider}, opened)
    assert compiled is not None
    assert compiled.capabilities == ("tools",)
