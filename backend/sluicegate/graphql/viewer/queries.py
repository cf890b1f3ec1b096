"""Who is asking, and what answers."""

from __future__ import annotations

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import members
from sluicegate.graphql.users.types import user_of
from sluicegate.graphql.viewer.types import Deployment, Viewer


@strawberry.type
class ViewerQueries:
    @strawberry.field(description="Who is asking.", extensions=[members()])
    def viewer(self, info: Info) -> Viewer:
        caller = info.context.require_caller()
        return Viewer(user=user_of(caller.user), is_admin=caller.is_admin, via_token=caller.scopes is not None)

    @strawberry.field(description="This installation.", extensions=[members()])
    def deployment(self, info: Info) -> Deployment:
        facts = info.context.services.deployment
        return Deployment(
            version=facts.version,
            public_url=facts.url(),
            time_zone=facts.time_zone,
            mail_configured=facts.mail_configured,
        )
