"""Amazon Bedrock as a provider: its keys, its region, and what it says that it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.bedrock import ACCESS, BEARER, FOUNDATION, OWN_PROFILE, PROFILE, REGION, SECRET, Bedrock
from fakes.identity import Site
from sluicegate.adapters.price_catalog import CatalogFile
from sluicegate.adapters.upstream import Http11Upstream
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.user import Role
from sluicegate.kit.clock import SystemClock
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.secret import Secret
from sluicegate.services.caller import Caller
from sluicegate.services.imports import ImportService
from sluicegate.services.provider_credentials import NewAccessKeys
from sluicegate.services.provider_models import ProviderModelService
from sluicegate.services.provider_tests import ProviderTestService
from sluicegate.services.providers import NewProvider, ProviderChange, ProviderService
from sluicegate.services.rotation import KeyRotation

KEYS = NewAccessKeys(ACCESS, Secret(SECRET))
VAULT = EnvelopeVault(b"k" * 32)


def _bedrock(**values: object) -> NewProvider:
    return NewProvider(ProviderKind.BEDROCK, "AWS", **{"region": REGION, "access_keys": KEYS, **values})  # type: ignore[arg-type]


@pytest.fixture
async def admin(site: Site) -> Caller:
    return await site.person("ada@example.com", Role.ADMIN)


def _providers(site: Site) -> ProviderService:
    return ProviderService(site.store, VAULT, site.clock, allow_private=True)


async def _sealed(site: Site, provider_id: str) -> str:
    async with site.store.read() as tx:
        return await tx.catalog.sealed_credential(provider_id) or ""


async def test_a_pair_of_keys_is_sealed_as_one_and_survives_another_encryption_key(site: Site, admin: Caller) -> None:
    session = Secret("FwoG:ZXIvYXdz+/=")
    keys = NewAccessKeys(" ASIAIOSFODNN7EXAMPLE ", Secret(SECRET), session)
    made = await _providers(site).create(admin, _bedrock(access_keys=keys))
    assert (made.region, made.credential_prefix) == (REGION, "ASIAIO…")
    sealed = await _sealed(site, made.id)
    assert SECRET not in sealed
    newer = EnvelopeVault(b"n" * 32, b"k" * 32)
    async with site.store.read() as tx:
        placed = dict(await tx.sealed.after("", 100))
    primary = newer.key_of(newer.seal(Secret("x"), "x"), "x")
    assert (await KeyRotation(site.store, newer, primary or "").run()).moved == len(placed)
    opened = EnvelopeVault(b"n" * 32).unseal(await _sealed(site, made.id), f"provider:{made.id}")
    assert opened.reveal() == f"ASIAIOSFODNN7EXAMPLE:{SECRET}:{session.reveal()}"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"region": None}, "region"),
        ({"region": "evil.example.com/"}, "region"),
        ({"region": "eu-central-1.evil"}, "region"),
        ({"access_keys": None}, "credential"),
        ({"access_keys": None, "credential": Secret(ACCESS)}, "credential"),
        ({"access_keys": None, "credential": Secret(f"{ACCESS}:")}, "credential"),
        ({"credential": Secret(BEARER)}, "accessKeys"),
        ({"access_keys": NewAccessKeys("nokey", Secret(SECRET))}, "accessKeys.accessKeyId"),
        ({"access_keys": NewAccessKeys(ACCESS, Secret(""))}, "accessKeys.secretAccessKey"),
        ({"access_keys": NewAccessKeys(ACCESS, Secret("two words"))}, "accessKeys.secretAccessKey"),
        ({"access_keys": NewAccessKeys(f"ASIA{ACCESS[4:]}", Secret(SECRET))}, "accessKeys.sessionToken"),
        ({"access_keys": NewAccessKeys(ACCESS, Secret(SECRET), Secret("a b"))}, "accessKeys.sessionToken"),
        ({"access_keys": NewAccessKeys(ACCESS, Secret("s" * 4_000))}, "accessKeys"),
    ],
)
async def test_what_could_not_be_signed_with_is_refused(
    site: Site, admin: Caller, values: dict[str, object], field: str
) -> None:
    new = _bedrock(**values)
    with pytest.raises(InvalidInput) as caught:
        await _providers(site).create(admin, new)
    assert caught.value.field == field


async def test_other_kinds_take_no_pair_of_keys(site: Site, admin: Caller) -> None:
    with pytest.raises(InvalidInput, match="OpenAI is called with a key of its own"):
        await _providers(site).create(admin, NewProvider(ProviderKind.OPENAI, "O", access_keys=KEYS))


async def test_keys_stay_when_the_region_changes_and_not_when_the_address_does(site: Site, admin: Caller) -> None:
    providers = _providers(site)
    made = await providers.create(admin, _bedrock())
    moved = await providers.update(admin, made.id, ProviderChange(region="us-east-1"))
    assert (moved.region, moved.credential_updated_at) == ("us-east-1", made.credential_updated_at)
    with pytest.raises(InvalidInput, match="must be given again"):
        await providers.update(admin, made.id, ProviderChange(base_url="https://evil.example.com"))
    change = ProviderChange(base_url="https://proxy.example.com", access_keys=KEYS)
    assert (await providers.update(admin, made.id, change)).base_url == "https://proxy.example.com"
    replaced = await providers.update(admin, made.id, ProviderChange(credential=Secret(BEARER)))
    assert replaced.credential_prefix == "ABSKQm…"


async def test_models_are_taken_over_from_what_aws_lists(site: Site, admin: Caller, tmp_path: Path) -> None:
    upstream = Http11Upstream(allow_private=True)
    async with Bedrock() as bedrock:
        made = await _providers(site).create(admin, _bedrock(base_url=bedrock.url))
        tests = ProviderTestService(site.store, VAULT, upstream, SystemClock())
        assert (await tests.run(admin, made.id)).ok
        source = CatalogFile(tmp_path / "none.json")
        imports = ImportService(site.store, source, tests, ProviderModelService(site.store, site.clock))
        found = await imports.offers(admin, made.id)
        assert bedrock.refusals == 0
    await upstream.aclose()
    assert found.ok
    assert [offer.name for offer in found.offers] == [FOUNDATION, OWN_PROFILE, PROFILE]
    haiku, own, sonnet = found.offers
    assert haiku.entry is not None
    assert haiku.entry.model == "anthropic.claude-haiku-4-5-20251001-v1:0"
    assert sonnet.entry is not None
    assert sonnet.entry.model == "anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert own.entry is None
