"""Setting up single sign-on. A token needs every scope for it: whoever names the issuer can come in as anybody."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.sso import GroupMapping
from sluicegate.graphql.context import Info
from sluicegate.graphql.inputs import clearable, required
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.sso.types import SingleSignOn, SsoTest, setup_of, test_of
from sluicegate.graphql.users.types import UserPayload, user_payload
from sluicegate.graphql.versions import EXPECTED
from sluicegate.kit.secret import Secret
from sluicegate.services.absent import Absent
from sluicegate.services.sso.settings import SsoChange, SsoSetup


@strawberry.input(description="An absent field stays as it is.")
class UpdateSingleSignOnInput:
    enabled: bool | None = strawberry.UNSET
    issuer: str | None = strawberry.UNSET
    client_id: str | None = strawberry.UNSET
    client_secret: str | None = strawberry.field(
        default=strawberry.UNSET, description="Null removes it, for a public client. It has to come with a new issuer."
    )
    label: str | None = strawberry.UNSET
    scopes: list[str] | None = strawberry.UNSET
    groups_claim: str | None = strawberry.UNSET
    creates_people: bool | None = strawberry.UNSET
    domains: list[str] | None = strawberry.UNSET
    members_use_passwords: bool | None = strawberry.UNSET
    trusts_email: bool | None = strawberry.UNSET
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)


@strawberry.input
class SsoGroupMappingInput:
    value: str
    group_id: strawberry.ID


@strawberry.input(description="In place of all rows and values that there are.")
class SetSsoMappingInput:
    mappings: list[SsoGroupMappingInput]
    admin_values: list[str] = strawberry.field(default_factory=list)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)


@strawberry.type(description="Single sign-on as changed.")
class SingleSignOnPayload:
    single_sign_on: SingleSignOn


@strawberry.type
class SsoMutations:
    @strawberry.mutation(
        description="Changes how people sign in, at once and on every server. Tokens need every scope.",
        extensions=[admins(TokenScope.SETTINGS)],
    )
    async def update_single_sign_on(self, info: Info, input: UpdateSingleSignOnInput) -> SingleSignOnPayload:
        change = SsoChange(
            enabled=required(input.enabled, "enabled"),
            issuer=required(input.issuer, "issuer"),
            client_id=required(input.client_id, "clientId"),
            client_secret=_secret(clearable(input.client_secret)),
            label=required(input.label, "label"),
            scopes=required(input.scopes, "scopes"),
            groups_claim=required(input.groups_claim, "groupsClaim"),
            creates_people=required(input.creates_people, "createsPeople"),
            domains=required(input.domains, "domains"),
            members_use_passwords=required(input.members_use_passwords, "membersUsePasswords"),
            trusts_email=required(input.trusts_email, "trustsEmail"),
        )
        service, caller = info.context.services.sso, info.context.require_caller()
        return _payload(await service.update(caller, change, input.expected_version))

    @strawberry.mutation(
        description="Sets which values of the groups claim give what, from each person's next sign-in on. Tokens need "
        "every scope.",
        extensions=[admins(TokenScope.SETTINGS)],
    )
    async def set_sso_mapping(self, info: Info, input: SetSsoMappingInput) -> SingleSignOnPayload:
        rows = [GroupMapping(row.value, str(row.group_id)) for row in input.mappings]
        service, caller = info.context.services.sso, info.context.require_caller()
        return _payload(await service.set_mapping(caller, rows, input.admin_values, input.expected_version))

    @strawberry.mutation(
        description="Asks an issuer what it offers, by default the one that is set. Tokens need every scope.",
        extensions=[admins(TokenScope.SETTINGS)],
    )
    async def test_single_sign_on(self, info: Info, issuer: str | None = None) -> SsoTest:
        return test_of(await info.context.services.sso.test(info.context.require_caller(), issuer))

    @strawberry.mutation(
        description="The account elsewhere lets nobody in here any more, unless it is linked again. Ends the person's "
        "sessions; what single sign-on gave stays.",
        extensions=[admins(TokenScope.USERS)],
    )
    async def unlink_identity(self, info: Info, id: strawberry.ID) -> UserPayload:
        return user_payload(await info.context.services.identities.unlink(info.context.require_caller(), str(id)))


def _secret(text: str | Absent | None) -> Secret | Absent | None:
    return Secret(text) if isinstance(text, str) else text


def _payload(setup: SsoSetup) -> SingleSignOnPayload:
    return SingleSignOnPayload(single_sign_on=setup_of(setup))
