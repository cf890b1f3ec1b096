"""Making and revoking automation tokens."""

from __future__ import annotations

from datetime import datetime

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import members
from sluicegate.graphql.tokens.types import AutomationToken, token_of


@strawberry.input
class CreateAutomationTokenInput:
    name: str
    scopes: list[TokenScope]
    expires_at: datetime | None = None


@strawberry.type(description="A token that was just made.")
class CreateAutomationTokenPayload:
    token: AutomationToken
    secret: str = strawberry.field(description="Shown once.")


@strawberry.type(description="The token as changed.")
class AutomationTokenPayload:
    token: AutomationToken


@strawberry.type
class TokenMutations:
    @strawberry.mutation(description="Makes a token of the viewer's own.", extensions=[members(TokenScope.KEYS)])
    async def create_automation_token(
        self, info: Info, input: CreateAutomationTokenInput
    ) -> CreateAutomationTokenPayload:
        service = info.context.services.tokens
        token, secret = await service.create(info.context.require_caller(), input.name, input.scopes, input.expires_at)
        return CreateAutomationTokenPayload(token=token_of(token, service.now()), secret=secret.reveal())

    @strawberry.mutation(
        description="Stops a token for good; members their own, administrators anyone's.",
        extensions=[members(TokenScope.KEYS)],
    )
    async def revoke_automation_token(self, info: Info, id: strawberry.ID) -> AutomationTokenPayload:
        service = info.context.services.tokens
        token = await service.revoke(info.context.require_caller(), str(id))
        return AutomationTokenPayload(token=token_of(token, service.now()))
