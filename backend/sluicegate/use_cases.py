"""Builds all use cases over the parts of one process, for people, scripts and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate import __version__
from sluicegate.premises import catalog_file, encryption_keys
from sluicegate.services.audit import AuditService
from sluicegate.services.budgets import BudgetService
from sluicegate.services.bulk import BulkService
from sluicegate.services.bundle import Services
from sluicegate.services.deployment import Deployment
from sluicegate.services.device_sign_in import DeviceSignInService
from sluicegate.services.effective import EffectiveService
from sluicegate.services.grants import GrantService
from sluicegate.services.groups import GroupService
from sluicegate.services.imports import ImportService
from sluicegate.services.installation import InstallationService, Setting
from sluicegate.services.invitations import InvitationService
from sluicegate.services.jobs import JobService
from sluicegate.services.keys import KeyService
from sluicegate.services.leaderboard import LeaderboardService
from sluicegate.services.limits import LimitService
from sluicegate.services.models import ModelService
from sluicegate.services.overrides import OverrideService
from sluicegate.services.overview import OverviewService
from sluicegate.services.people_import import PeopleImport
from sluicegate.services.policy_file.service import PolicyFileService
from sluicegate.services.previews import PreviewService
from sluicegate.services.price_lists import PriceListService
from sluicegate.services.provider_models import ProviderModelService
from sluicegate.services.provider_tests import ProviderTestService
from sluicegate.services.providers import ProviderService
from sluicegate.services.scim.groups import ScimGroups
from sluicegate.services.scim.people import ScimPeople
from sluicegate.services.scim.tokens import ScimTokenService
from sluicegate.services.secret_rules import SecretRuleService
from sluicegate.services.sessions import SessionService
from sluicegate.services.sso.identities import IdentityService
from sluicegate.services.sso.settings import SsoSettingsService
from sluicegate.services.sso.sign_in import SsoSignIn
from sluicegate.services.tokens import TokenService
from sluicegate.services.usage import UsageService
from sluicegate.services.users import UserService
from sluicegate.services.versions import VersionService

if TYPE_CHECKING:
    from sluicegate.container import Container


def use_cases(of: Container) -> Services:
    settings, store, vault, clock = of.settings, of.store, of.vault, of.clock
    invitations = InvitationService(store, clock, of.url, of.mail)
    provider_tests = ProviderTestService(store, vault, of.upstream, clock, of.demo)
    provider_models = ProviderModelService(store, clock)
    return Services(
        deployment=Deployment(__version__, of.url, settings.time_zone, of.mail.configured),
        installation=InstallationService(
            store,
            vault,
            "PostgreSQL" if settings.database.startswith("postgresql") else "SQLite",
            [Setting(*facts) for facts in settings.described()],
            encryption_keys(settings),
        ),
        auth=of.auth,
        recovery=of.recovery,
        sessions=SessionService(store, clock),
        users=UserService(store),
        bulk=BulkService(store, clock),
        people_import=PeopleImport(store, invitations, of.mail),
        invitations=invitations,
        mail=of.mail,
        groups=GroupService(store, clock),
        keys=KeyService(store, clock),
        tokens=TokenService(store, clock),
        device_sign_in=DeviceSignInService(store, clock, of.url, of.shared.tallies, enabled=settings.assistant_sign_in),
        scim_tokens=ScimTokenService(store, clock, of.url, of.shared.tallies),
        scim_people=ScimPeople(store, clock),
        scim_groups=ScimGroups(store, clock),
        grants=GrantService(store, clock),
        limits=LimitService(store),
        budgets=BudgetService(store),
        effective=EffectiveService(of.policy, of.periods, clock),
        overrides=OverrideService(store, clock),
        overview=OverviewService(store, of.policy, of.periods, clock),
        versions=VersionService(store),
        previews=PreviewService(store, of.crowd, of.periods, clock),
        policy_file=PolicyFileService(store, clock),
        providers=ProviderService(store, vault, clock, allow_private=settings.allow_private_upstreams),
        price_lists=PriceListService(store, clock),
        provider_models=provider_models,
        provider_tests=provider_tests,
        imports=ImportService(store, catalog_file(settings), provider_tests, provider_models),
        models=ModelService(store, clock),
        usage=UsageService(of.usage_reader, settings.zone, clock, of.retention.grains),
        leaderboard=LeaderboardService(of.usage_reader, store, clock, settings.zone),
        jobs=JobService(store, clock),
        health=of.health,
        audit=AuditService(store),
        secret_rules=SecretRuleService(store, clock),
        alerts=of.alerts,
        webhooks=of.webhooks,
        sso=SsoSettingsService(store, vault, clock, of.openid, of.url, allow_private=settings.allow_private_issuers),
        sso_sign_in=SsoSignIn(store, vault, clock, of.openid, of.url, of.shared.tallies),
        identities=IdentityService(store),
    )
