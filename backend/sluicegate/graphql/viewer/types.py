"""The caller and the installation."""

from __future__ import annotations

import strawberry

from sluicegate.graphql.users.types import User


@strawberry.type(description="Who is asking.")
class Viewer:
    user: User
    is_admin: bool
    via_token: bool = strawberry.field(description="Whether an automation token asks for this person.")


@strawberry.type(description="This installation.")
class Deployment:
    version: str
    public_url: str = strawberry.field(description="Where people and assistants reach it.")
    time_zone: str = strawberry.field(description="IANA zone in which budget days begin.")
    mail_configured: bool = strawberry.field(
        description="Whether mail brings invitations and password links; without it they are shown once instead."
    )
