"""Two administrators who want the same name at the same moment: one gets it, the others are told which field it was."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from fakes.identity import Site
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Conflict, NotFound
from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller
from sluicegate.services.grants import GrantService
from sluicegate.services.groups import GroupService
from sluicegate.services.models import ModelChange, ModelService, NewModel
from sluicegate.services.provider_models import NewProviderModel, ProviderModelService
from sluicegate.services.providers import NewProvider, ProviderChange, ProviderService

ROUNDS = 5
RIVALS = 5

Attempt = Callable[[str], Awaitable[Any]]


def providers_of(site: Site) -> ProviderService:
    return ProviderService(site.store, EnvelopeVault(b"k" * 32), site.clock, allow_private=False)


async def group(site: Site, admin: Caller) -> Attempt:
    groups = GroupService(site.store, site.clock)
    return lambda name: groups.create(admin, name)


async def renamed_group(site: Site, admin: Caller) -> Attempt:
    groups = GroupService(site.store, site.clock)

    async def rename(name: str) -> Any:
        mine = await groups.create(admin, f"{name} {id(asyncio.current_task())}")
        return await groups.update(admin, mine.id, name=name)

    return rename


async def provider(site: Site, admin: Caller) -> Attempt:
    return lambda name: providers_of(site).create(admin, NewProvider(ProviderKind.DEMO, name))


async def renamed_provider(site: Site, admin: Caller) -> Attempt:
    providers = providers_of(site)

    async def rename(name: str) -> Any:
        mine = await providers.create(admin, NewProvider(ProviderKind.DEMO, f"{name} {id(asyncio.current_task())}"))
        return await providers.update(admin, mine.id, ProviderChange(name=name))

    return rename


async def provider_model(site: Site, admin: Caller) -> Attempt:
    owner = await providers_of(site).create(admin, NewProvider(ProviderKind.DEMO, "Owner"))
    offers = ProviderModelService(site.store, site.clock)
    return lambda name: offers.create(admin, NewProviderModel(owner.id, name))


async def model(site: Site, admin: Caller) -> Attempt:
    models = ModelService(site.store, site.clock)
    return lambda name: models.create(admin, NewModel(name))


async def renamed_model(site: Site, admin: Caller) -> Attempt:
    models = ModelService(site.store, site.clock)

    async def rename(name: str) -> Any:
        mine = await models.create(admin, NewModel(f"{name}-{id(asyncio.current_task())}"))
        return await models.update(admin, mine.id, ModelChange(slug=name))

    return rename


async def invited(site: Site, admin: Caller) -> Attempt:
    invitations = site.invitations()

    async def invite(name: str) -> Any:
        (result,) = await invitations.invite(admin, [f"{name}@example.com"])
        if result.error is not None:
            raise result.error
        return result.user

    return invite


async def first_admin(site: Site, admin: Caller) -> Attempt:
    auth = AuthService(site.store, site.clock)
    return lambda name: auth.create_admin(f"{name}@example.com", "correct horse battery", "Ada")


@pytest.mark.parametrize(
    ("of", "field"),
    [
        (group, "name"),
        (renamed_group, "name"),
        (provider, "name"),
        (renamed_provider, "name"),
        (provider_model, "name"),
        (model, "slug"),
        (renamed_model, "slug"),
        (invited, "emails"),
        (first_admin, "email"),
    ],
)
async def test_a_name_goes_to_one_of_those_who_ask_for_it_at_once(
    site: Site, of: Callable[[Site, Caller], Awaitable[Attempt]], field: str
) -> None:
    admin = await site.person("admin@example.com", Role.ADMIN)
    attempt = await of(site, admin)
    for number in range(ROUNDS):
        results = await asyncio.gather(*(attempt(f"same{number}") for _ in range(RIVALS)), return_exceptions=True)
        refused = [result for result in results if isinstance(result, BaseException)]
        assert len(refused) == RIVALS - 1
        for error in refused:
            assert isinstance(error, Conflict), repr(error)
            assert error.field == field
            assert "already" in error.message


async def test_a_grant_for_a_model_that_is_deleted_at_that_moment_leaves_nothing_behind(site: Site) -> None:
    admin = await site.person("admin@example.com", Role.ADMIN)
    models, grants = ModelService(site.store, site.clock), GrantService(site.store, site.clock)
    subject = Subject(SubjectKind.USER, admin.user.id)
    for number in range(ROUNDS):
        doomed = await models.create(admin, NewModel(f"doomed-{number}"))
        results = await asyncio.gather(
            models.delete(admin, doomed.id), grants.add(admin, subject, [doomed.id]), return_exceptions=True
        )
        errors = [result for result in results if isinstance(result, BaseException)]
        assert all(isinstance(error, Conflict | NotFound) for error in errors), errors
    async with site.store.engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM grants"))).scalar() == 0
