"""Azure OpenAI as a provider: its address and the versions of its interface."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from fakes.identity import Site
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.user import Role
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.secret import Secret
from sluicegate.services.caller import Caller
from sluicegate.services.providers import NewProvider, ProviderChange, ProviderService

HOST = "https://acme.openai.azure.com"


@pytest.fixture
async def admin(site: Site) -> Caller:
    return await site.person("ada@example.com", Role.ADMIN)


def _providers(site: Site) -> ProviderService:
    return ProviderService(site.store, EnvelopeVault(b"k" * 32), site.clock, allow_private=False)


def _azure(**values: Any) -> NewProvider:
    given = {"base_url": HOST, "credential": Secret("sk-proj-0123456789abcdefghij"), **values}
    return NewProvider(ProviderKind.AZURE_OPENAI, "Azure", **given)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"base_url": f"{HOST}/openai/deployments/gpt/chat/completions"}, "baseUrl"),
        ({"api_version": "2024-06-01"}, "apiVersion"),
        ({"api_version": "2024-08-01-preview"}, "apiVersion"),
    ],
)
async def test_what_azure_would_not_answer_is_refused_by_field(
    site: Site, admin: Caller, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await _providers(site).create(admin, _azure(**values))
    assert caught.value.field == field
    assert await _providers(site).count(admin, None) == 0
    assert site.feed.published == []
    async with site.store.engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM audit_events"))).scalar_one() == 0


async def test_an_older_version_that_is_set_already_stands_in_no_other_changes_way(site: Site, admin: Caller) -> None:
    provider = await _providers(site).create(admin, _azure(api_version="2024-10-21"))
    async with site.store.engine.begin() as connection:
        await connection.execute(text("UPDATE providers SET api_version = '2024-02-01'"))
    change = ProviderChange(name="Azure", api_version="2024-02-01")
    assert (await _providers(site).update(admin, provider.id, change)).name == "Azure"
