"""Provisioning as the schema shows it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from sluicegate.domain.apikey import CredentialStatus
from sluicegate.domain.scim import ScimToken as ScimTokenValue


@strawberry.type(description="A token by which an identity provider provisions people and groups, and nothing else.")
class ScimToken:
    id: strawberry.ID
    name: str
    prefix: str = strawberry.field(description="The first characters, safe to show.")
    status: CredentialStatus
    created_at: datetime
    created_by: str = strawberry.field(description="Who made it, as they were called then.")
    last_used_at: datetime | None = strawberry.field(description="To the minute.")
    previous_prefix: str | None = strawberry.field(
        description="The first characters of the secret before the last rotation, as long as that works."
    )
    previous_expires_at: datetime | None = strawberry.field(
        description="When the secret before the last rotation ends; null when it has."
    )


@strawberry.type(description="How an identity provider reaches this server by SCIM 2.0.")
class Provisioning:
    base_url: str = strawberry.field(description="What the identity provider asks for as the tenant or base URL.")
    tokens: list[ScimToken] = strawberry.field(description="Newest first, revoked ones among them.")


def scim_token_of(value: ScimTokenValue, now: datetime) -> ScimToken:
    until = value.overlap(now)
    return ScimToken(
        id=strawberry.ID(value.id),
        name=value.name,
        prefix=value.prefix,
        status=value.status,
        created_at=value.created_at,
        created_by=value.created_by,
        last_used_at=value.last_used_at,
        previous_prefix=value.previous_prefix if until is not None else None,
        previous_expires_at=until,
    )
