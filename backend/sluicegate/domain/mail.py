"""Letters to people, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LetterKind(StrEnum):
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"  # noqa: S105
    BUDGET_ALERT = "budget_alert"
    TEST = "test"


class MailStatus(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Letter:
    """What to tell whom. `facts` fill in the kind's template; they may hold a one-time link."""

    kind: LetterKind
    to: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A letter on its way. `error` is the reason of the last failure, `due_at` the next attempt of a queued one; after
    `expires_at` the letter is of no use, so that nobody tries any more."""

    id: str
    kind: LetterKind
    recipient: str
    user_id: str | None
    status: MailStatus
    attempts: int
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    finished_at: datetime | None = None
    error: str = ""
