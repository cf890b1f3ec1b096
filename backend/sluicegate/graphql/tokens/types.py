"""Automation tokens as the schema shows them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from sluicegate.domain.apikey import AutomationToken as TokenValue
from sluicegate.domain.apikey import CredentialStatus, TokenScope


@strawberry.type(description="A token for scripts that use this API.")
class AutomationToken:
    id: strawberry.ID
    name: str
    prefix: str = strawberry.field(description="The first characters, safe to show.")
    scopes: list[TokenScope]
    status: CredentialStatus
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


def token_of(value: TokenValue, now: datetime) -> AutomationToken:
    return AutomationToken(
        id=strawberry.ID(value.id),
        name=value.name,
        prefix=value.prefix,
        scopes=list(value.scopes),
        status=value.status(now),
        created_at=value.created_at,
        last_used_at=value.last_used_at,
        expires_at=value.expires_at,
    )
