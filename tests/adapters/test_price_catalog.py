"""The price catalogue: what ships, what may take its place, and what is refused by the place of its fault."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sluicegate.adapters.price_catalog import CatalogFile, parse_catalog, shipped
from sluicegate.domain.catalog import ModelKind, ProviderKind
from sluicegate.domain.usage import LongContext, Prices
from sluicegate.gateway.translate.traits import target_of
from sluicegate.kit.errors import InvalidInput
from sluicegate.services.price_lists import check_prices


def model(**values: Any) -> dict[str, Any]:
    plain = {
        "provider": "openai",
        "model": "gpt-x",
        "source": "https://example.com/prices",
        "as_of": "2026-10-01",
        "prices": {"input": "1.25", "output": "10"},
    }
    return plain | values


def document(*models: dict[str, Any], **values: Any) -> bytes:
    return json.dumps({"format": 1, "published": "2099-01-01", "models": list(models)} | values).encode()


def test_what_ships_has_source_and_date_for_every_price() -> None:
    catalog = parse_catalog(shipped(), refreshed=False)
    assert {entry.kind for entry in catalog.entries} >= {ProviderKind.OPENAI, ProviderKind.ANTHROPIC}
    for entry in catalog.entries:
        check_prices(entry.prices, entry.serves)
        assert entry.source.startswith("https://")
        assert date(2026, 1, 1) <= entry.as_of <= catalog.published
        assert entry.prices.known(output_needed=entry.serves is ModelKind.CHAT)
        cached = entry.prices.cache_read
        assert cached is None or cached <= (entry.prices.input or 0)


def test_everything_that_an_entry_may_say_is_read() -> None:
    tier = {"above": 200_000, "input": "2.5", "output": "15"}
    prices = {"input": "1.25", "cache_read": "0.125", "cache_write_5m": "2", "cache_write_1h": "3", "output": "10"}
    data = document(
        model(
            prices=prices | {"long_context": [tier]},
            context_window=400_000,
            max_output_tokens=128_000,
            capabilities=["tools"],
        ),
        model(provider="gemini", model="embed", kind="embedding", prices={"input": "0.000000001"}),
        about=["notes"],
    )
    first, second = parse_catalog(data, refreshed=True).entries
    long = LongContext(200_000, Prices(2_500_000_000, output=15_000_000_000))
    assert first.prices == Prices(1_250_000_000, 125_000_000, 2_000_000_000, 3_000_000_000, 10_000_000_000, (long,))
    assert (first.context_window, first.max_output_tokens, first.capabilities) == (400_000, 128_000, ("tools",))
    assert (second.kind, second.serves, second.prices) == (ProviderKind.GEMINI, ModelKind.EMBEDDING, Prices(input=1))


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"<html>", "catalogue"),
        (b"{}", "catalogue"),
        (document(model(), format=2), "catalogue.format"),
        (document(), "catalogue.models"),
        (document(model(surprise=1)), "catalogue"),
        (document(model(provider="acme")), "catalogue"),
        (document(model(as_of="soon")), "catalogue"),
        (document(model(), model()), "catalogue.models.1.model"),
        (document(model(model=" x")), "catalogue.models.0.model"),
        (document(model(model="")), "catalogue.models.0.model"),
        (document(model(source="javascript:alert(1)")), "catalogue.models.0.source"),
        (document(model(prices={"input": "1"})), "catalogue.models.0.prices.output"),
        (document(model(prices={"input": "-1", "output": "1"})), "catalogue.models.0.prices.input"),
        (document(model(prices={"input": 1.5, "output": "1"})), "catalogue"),
        (document(model(context_window=0)), "catalogue.models.0.context_window"),
        (
            document(model(prices={"input": "1", "output": "1", "long_context": [{"above": 0, "input": "1"}]})),
            "catalogue.models.0.prices.long_context.0.above",
        ),
    ],
)
def test_a_fault_is_named_by_its_place_and_nothing_is_replaced(tmp_path: Path, data: bytes, place: str) -> None:
    file = CatalogFile(tmp_path / "catalog.json")
    file.replace(document(model()))
    with pytest.raises(InvalidInput) as caught:
        file.replace(data)
    assert caught.value.field == place
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.json"]
    assert [entry.model for entry in file.load().entries] == ["gpt-x"]


def test_a_refreshed_catalogue_counts_at_once_unless_the_release_knows_a_later_one(tmp_path: Path) -> None:
    reading, writing = CatalogFile(tmp_path / "catalog.json"), CatalogFile(tmp_path / "catalog.json")
    assert not reading.load().refreshed
    writing.replace(document(model()))
    assert [entry.model for entry in reading.load().entries] == ["gpt-x"]
    writing.replace(document(model(model="gpt-y")))
    assert [entry.model for entry in reading.load().entries] == ["gpt-y"]
    writing.replace(document(model(), published="2020-01-01"))
    assert not reading.load().refreshed


def test_models_are_found_by_name_also_where_a_kind_offers_those_of_another(tmp_path: Path) -> None:
    file = CatalogFile(tmp_path / "catalog.json")
    catalog = file.replace(document(model(), model(model="a"), model(provider="anthropic", model="claude-x")))
    assert [entry.model for entry in catalog.of(ProviderKind.AZURE_OPENAI)] == ["a", "gpt-x"]
    assert [entry.model for entry in catalog.of(ProviderKind.CUSTOM_ANTHROPIC)] == ["claude-x"]
    assert catalog.of(ProviderKind.DEMO) == []
    found = catalog.find(ProviderKind.OPENAI, "gpt-x-2026-08-07")
    assert found is not None
    assert found.model == "gpt-x"
    assert catalog.find(ProviderKind.ANTHROPIC, "claude-x-20260807") == catalog.entries[2]
    assert catalog.find(ProviderKind.OPENAI, "gpt-x-mini") is None


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "global.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("us-gov.anthropic.claude-opus-4-7-v1:0", "anthropic.claude-opus-4-7"),
        ("anthropic.claude-opus-4-7-20260601-v2", "anthropic.claude-opus-4-7"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6",
            "anthropic.claude-sonnet-4-6",
        ),
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", None),
        ("us.amazon.nova-pro-v1:0", None),
    ],
)
def test_bedrocks_names_are_found_whatever_region_and_version_they_name(name: str, entry: str | None) -> None:
    found = parse_catalog(shipped(), refreshed=False).find(ProviderKind.BEDROCK, name)
    assert (found.model if found else None) == entry
    if found and entry == "anthropic.claude-haiku-4-5-20251001-v1:0":
        assert (found.prices.input, found.prices.output) == (1_100_000_000, 5_500_000_000)


def test_every_longest_answer_that_ships_has_a_page_and_a_date() -> None:
    entries = parse_catalog(shipped(), refreshed=False).entries
    told = [entry for entry in entries if entry.max_output_tokens or entry.capabilities]
    assert len(told) >= 110
    for entry in told:
        assert (entry.details_source or "").startswith("https://"), entry.model
        assert entry.details_as_of is not None
        assert entry.max_output_tokens is not None
        assert entry.context_window is None or entry.max_output_tokens <= entry.context_window
        assert set(entry.capabilities) <= {"adaptive-thinking", "reasoning", "thinking-budget", "tools", "vision"}
    found = next(entry for entry in told if entry.model == "anthropic.claude-opus-4-7")
    expected = ("adaptive-thinking", "reasoning", "tools", "vision")
    assert (found.max_output_tokens, found.capabilities) == (128_000, expected)


def test_what_ships_of_claudes_thinking_agrees_with_what_its_names_tell() -> None:
    for entry in parse_catalog(shipped(), refreshed=False).entries:
        if "claude" not in entry.model or not entry.capabilities:
            continue
        assert {"adaptive-thinking", "thinking-budget"} & {*entry.capabilities}, entry.model
        told = target_of(entry.kind, entry.model, None, entry.capabilities, anthropic=True)
        assert told == target_of(entry.kind, entry.model, None, anthropic=True)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"capabilities": ["Vision"]}, "capabilities.0"),
        ({"capabilities": ["tools", "tools"]}, "capabilities.1"),
        ({"details_source": "http://example.com"}, "details_source"),
    ],
)
def test_faulty_details_are_refused_by_place(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_catalog(document(model(**values)), refreshed=True)
    assert caught.value.field == f"catalogue.models.0.{field}"
