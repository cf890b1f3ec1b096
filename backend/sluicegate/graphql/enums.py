"""Domain enums under their names in the schema: imported once, they may be used in any annotation."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import CredentialStatus, TokenScope
from sluicegate.domain.mail import LetterKind, MailStatus
from sluicegate.domain.user import Role, UserStatus

strawberry.enum(Role, name="Role")
strawberry.enum(UserStatus, name="UserStatus")
strawberry.enum(LetterKind, name="LetterKind", description="What a letter is about.")
strawberry.enum(
    MailStatus,
    name="MailStatus",
    description="QUEUED letters are tried again until they are of no use; FAILED ones are given up.",
)
strawberry.enum(CredentialStatus, name="ApiKeyStatus")
strawberry.enum(
    TokenScope,
    name="TokenScope",
    description="What an automation token may touch; its owner's role bounds it all the same.",
)
