"""What can be asked about single sign-on."""

from __future__ import annotations

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.sso.types import SingleSignOn, setup_of


@strawberry.type
class SsoQueries:
    @strawberry.field(description="How people sign in through an identity provider.", extensions=[admins()])
    async def single_sign_on(self, info: Info) -> SingleSignOn:
        return setup_of(await info.context.services.sso.get(info.context.require_caller()))
