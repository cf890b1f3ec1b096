"""All use cases in one value, for the edges to be given."""

from __future__ import annotations

from dataclasses import dataclass

from sluicegate.services.alerts import AlertService
from sluicegate.services.audit import AuditService
from sluicegate.services.auth import AuthService
from sluicegate.services.budgets import BudgetService
from sluicegate.services.bulk import BulkService
from sluicegate.services.deployment import Deployment
from sluicegate.services.device_sign_in import DeviceSignInService
from sluicegate.services.effective import EffectiveService
from sluicegate.services.grants import GrantService
from sluicegate.services.groups import GroupService
from sluicegate.services.health import HealthService
from sluicegate.services.imports import ImportService
from sluicegate.services.installation import InstallationService
from sluicegate.services.invitations import InvitationService
from sluicegate.services.jobs import JobService
from sluicegate.services.keys import KeyService
from sluicegate.services.leaderboard import LeaderboardService
from sluicegate.services.limits import LimitService
from sluicegate.services.mail import MailService
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
from sluicegate.services.recovery import RecoveryService
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
from sluicegate.services.webhooks import WebhookService


@dataclass(frozen=True, slots=True)
class Services:
    deployment: Deployment
    installation: InstallationService
    auth: AuthService
    recovery: RecoveryService
    sessions: SessionService
    users: UserService
    bulk: BulkService
    people_import: PeopleImport
    invitations: InvitationService
    mail: MailService
    groups: GroupService
    keys: KeyService
    tokens: TokenService
    device_sign_in: DeviceSignInService
    scim_tokens: ScimTokenService
    scim_people: ScimPeople
    scim_groups: ScimGroups
    grants: GrantService
    limits: LimitService
    budgets: BudgetService
    effective: EffectiveService
    overrides: OverrideService
    overview: OverviewService
    versions: VersionService
    previews: PreviewService
    policy_file: PolicyFileService
    providers: ProviderService
    price_lists: PriceListService
    provider_models: ProviderModelService
    provider_tests: ProviderTestService
    imports: ImportService
    models: ModelService
    usage: UsageService
    leaderboard: LeaderboardService
    jobs: JobService
    health: HealthService
    audit: AuditService
    secret_rules: SecretRuleService
    alerts: AlertService
    webhooks: WebhookService
    sso: SsoSettingsService
    sso_sign_in: SsoSignIn
    identities: IdentityService
