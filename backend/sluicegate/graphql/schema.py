"""The one schema: root types put together from the nouns, with the limits that hold for every request."""

from __future__ import annotations

import strawberry
from graphql import GraphQLError
from strawberry.extensions import MaxTokensLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from sluicegate.graphql import limits
from sluicegate.graphql.alerts.mutations import AlertMutations
from sluicegate.graphql.alerts.queries import AlertQueries
from sluicegate.graphql.audit.queries import AuditQueries
from sluicegate.graphql.catalog.imports import ImportMutations as ModelImportMutations
from sluicegate.graphql.catalog.imports import ImportQueries
from sluicegate.graphql.catalog.model_mutations import ModelMutations
from sluicegate.graphql.catalog.provider_mutations import ProviderMutations
from sluicegate.graphql.catalog.queries import CatalogQueries
from sluicegate.graphql.context import Context
from sluicegate.graphql.device.mutations import DeviceMutations
from sluicegate.graphql.device.queries import DeviceQueries
from sluicegate.graphql.errors import present
from sluicegate.graphql.groups.mutations import GroupMutations
from sluicegate.graphql.groups.queries import GroupQueries
from sluicegate.graphql.invitations.mutations import InvitationMutations
from sluicegate.graphql.keys.mutations import KeyMutations
from sluicegate.graphql.keys.queries import KeyQueries
from sluicegate.graphql.overview.queries import OverviewQueries
from sluicegate.graphql.policy.files import PolicyFileMutations, PolicyFileQueries
from sluicegate.graphql.policy.mutations import PolicyMutations
from sluicegate.graphql.policy.overrides import OverrideMutations
from sluicegate.graphql.policy.pools import PoolMutations
from sluicegate.graphql.policy.previews import PreviewQueries
from sluicegate.graphql.policy.queries import PolicyQueries
from sluicegate.graphql.scalars import SCALARS
from sluicegate.graphql.scim.mutations import ScimMutations
from sluicegate.graphql.scim.queries import ScimQueries
from sluicegate.graphql.secret_rules.mutations import SecretRuleMutations
from sluicegate.graphql.secret_rules.queries import SecretRuleQueries
from sluicegate.graphql.sessions.mutations import SessionMutations
from sluicegate.graphql.sessions.queries import SessionQueries
from sluicegate.graphql.sso.mutations import SsoMutations
from sluicegate.graphql.sso.queries import SsoQueries
from sluicegate.graphql.system.mutations import SystemMutations
from sluicegate.graphql.system.queries import SystemQueries
from sluicegate.graphql.tokens.mutations import TokenMutations
from sluicegate.graphql.tokens.queries import TokenQueries
from sluicegate.graphql.usage.queries import UsageMutations, UsageQueries
from sluicegate.graphql.users.bulk import BulkUserMutations
from sluicegate.graphql.users.importing import ImportMutations
from sluicegate.graphql.users.mutations import UserMutations
from sluicegate.graphql.users.queries import UserQueries
from sluicegate.graphql.viewer.mutations import ViewerMutations
from sluicegate.graphql.viewer.queries import ViewerQueries


@strawberry.type(description="What can be asked.")
class Query(
    ViewerQueries,
    UserQueries,
    GroupQueries,
    KeyQueries,
    TokenQueries,
    ScimQueries,
    CatalogQueries,
    ImportQueries,
    PolicyQueries,
    PreviewQueries,
    PolicyFileQueries,
    UsageQueries,
    SessionQueries,
    AuditQueries,
    SecretRuleQueries,
    SystemQueries,
    AlertQueries,
    OverviewQueries,
    SsoQueries,
    DeviceQueries,
):
    pass


@strawberry.type(description="What can be changed.")
class Mutation(
    ViewerMutations,
    UserMutations,
    BulkUserMutations,
    ImportMutations,
    InvitationMutations,
    GroupMutations,
    KeyMutations,
    TokenMutations,
    ScimMutations,
    ProviderMutations,
    ModelImportMutations,
    ModelMutations,
    PolicyMutations,
    SessionMutations,
    SystemMutations,
    PoolMutations,
    OverrideMutations,
    PolicyFileMutations,
    SecretRuleMutations,
    UsageMutations,
    AlertMutations,
    SsoMutations,
    DeviceMutations,
):
    pass


class Schema(strawberry.Schema):
    """Gives every error its code before anyone sees it."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        context = execution_context.context if execution_context is not None else None
        document = execution_context.graphql_document if execution_context is not None else None
        for error in errors:
            present(error, context.request_id if isinstance(context, Context) else "", document)


def build_schema() -> Schema:
    return Schema(
        query=Query,
        mutation=Mutation,
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
        extensions=[
            lambda: MaxTokensLimiter(max_token_count=limits.MAX_TOKENS),
            limits.RequestLimits,
        ],
    )
