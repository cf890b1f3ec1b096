"""Models taken over from a provider's list or the catalogue: what is read, what is added, what stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.identity import Site
from sluicegate.adapters.demo import DemoUpstream
from sluicegate.adapters.price_catalog import CatalogFile
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import ModelKind, ProviderKind
from sluicegate.domain.usage import Prices
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Forbidden, InvalidInput, NotFound
from sluicegate.kit.secret import Secret
from sluicegate.ports.upstream import UpstreamRequest
from sluicegate.services.caller import Caller
from sluicegate.services.imports import ImportService
from sluicegate.services.model_lists import ListedModel, read_models
from sluicegate.services.provider_models import NewProviderModel, ProviderModelService
from sluicegate.services.provider_tests import ProviderTestService
from sluicegate.services.providers import NewProvider, ProviderService

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "data", "models", "pricing", "prompt", "completion", "top_provider"]), inner
        )
    ),
    max_leaves=12,
)


def listed(*rows: Any, key: str = "data") -> list[ListedModel] | None:
    return read_models(json.dumps({key: list(rows)}).encode())


def test_openai_and_anthropic_name_their_models() -> None:
    found = listed({"id": "gpt-5", "object": "model"}, {"id": "text-embedding-3-small"}, {"id": "gpt-5"}, {"id": 5})
    assert found == [ListedModel("gpt-5"), ListedModel("text-embedding-3-small", ModelKind.EMBEDDING)]
    assert listed({"type": "model", "id": "claude-x", "display_name": "X", "max_input_tokens": 200_000}) == [
        ListedModel("claude-x", context_window=200_000)
    ]


def test_anthropic_tells_what_its_models_are_capable_of() -> None:
    yes, no = {"supported": True}, {"supported": False}
    newest = {"image_input": yes, "thinking": yes | {"types": {"adaptive": yes, "enabled": no}}, "batch": yes}
    plain = {"image_input": no, "thinking": no | {"types": {"adaptive": no, "enabled": no}}}
    found = listed(
        {"id": "claude-new", "capabilities": newest},
        {"id": "claude-plain", "capabilities": plain},
        {"id": "claude-odd", "capabilities": {"thinking": {"types": {"enabled": "yes"}}, "image_input": 5}},
        {"id": "other", "capabilities": ["thinking"]},
    )
    assert [model.capabilities for model in found or ()] == [
        ("adaptive-thinking", "reasoning", "vision"),
        (),
        (),
        None,
    ]


def test_openrouter_tells_prices_by_the_token() -> None:
    row = {
        "id": "acme/wise",
        "context_length": 1_000_000,
        "top_provider": {"max_completion_tokens": 64_000},
        "pricing": {"prompt": "0.000003", "completion": "0.000015", "input_cache_read": "3e-7", "image": "0"},
    }
    prices = Prices(3_000_000_000, 300_000_000, None, None, 15_000_000_000)
    router = {"id": "acme/auto", "pricing": {"prompt": "-1", "completion": "-1"}}
    assert listed(row, router) == [
        ListedModel("acme/wise", ModelKind.CHAT, prices, 1_000_000, 64_000),
        ListedModel("acme/auto"),
    ]


def test_gemini_tells_sizes_and_what_a_model_is_for() -> None:
    found = listed(
        {
            "name": "models/gemini-x",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
        },
        {"name": "models/vectors", "supportedGenerationMethods": ["embedContent", "countTokens"]},
        key="models",
    )
    assert found == [
        ListedModel("gemini-x", ModelKind.CHAT, None, 1_048_576, 65_536),
        ListedModel("vectors", ModelKind.EMBEDDING),
    ]


@given(json_values)
def test_whatever_a_provider_answers_is_read_or_refused(value: Any) -> None:
    found = read_models(msgspec.json.encode(value))
    assert found is None or len({model.name for model in found}) == len(found)
    for model in found or ():
        assert 1 <= len(model.name) <= 200
        assert model.prices is None or model.prices.known()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"data": {}}', b"\xff"])
def test_what_is_no_list_is_told(body: bytes) -> None:
    assert read_models(body) is None


class Answer:
    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.headers, self._pieces = status, [], [body[:7], body[7:], b""]
        self.closed = False

    def buffered(self) -> bytes | None:
        return None

    async def read(self) -> bytes:
        return self._pieces.pop(0)

    async def aclose(self) -> None:
        self.closed = True


class Upstream:
    def __init__(self) -> None:
        self.answer = Answer(200, b"{}")
        self.requests: list[UpstreamRequest] = []

    def begin(self, request: UpstreamRequest) -> None:
        return

    async def send(self, request: UpstreamRequest) -> Answer:
        self.requests.append(request)
        return self.answer

    async def aclose(self) -> None:
        pass


class Stage:
    def __init__(self, site: Site, admin: Caller, folder: Path) -> None:
        self.site, self.admin, self.upstream = site, admin, Upstream()
        vault = EnvelopeVault(b"k" * 32)
        self.providers = ProviderService(site.store, vault, site.clock, allow_private=True)
        self.offers = ProviderModelService(site.store, site.clock)
        tests = ProviderTestService(site.store, vault, self.upstream, site.clock, DemoUpstream())
        self.imports = ImportService(site.store, CatalogFile(folder / "catalog.json"), tests, self.offers)

    async def provider(self, kind: ProviderKind = ProviderKind.ANTHROPIC) -> str:
        credential = None if kind is ProviderKind.DEMO else Secret("sk-0123456789abcdefghij")
        return (await self.providers.create(self.admin, NewProvider(kind, "P", credential=credential))).id

    def answers(self, *names: str, status: int = 200) -> None:
        body = json.dumps({"data": [{"id": name} for name in names]}).encode()
        self.upstream.answer = Answer(status, body)


@pytest.fixture
async def stage(site: Site, tmp_path: Path) -> Stage:
    return Stage(site, await site.person("ada@example.com", Role.ADMIN), tmp_path)


async def test_a_provider_is_asked_for_all_of_its_list(stage: Stage) -> None:
    provider = await stage.provider()
    await stage.offers.create(stage.admin, NewProviderModel(provider, "claude-opus-4-8"))
    stage.answers("claude-new", "claude-opus-4-8", "claude-haiku-4-5-20251001")
    found = await stage.imports.offers(stage.admin, provider)
    assert found.ok
    haiku, new, opus = found.offers
    assert [offer.name for offer in found.offers] == ["claude-haiku-4-5-20251001", "claude-new", "claude-opus-4-8"]
    assert (opus.added, new.added, new.prices, new.entry) == (True, False, None, None)
    assert haiku.prices is not None
    assert (haiku.prices.input, haiku.prices.cache_write_1h) == (1_000_000_000, 2_000_000_000)
    (request,) = stage.upstream.requests
    assert request.target == "/v1/models?limit=1000"
    assert (b"accept-encoding", b"identity") in request.headers
    assert stage.upstream.answer.closed


async def test_a_failure_is_told_in_words_and_gives_nothing(stage: Stage) -> None:
    provider = await stage.provider()
    stage.answers("claude-new", status=401)
    found = await stage.imports.offers(stage.admin, provider)
    assert (found.ok, found.offers) == (False, ())
    assert "refused the credential" in found.message
    stage.upstream.answer = Answer(200, b"<html>sign in</html>")
    assert "no model list" in (await stage.imports.offers(stage.admin, provider)).message
    stage.upstream.answer = Answer(200, b" " * 9_000_000)
    assert "longer than 8 MB" in (await stage.imports.offers(stage.admin, provider)).message
    assert stage.upstream.answer.closed


async def test_the_demo_provider_lists_what_it_answers_for(stage: Stage) -> None:
    found = await stage.imports.offers(stage.admin, await stage.provider(ProviderKind.DEMO))
    assert found.ok
    assert {"demo-fast", "demo-smart"} <= {offer.name for offer in found.offers}
    assert stage.upstream.requests == []


async def test_models_are_taken_over_together_and_known_ones_stay(stage: Stage) -> None:
    provider = await stage.provider()
    before = await stage.offers.create(stage.admin, NewProviderModel(provider, "b", prices=Prices(1, output=1)))
    new = [NewProviderModel(provider, name, prices=Prices(7, output=9)) for name in ("a", "b", "c", "c")]
    added, skipped = await stage.imports.take_over(stage.admin, provider, new)
    assert ([model.name for model in added], skipped) == (["a", "c"], ["b", "c"])
    found = (await stage.offers.of_providers(stage.admin, [provider]))[provider]
    assert [(model.name, model.prices.input) for model in found] == [("a", 7), ("b", 1), ("c", 7)]
    assert found[1] == before


async def test_a_fault_in_one_model_adds_none(stage: Stage) -> None:
    provider = await stage.provider()
    new = [NewProviderModel(provider, "a"), NewProviderModel(provider, "b", prices=Prices(input=-1))]
    with pytest.raises(InvalidInput) as caught:
        await stage.imports.take_over(stage.admin, provider, new)
    assert caught.value.field == "models.1.prices.input"
    for models in ([], new * 300):
        with pytest.raises(InvalidInput) as caught:
            await stage.imports.take_over(stage.admin, provider, models)
        assert caught.value.field == "models"
    assert await stage.offers.of_providers(stage.admin, [provider]) == {}


async def test_only_administrators_import(stage: Stage) -> None:
    provider = await stage.provider()
    member = await stage.site.person("mia@example.com")
    for caller in (member, replace(stage.admin, scopes=frozenset({TokenScope.READ}))):
        with pytest.raises(Forbidden):
            await stage.imports.offers(caller, provider)
        with pytest.raises(Forbidden):
            await stage.imports.take_over(caller, provider, [NewProviderModel(provider, "a")])
    with pytest.raises(Forbidden):
        stage.imports.catalog(member, ProviderKind.OPENAI)
    with pytest.raises(NotFound):
        await stage.imports.offers(stage.admin, "ghost")
    assert stage.upstream.requests == []
