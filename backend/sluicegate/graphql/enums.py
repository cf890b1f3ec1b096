"""Domain enums under their names in the schema: imported once, they may be used in any annotation."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import CredentialStatus, TokenScope
from sluicegate.domain.user import Role, UserStatus

strawberry.enum(Role, name="Role")
strawberry.enum(UserStatus, name="UserStatus")
strawberry.enum(CredentialStatus, name="ApiKeyStatus")
strawberry.enum(
    TokenScope,
    name="TokenScope",
    description="What an automation token may touch; its owner's role bounds it all the same.",
)
