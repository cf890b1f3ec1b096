"""Administrators who do the same at the same moment: one gets the name, the others are told which field it was; and
what ends, ends once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from fakes.identity import Site
from services.alerting import hooks
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.policy import Budget, RateLimits, Subject, SubjectKind, Window
from sluicegate.domain.secret_rule import SecretAction
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Conflict, NotFound
from sluicegate.kit.money import Nanos
from sluicegate.ports.pages import AuditFilter
from sluicegate.services.auth import AuthService
from sluicegate.services.budgets import BudgetService
from sluicegate.services.caller import Caller
from sluicegate.services.grants import GrantService
from sluicegate.services.groups import GroupService
from sluicegate.services.keys import KeyService
from sluicegate.services.limits import LimitService
from sluicegate.services.models import ModelChange, ModelService, NewBackend, NewModel
from sluicegate.services.overrides import NewOverride, OverrideService
from sluicegate.services.provider_models import NewProviderModel, ProviderModelService
from sluicegate.services.providers import NewProvider, ProviderChange, ProviderService
from sluicegate.services.secret_rules import NewSecretRule, SecretRuleService
from sluicegate.services.tokens import TokenService
from sluicegate.services.users import UserService
from sluicegate.services.webhooks import NewWebhook

ROUNDS = 5
RIVALS = 5

Attempt = Callable[[str], Awaitable[Any]]
Ending = Callable[[], Awaitable[Any]]


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


async def deleted_provider(site: Site, admin: Caller, number: int) -> Ending:
    providers = providers_of(site)
    made = await providers.create(admin, NewProvider(ProviderKind.DEMO, f"Doomed {number}"))
    return lambda: providers.delete(admin, made.id)


async def deleted_provider_model(site: Site, admin: Caller, number: int) -> Ending:
    owner = await providers_of(site).create(admin, NewProvider(ProviderKind.DEMO, f"Owner {number}"))
    offers = ProviderModelService(site.store, site.clock)
    made = await offers.create(admin, NewProviderModel(owner.id, "doomed"))
    return lambda: offers.delete(admin, made.id)


async def deleted_rule(site: Site, admin: Caller, number: int) -> Ending:
    rules = SecretRuleService(site.store, site.clock)
    made = await rules.create(admin, NewSecretRule(f"Doomed {number}", "sk-[a-z]{20}", SecretAction.BLOCK))
    return lambda: rules.delete(admin, made.id)


async def deleted_webhook(site: Site, admin: Caller, number: int) -> Ending:
    webhooks = hooks(site)
    wanted = NewWebhook(f"Doomed {number}", "https://example.com/", (SubjectKind.USER,))
    made, _ = await webhooks.create(admin, wanted)
    return lambda: webhooks.delete(admin, made.id)


async def revoked_grant(site: Site, admin: Caller, number: int) -> Ending:
    grants = GrantService(site.store, site.clock)
    granted = await ModelService(site.store, site.clock).create(admin, NewModel(f"granted-{number}"))
    (made,) = await grants.add(admin, Subject(SubjectKind.USER, admin.user.id), [granted.id])
    return lambda: grants.revoke(admin, made.id)


async def revoked_key(site: Site, admin: Caller, number: int) -> Ending:
    keys = KeyService(site.store, site.clock)
    made, _ = await keys.create(admin, f"Doomed {number}", None)
    return lambda: keys.revoke(admin, made.id)


async def revoked_token(site: Site, admin: Caller, number: int) -> Ending:
    tokens = TokenService(site.store, site.clock)
    made, _ = await tokens.create(admin, f"Doomed {number}", [TokenScope.READ], None)
    return lambda: tokens.revoke(admin, made.id)


def _override(site: Site, admin: Caller) -> NewOverride:
    ends_at = site.clock.now() + timedelta(days=1)
    return NewOverride(admin.user.id, Window.DAY, 5, "A big change.", ends_at)


async def ended_override(site: Site, admin: Caller, _: int) -> Ending:
    overrides = OverrideService(site.store, site.clock)
    made = await overrides.create(admin, _override(site, admin))
    return lambda: overrides.end(admin, made.id)


@pytest.mark.parametrize(
    ("of", "action"),
    [
        (deleted_provider, "provider.delete"),
        (deleted_provider_model, "provider_model.delete"),
        (deleted_rule, "secret_rule.delete"),
        (deleted_webhook, "webhook.delete"),
        (revoked_grant, "grant.revoke"),
        (revoked_key, "api_key.revoke"),
        (revoked_token, "token.revoke"),
        (ended_override, "override.end"),
    ],
)
async def test_what_several_end_at_once_ends_once_in_the_log(
    site: Site, of: Callable[[Site, Caller, int], Awaitable[Ending]], action: str
) -> None:
    admin = await site.person("admin@example.com", Role.ADMIN)
    for number in range(ROUNDS):
        end = await of(site, admin, number)
        results = await asyncio.gather(*(end() for _ in range(RIVALS)), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        assert all(isinstance(error, Conflict | NotFound) for error in errors), errors
        async with site.store.read() as tx:
            assert await tx.audit.count(AuditFilter(action=action)) == number + 1


async def test_one_override_of_a_value_runs_however_many_begin_one_at_once(site: Site) -> None:
    admin = await site.person("admin@example.com", Role.ADMIN)
    overrides = OverrideService(site.store, site.clock)
    for _ in range(ROUNDS):
        await asyncio.gather(*(overrides.create(admin, _override(site, admin)) for _ in range(RIVALS)))
        of_admin = (await overrides.of_users(admin, [admin.user.id]))[admin.user.id]
        assert len([one for one in of_admin if one.running(site.clock.now())]) == 1


@pytest.mark.parametrize("kind", [SubjectKind.USER, SubjectKind.GROUP])
async def test_what_is_set_for_somebody_who_is_deleted_at_that_moment_goes_as_well(
    site: Site, kind: SubjectKind
) -> None:
    admin = await site.person("admin@example.com", Role.ADMIN)
    limits, budgets = LimitService(site.store), BudgetService(site.store)
    users, groups = UserService(site.store), GroupService(site.store, site.clock)
    grants = GrantService(site.store, site.clock)
    model = await ModelService(site.store, site.clock).create(admin, NewModel("fast"))
    for number in range(2 * ROUNDS):
        if kind is SubjectKind.USER:
            doomed = (await site.person(f"doomed{number}@example.com")).user.id
            deletion = users.delete(admin, doomed)
        else:
            doomed = (await groups.create(admin, f"Doomed {number}")).id
            deletion = groups.delete(admin, doomed)
        subject = Subject(kind, doomed)
        results = await asyncio.gather(
            limits.set(admin, subject, RateLimits(requests=1)),
            grants.add(admin, subject, [model.id]),
            deletion,
            budgets.set(admin, subject, Budget(day=Nanos(1))),
            return_exceptions=True,
        )
        errors = [result for result in results if isinstance(result, BaseException)]
        assert all(isinstance(error, Conflict | NotFound) for error in errors), errors
    async with site.store.engine.connect() as connection:
        for table in ("grants", "rate_limits", "budgets"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar() == 0, table


async def test_a_model_may_be_edited_while_a_provider_model_behind_it_is_deleted(site: Site) -> None:
    admin = await site.person("admin@example.com", Role.ADMIN)
    models, offers = ModelService(site.store, site.clock), ProviderModelService(site.store, site.clock)
    owner = await providers_of(site).create(admin, NewProvider(ProviderKind.DEMO, "Owner"))
    made = await models.create(admin, NewModel("fast"))
    for number in range(ROUNDS):
        behind = [await offers.create(admin, NewProviderModel(owner.id, f"doomed-{number}-{n}")) for n in range(RIVALS)]
        await models.update(admin, made.id, ModelChange(backends=tuple(NewBackend(offer.id) for offer in behind)))
        edits = (models.update(admin, made.id, ModelChange(display_name=f"{number} {n}")) for n in range(RIVALS))
        deletions = (offers.delete(admin, offer.id) for offer in behind)
        results = await asyncio.gather(
            *(x for pair in zip(edits, deletions, strict=True) for x in pair), return_exceptions=True
        )
        errors = [result for result in results if isinstance(result, BaseException)]
        assert all(isinstance(error, Conflict) for error in errors), errors


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
