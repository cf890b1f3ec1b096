"""People as the schema shows them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from sluicegate.domain.user import Role, UserStatus
from sluicegate.domain.user import User as UserValue
from sluicegate.domain.version import Editable, Edited
from sluicegate.graphql import enums as _enums  # noqa: F401 makes the enums known
from sluicegate.graphql.context import Info
from sluicegate.graphql.users import loaders
from sluicegate.graphql.versions import VERSION, version_of

if TYPE_CHECKING:
    from sluicegate.graphql.groups.types import Group
    from sluicegate.graphql.keys.types import ApiKey
    from sluicegate.graphql.policy.overrides import Override
    from sluicegate.graphql.policy.types import Budget, EffectivePolicy, Grant, RateLimit
    from sluicegate.graphql.sessions.types import Session
    from sluicegate.graphql.sso.types import Identity, LastSignIn
    from sluicegate.graphql.system.types import MailDelivery

GroupType = Annotated["Group", strawberry.lazy("sluicegate.graphql.groups.types")]
ApiKeyType = Annotated["ApiKey", strawberry.lazy("sluicegate.graphql.keys.types")]
GrantType = Annotated["Grant", strawberry.lazy("sluicegate.graphql.policy.types")]
RateLimitType = Annotated["RateLimit", strawberry.lazy("sluicegate.graphql.policy.types")]
BudgetType = Annotated["Budget", strawberry.lazy("sluicegate.graphql.policy.types")]
MailDeliveryType = Annotated["MailDelivery", strawberry.lazy("sluicegate.graphql.system.types")]
SessionType = Annotated["Session", strawberry.lazy("sluicegate.graphql.sessions.types")]
OverrideType = Annotated["Override", strawberry.lazy("sluicegate.graphql.policy.overrides")]
IdentityType = Annotated["Identity", strawberry.lazy("sluicegate.graphql.sso.types")]
LastSignInType = Annotated["LastSignIn", strawberry.lazy("sluicegate.graphql.sso.types")]
PolicyType = Annotated["EffectivePolicy", strawberry.lazy("sluicegate.graphql.policy.types")]


@strawberry.type(description="A person.")
class User:
    id: strawberry.ID
    email: str
    name: str = strawberry.field(description="Empty until an invitation is accepted.")
    role: Role
    status: UserStatus
    created_at: datetime
    last_active_at: datetime | None = strawberry.field(description="Last seen in the console or calling a model.")

    @strawberry.field(description="When the pending invitation's link dies; null unless status is INVITED.")
    async def invitation_expires_at(self, info: Info) -> datetime | None:
        if self.status is not UserStatus.INVITED:
            return None
        link = await info.context.loader(loaders.pending_invitations).load(str(self.id))
        return link.expires_at if link is not None else None

    @strawberry.field(description="The letter with the pending invitation; null when no mail brings it.")
    async def invitation_mail(self, info: Info) -> MailDeliveryType | None:
        from sluicegate.graphql.system.types import delivery_of

        if self.status is not UserStatus.INVITED:
            return None
        found = await info.context.loader(loaders.invitation_mail).load(str(self.id))
        return delivery_of(found) if found is not None else None

    @strawberry.field(description="The groups that this person is in, by name.")
    async def groups(self, info: Info) -> list[GroupType]:
        from sluicegate.graphql.groups.types import group_of

        return [group_of(group) for group in await info.context.loader(loaders.groups_of_users).load(str(self.id))]

    @strawberry.field(description="Newest first; without their secrets.")
    async def api_keys(self, info: Info) -> list[ApiKeyType]:
        from sluicegate.graphql.keys.types import key_of

        now = info.context.services.keys.now()
        return [key_of(key, now) for key in await info.context.loader(loaders.keys_of_users).load(str(self.id))]

    @strawberry.field(description="Where this person is signed in, the session seen last first.")
    async def sessions(self, info: Info) -> list[SessionType]:
        from sluicegate.graphql.sessions.types import session_of

        found = await info.context.loader(loaders.sessions_of_users).load(str(self.id))
        return [session_of(session, info.context.require_caller()) for session in found]

    @strawberry.field(description="Accounts at identity providers by which this person signs in, the last used first.")
    async def identities(self, info: Info) -> list[IdentityType]:
        from sluicegate.graphql.sso.types import identity_of

        found = await info.context.loader(loaders.identities_of_users).load(str(self.id))
        return [identity_of(identity) for identity in found]

    @strawberry.field(description="Null until the next time for whoever last came in before this was kept.")
    async def last_sign_in(self, info: Info) -> LastSignInType | None:
        from sluicegate.graphql.sso.types import last_sign_in_of

        found = await info.context.loader(loaders.last_sign_ins).load(str(self.id))
        return last_sign_in_of(found) if found is not None else None

    @strawberry.field(description=VERSION)
    async def version(self, info: Info) -> int:
        return await version_of(Edited(Editable.USER, str(self.id)), info)

    @strawberry.field(description="The user's own grants.")
    async def grants(self, info: Info) -> list[GrantType]:
        from sluicegate.graphql.policy import fields

        return await fields.user_grants(str(self.id), info)

    @strawberry.field(description="Grants that come through a group.")
    async def inherited_grants(self, info: Info) -> list[GrantType]:
        from sluicegate.graphql.policy import fields

        return await fields.user_inherited_grants(str(self.id), info)

    @strawberry.field(description="The user's own values; null fields set no limit.")
    async def rate_limit(self, info: Info) -> RateLimitType:
        from sluicegate.graphql.policy import fields

        return await fields.user_rate_limit(str(self.id), info)

    @strawberry.field(description="The user's own caps.")
    async def budget(self, info: Info) -> BudgetType:
        from sluicegate.graphql.policy import fields

        return await fields.user_budget(str(self.id), info)

    @strawberry.field(description="Temporary raises that run, newest first; with `past` also those that ended.")
    async def overrides(self, info: Info, past: bool = False) -> list[OverrideType]:
        from sluicegate.graphql.policy import fields

        return await fields.user_overrides(str(self.id), past, info)

    @strawberry.field(description="What holds after everything is merged.")
    async def effective_policy(self, info: Info) -> PolicyType:
        from sluicegate.graphql.policy import fields

        return await fields.user_effective_policy(str(self.id), info)


def user_of(value: UserValue) -> User:
    return User(
        id=strawberry.ID(value.id),
        email=value.email,
        name=value.name,
        role=value.role,
        status=value.status,
        created_at=value.created_at,
        last_active_at=value.last_active_at,
    )


@strawberry.type(description="The person as changed.")
class UserPayload:
    user: User


def user_payload(value: UserValue) -> UserPayload:
    return UserPayload(user=user_of(value))
