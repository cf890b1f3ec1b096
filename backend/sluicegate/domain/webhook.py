"""Endpoints of others that alerts are posted to, and what became of each."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sluicegate.domain.policy import SubjectKind

MAX_WEBHOOKS = 20
SECRET_PREFIX = "whsec_"  # noqa: S105
# What an alert may be about; a group's cap for each member is about a user.
ALERTED = (SubjectKind.USER, SubjectKind.POOL, SubjectKind.KEY)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Gets the alerts about `subjects`. The secret that signs is kept apart, sealed."""

    id: str
    name: str
    url: str
    subjects: tuple[SubjectKind, ...]
    enabled: bool
    created_at: datetime
    secret_updated_at: datetime


class PostKind(StrEnum):
    ALERT = "alert"
    TEST = "test"


class PostStatus(StrEnum):
    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Post:
    """One message to a webhook. `answer` is the last HTTP status, `error` why the last attempt failed; `due_at` the
    next attempt of a queued one, and after `expires_at` nobody tries any more."""

    id: str
    webhook_id: str
    kind: PostKind
    alert_id: str | None
    body: str
    status: PostStatus
    attempts: int
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    finished_at: datetime | None = None
    answer: int | None = None
    error: str = ""


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """`v1=` and the hexadecimal HMAC-SHA256 under `secret` of the timestamp in decimal, a full stop, and the body."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"
