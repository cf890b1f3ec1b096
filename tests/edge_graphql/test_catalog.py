"""The catalogue as administrators see it through the schema, and what members do not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fakes.identity import Site, new_site
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.domain.user import Role
from sluicegate.graphql.catalog import loaders
from sluicegate.graphql.context import Context
from sluicegate.graphql.schema import build_schema
from sluicegate.kit.errors import NotFound
from sluicegate.services.bundle import Services
from sluicegate.services.caller import Caller
from sluicegate.services.grants import GrantService
from sluicegate.services.models import ModelService, NewBackend, NewModel
from sluicegate.services.provider_models import NewProviderModel, ProviderModelService
from sluicegate.services.providers import NewProvider, ProviderService
from sluicegate.services.users import UserService

_SCHEMA = build_schema()


def _services(site: Site) -> Services:
    some = SimpleNamespace(
        users=UserService(site.store),
        grants=GrantService(site.store, site.clock),
        models=ModelService(site.store, site.clock),
        provider_models=ProviderModelService(site.store, site.clock),
        providers=ProviderService(site.store, EnvelopeVault(b"k" * 32), site.clock, allow_private=False),
    )
    return cast("Services", some)


async def _ask(services: Services, caller: Caller, query: str, **variables: Any) -> tuple[Any, list[Any]]:
    result = await _SCHEMA.execute(query, variable_values=variables, context_value=Context(caller, services))
    return result.data, [(error.extensions or {}).get("code") for error in result.errors or ()]


async def test_a_provider_model_tells_where_it_serves_and_a_model_who_may_call_it(tmp_path: Path) -> None:
    async with new_site(tmp_path) as site:
        services = _services(site)
        admin, mia = await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com")
        provider = await services.providers.create(admin, NewProvider(ProviderKind.DEMO, "Demo"))
        offer = await services.provider_models.create(admin, NewProviderModel(provider.id, "demo-fast"))
        model = await services.models.create(admin, NewModel("fast", backends=(NewBackend(offer.id),)))
        await services.grants.add(admin, Subject(SubjectKind.USER, mia.user.id), [model.id])

        data, errors = await _ask(
            services,
            admin,
            "query ($id: ID!) { provider(id: $id) { models { obstacle usedBy { slug } } } }",
            id=provider.id,
        )
        assert errors == []
        assert data["provider"]["models"] == [{"obstacle": "No price is set", "usedBy": [{"slug": "fast"}]}]

        holders = "query ($id: ID!) { model(id: $id) { grants { totalCount edges { node { user { email } } } } } }"
        data, errors = await _ask(services, admin, holders, id=model.id)
        assert errors == []
        edges = [{"node": {"user": {"email": "mia@example.com"}}}]
        assert data["model"]["grants"] == {"totalCount": 1, "edges": edges}


async def test_members_learn_of_a_granted_model_but_not_who_else_may_call_it(tmp_path: Path) -> None:
    async with new_site(tmp_path) as site:
        services = _services(site)
        admin, mia = await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com")
        model = await services.models.create(admin, NewModel("fast"))
        await services.grants.add(admin, Subject(SubjectKind.USER, mia.user.id), [model.id])
        query = "query ($id: ID!) { user(id: $id) { grants { model { slug %s } } } }"
        data, errors = await _ask(services, mia, query % "", id=mia.user.id)
        assert (data["user"]["grants"], errors) == ([{"model": {"slug": "fast"}}], [])
        data, errors = await _ask(services, mia, query % "grants { totalCount }", id=mia.user.id)
        assert "forbidden" in errors
        assert "totalCount" not in str(data)


async def test_every_kind_says_what_it_takes(tmp_path: Path) -> None:
    async with new_site(tmp_path) as site:
        member = await site.person("mia@example.com")
        query = "{ providerKinds { kind takesOrganization takesRegion takesApiVersion } }"
        data, errors = await _ask(_services(site), member, query)
    assert errors == []
    kinds = data["providerKinds"]
    assert {k["kind"] for k in kinds if k["takesOrganization"]} == {"OPENAI", "CUSTOM_OPENAI"}
    assert {k["kind"] for k in kinds if k["takesRegion"]} == {"BEDROCK"}
    assert {k["kind"] for k in kinds if k["takesApiVersion"]} == {"AZURE_OPENAI"}


async def test_what_is_deleted_between_two_reads_of_a_request_is_not_found(tmp_path: Path) -> None:
    async with new_site(tmp_path) as site:
        context = Context(await site.person("ada@example.com", Role.ADMIN), _services(site))
        for batch in (loaders.providers, loaders.provider_models):
            with pytest.raises(NotFound):
                await context.loader(batch).load("gone")
