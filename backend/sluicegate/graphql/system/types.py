"""The server's own affairs as the schema shows them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from sluicegate.domain.job import JobState


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
