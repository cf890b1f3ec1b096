"""What is written down about a change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class ActorKind(StrEnum):
    USER = "user"
    TOKEN = "token"  # noqa: S105
    SYSTEM = "system"
    SCIM = "scim"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change. `user_id` is None for the system itself."""

    kind: ActorKind
    label: str
    user_id: str | None = None
    token_id: str | None = None


SYSTEM = Actor(ActorKind.SYSTEM, "system")
# What an identity provider says of somebody gives and takes by itself.
SSO = Actor(ActorKind.SYSTEM, "sso")


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One change. `before` and `after` hold only the fields that changed, never a secret."""

    id: str
    at: datetime
    actor: Actor
    action: str
    target_kind: str
    target_id: str
    target_label: str
    before: dict[str, Any]
    after: dict[str, Any]
