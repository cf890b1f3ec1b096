"""Single sign-on as the schema shows it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from sluicegate.domain.sso import GroupMapping, SignInWay
from sluicegate.domain.sso import Identity as IdentityValue
from sluicegate.domain.sso import LastSignIn as LastSignInValue
from sluicegate.graphql.context import Info
from sluicegate.graphql.groups import loaders
from sluicegate.graphql.versions import VERSION, version_of
from sluicegate.ports.sso import Examined
from sluicegate.services.sso.settings import THING, SsoSetup

if TYPE_CHECKING:
    from sluicegate.graphql.groups.types import Group

GroupType = Annotated["Group", strawberry.lazy("sluicegate.graphql.groups.types")]

strawberry.enum(
    SignInWay,
    name="SignInWay",
    description="PASSWORD, LINK (an invitation or a link for a new password), or SSO (the identity provider).",
)


@strawberry.type(description="Whoever has the value in the groups claim is a member of the group.")
class SsoGroupMapping:
    value: str
    group_id: strawberry.ID

    @strawberry.field(description="Null when it was deleted at this moment.")
    async def group(self, info: Info) -> GroupType | None:
        from sluicegate.graphql.groups.types import group_of

        found = await info.context.loader(loaders.groups_by_id).load(str(self.group_id))
        return group_of(found) if found is not None else None


@strawberry.type(description="How people sign in through an identity provider (OpenID Connect).")
class SingleSignOn:
    enabled: bool
    issuer: str = strawberry.field(description="As the provider names itself, to the letter; empty when not set.")
    client_id: str
    client_secret_updated_at: datetime | None = strawberry.field(
        description="When the client secret was set; null when there is none. The secret itself is never shown."
    )
    label: str = strawberry.field(description="What the button on the sign-in page names; empty for `single sign-on`.")
    scopes: list[str] = strawberry.field(description="Asked for beside `openid`, `email` and `profile`.")
    groups_claim: str = strawberry.field(description="A claim, or the path to one, such as `realm_access.roles`.")
    creates_people: bool = strawberry.field(description="Whether people who come for the first time get an account.")
    domains: list[str] = strawberry.field(description="E-mail domains of those who get an account; empty for any.")
    members_use_passwords: bool = strawberry.field(
        description="Whether members may sign in with a password too; administrators always may."
    )
    trusts_email: bool = strawberry.field(
        description="Whether addresses count as verified where the provider does not say; never where it says no."
    )
    admin_values: list[str] = strawberry.field(description="Values of the groups claim that make an administrator.")
    mappings: list[SsoGroupMapping] = strawberry.field(description="By value.")
    redirect_url: str = strawberry.field(description="What has to be registered at the provider.")

    @strawberry.field(description=VERSION)
    async def version(self, info: Info) -> int:
        return await version_of(THING, info)


def setup_of(value: SsoSetup) -> SingleSignOn:
    settings = value.settings
    return SingleSignOn(
        enabled=settings.enabled,
        issuer=settings.issuer,
        client_id=settings.client_id,
        client_secret_updated_at=settings.secret_updated_at,
        label=settings.label,
        scopes=list(settings.scopes),
        groups_claim=settings.groups_claim,
        creates_people=settings.creates_people,
        domains=list(settings.domains),
        members_use_passwords=settings.members_use_passwords,
        trusts_email=settings.trusts_email,
        admin_values=list(settings.admin_values),
        mappings=[_mapping_of(row) for row in value.mappings],
        redirect_url=value.redirect_url,
    )


def _mapping_of(value: GroupMapping) -> SsoGroupMapping:
    return SsoGroupMapping(value=value.value, group_id=strawberry.ID(value.group_id))


@strawberry.type(description="What was found out about an identity provider.")
class SsoTest:
    problems: list[str] = strawberry.field(description="For each of these nobody can sign in; empty when all is well.")
    notes: list[str] = strawberry.field(description="What is worth a look and keeps nobody out.")


def test_of(value: Examined) -> SsoTest:
    return SsoTest(problems=list(value.problems), notes=list(value.notes))


@strawberry.type(description="An account at an identity provider by which a person signs in.")
class Identity:
    id: strawberry.ID
    issuer: str
    subject: str = strawberry.field(description="What the provider knows the person by.")
    email: str = strawberry.field(description="What the provider said last; the account here keeps its own.")
    linked_at: datetime
    last_used_at: datetime


def identity_of(value: IdentityValue) -> Identity:
    return Identity(
        id=strawberry.ID(value.id),
        issuer=value.issuer,
        subject=value.subject,
        email=value.email,
        linked_at=value.linked_at,
        last_used_at=value.last_used_at,
    )


@strawberry.type(description="When and how somebody came in last.")
class LastSignIn:
    at: datetime
    way: SignInWay


def last_sign_in_of(value: LastSignInValue) -> LastSignIn:
    return LastSignIn(at=value.at, way=value.way)
