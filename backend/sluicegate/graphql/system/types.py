"""The server's own affairs as the schema shows them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from sluicegate.domain.job import JobState
from sluicegate.domain.mail import Delivery, LetterKind, MailStatus
from sluicegate.graphql import enums as _enums  # noqa: F401 makes the enums known


@strawberry.type(description="Recurring work of the server.")
class Job:
    name: str
    running: bool = strawberry.field(description="Whether one of the processes is at it now.")
    started_at: datetime | None = strawberry.field(description="When the last run began.")
    finished_at: datetime | None = strawberry.field(description="When the last run ended, well or not.")
    due_at: datetime = strawberry.field(description="When the next run begins.")
    failures: int = strawberry.field(description="Failed runs in a row.")
    error: str | None = strawberry.field(description="Why the last run failed; null when it went well.")


def job_of(value: JobState, now: datetime) -> Job:
    return Job(
        name=value.name,
        running=value.running(now),
        started_at=value.started_at,
        finished_at=value.finished_at,
        due_at=value.due_at,
        failures=value.failures,
        error=value.error or None,
    )


@strawberry.type(description="A letter and what became of it.")
class MailDelivery:
    id: strawberry.ID
    kind: LetterKind
    recipient: str
    status: MailStatus
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None = strawberry.field(description="When a queued letter is tried again.")
    finished_at: datetime | None = strawberry.field(description="When it was sent, given up or cancelled.")
    error: str | None = strawberry.field(description="What the mail server said last, if it did not take the letter.")


def delivery_of(value: Delivery) -> MailDelivery:
    return MailDelivery(
        id=strawberry.ID(value.id),
        kind=value.kind,
        recipient=value.recipient,
        status=value.status,
        attempts=value.attempts,
        created_at=value.created_at,
        next_attempt_at=value.due_at if value.status is MailStatus.QUEUED else None,
        finished_at=value.finished_at,
        error=value.error or None,
    )
