"""Provisioning: what an identity provider tells of people and groups by SCIM 2.0 (RFC 7643, RFC 7644), and the tokens
that let one in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sluicegate.domain.apikey import CredentialStatus

SCIM_TOKEN_PREFIX = "sgp_"  # noqa: S105
MAX_SCIM_TOKENS = 20
OVERLAP_HOURS = (0, 24)
"""For how long the secret before a rotation may go on working."""


@dataclass(frozen=True, slots=True)
class ScimToken:
    """Belongs to the organisation and to nobody in it, so that it outlives whoever made it. After a rotation the secret
    before lives until `previous_expires_at`."""

    id: str
    name: str
    prefix: str
    token_digest: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    previous_digest: str | None = None
    previous_prefix: str | None = None
    previous_expires_at: datetime | None = None

    @property
    def status(self) -> CredentialStatus:
        return CredentialStatus.ACTIVE if self.revoked_at is None else CredentialStatus.REVOKED

    def takes(self, digest: str, now: datetime) -> bool:
        """Whether a secret with this digest still lets in."""
        if self.revoked_at is not None:
            return False
        return digest == self.token_digest or (digest == self.previous_digest and self.overlap(now) is not None)

    def overlap(self, now: datetime) -> datetime | None:
        """When the secret before the last rotation ends, if it still works."""
        until = self.previous_expires_at
        return until if until is not None and until > now and self.revoked_at is None else None


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What only the identity provider says of a person. `suspended` tells that it suspended them, and nobody has
    suspended or reactivated them in the console since."""

    external_id: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    suspended: bool = False

    @property
    def joined_name(self) -> str:
        return " ".join(part for part in (self.given_name, self.family_name) if part)


class PersonKey(StrEnum):
    """By what people are looked up."""

    ID = "id"
    USER_NAME = "userName"
    EXTERNAL_ID = "externalId"
    DISPLAY_NAME = "displayName"
    ACTIVE = "active"
    GROUP = "groups"


class GroupKey(StrEnum):
    """By what groups are looked up."""

    ID = "id"
    DISPLAY_NAME = "displayName"
    EXTERNAL_ID = "externalId"
    MEMBER = "members"
