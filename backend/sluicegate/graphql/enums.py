"""Domain enums under their names in the schema."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import CredentialStatus, TokenScope
from sluicegate.domain.user import Role, UserStatus

RoleEnum = strawberry.enum(Role, name="Role")
UserStatusEnum = strawberry.enum(UserStatus, name="UserStatus")
ApiKeyStatusEnum = strawberry.enum(CredentialStatus, name="ApiKeyStatus")
TokenScopeEnum = strawberry.enum(
    TokenScope,
    name="TokenScope",
    description="What an automation token may touch; its owner's role bounds it all the same.",
)
