"""Making, rotating and revoking provisioning tokens."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.scim.types import ScimToken, scim_token_of


@strawberry.type(description="A provisioning token with a secret that was just made.")
class ScimTokenSecretPayload:
    token: ScimToken
    secret: str = strawberry.field(description="Shown once.")


@strawberry.type(description="The provisioning token as changed.")
class ScimTokenPayload:
    token: ScimToken


@strawberry.type
class ScimMutations:
    @strawberry.mutation(
        description="Makes a token for an identity provider. A token needs the scope USERS besides.",
        extensions=[admins(TokenScope.SETTINGS)],
    )
    async def create_scim_token(self, info: Info, name: str) -> ScimTokenSecretPayload:
        service = info.context.services.scim_tokens
        token, secret = await service.create(info.context.require_caller(), name)
        return ScimTokenSecretPayload(token=scim_token_of(token, service.now()), secret=secret.reveal())

    @strawberry.mutation(
        description="Gives a provisioning token a new secret; the one before works for 0 or 24 more hours. A token "
        "needs the scope USERS besides.",
        extensions=[admins(TokenScope.SETTINGS)],
    )
    async def rotate_scim_token(self, info: Info, id: strawberry.ID, overlap_hours: int = 24) -> ScimTokenSecretPayload:
        service = info.context.services.scim_tokens
        token, secret = await service.rotate(info.context.require_caller(), str(id), overlap_hours)
        return ScimTokenSecretPayload(token=scim_token_of(token, service.now()), secret=secret.reveal())

    @strawberry.mutation(
        description="Stops a provisioning token for good. A token needs the scope USERS besides.",
        extensions=[admins(TokenScope.SETTINGS)],
    )
    async def revoke_scim_token(self, info: Info, id: strawberry.ID) -> ScimTokenPayload:
        service = info.context.services.scim_tokens
        token = await service.revoke(info.context.require_caller(), str(id))
        return ScimTokenPayload(token=scim_token_of(token, service.now()))
