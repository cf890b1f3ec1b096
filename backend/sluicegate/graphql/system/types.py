"""The server's own affairs as the schema shows them."""

from __future__ import annotations

from datetime import UTC, datetime

import strawberry

from sluicegate.domain.job import JobState
from sluicegate.domain.mail import Delivery, LetterKind, MailStatus
from sluicegate.graphql import enums as _enums  # noqa: F401 makes the enums known
from sluicegate.ports.health import BackendState
from sluicegate.services.health import ServingBackend
from sluicegate.services.installation import Encryption as EncryptionValue
from sluicegate.services.installation import EncryptionKey as EncryptionKeyValue


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


strawberry.enum(
    BackendState,
    name="BackendState",
    description="HEALTHY takes calls. RESTING takes none, or only those that no other backend takes. PROBING has "
    "rested, and its next call decides.",
)


@strawberry.type(description="An active model that calls name.")
class ServedModel:
    id: strawberry.ID
    slug: str
    alone: bool = strawberry.field(description="Whether every other backend of it rests, or there is none.")


@strawberry.type(
    description="How one model of a provider answers. Counts run since this process started, or since the provider's "
    "address or credential last changed."
)
class BackendHealth:
    provider_id: strawberry.ID
    provider_name: str
    provider_model: str = strawberry.field(description="The name that the provider knows.")
    serves: list[ServedModel] = strawberry.field(description="By slug.")
    state: BackendState
    rests_until: datetime | None = strawberry.field(description="When it may be tried again; null unless it rests.")
    in_flight: int = strawberry.field(description="Calls whose answer has not begun.")
    answered: int = strawberry.field(description="Calls that it answered, whatever it said of them.")
    refused: int = strawberry.field(description="Calls that it answered with 429 or 5xx.")
    unreached: int = strawberry.field(description="Calls that got no answer.")
    broke_off: int = strawberry.field(description="Answers that ended too early; they were counted as answered before.")
    head_ms: float | None = strawberry.field(description="Milliseconds until an answer begins, averaged over the last.")
    last_failure: str | None
    last_failure_at: datetime | None


def backend_health_of(value: ServingBackend) -> BackendHealth:
    health = value.health
    return BackendHealth(
        provider_id=strawberry.ID(value.provider_id),
        provider_name=value.provider_name,
        provider_model=value.provider_model,
        serves=[ServedModel(id=strawberry.ID(model.id), slug=model.slug, alone=model.alone) for model in value.serves],
        state=health.state,
        rests_until=_moment(health.rests_until),
        in_flight=health.in_flight,
        answered=health.answered,
        refused=health.refused,
        unreached=health.unreached,
        broke_off=health.broke_off,
        head_ms=health.head_ms,
        last_failure=health.last_failure,
        last_failure_at=_moment(health.last_failure_at),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@strawberry.type(description="A setting of the server. It is read from the environment at start and changed there.")
class Setting:
    name: str = strawberry.field(description="The environment variable that sets it.")
    description: str
    value: str | None = strawberry.field(description="What is in force; null when there is none, and for secrets.")
    given: bool = strawberry.field(description="Whether somebody set it; otherwise it has its default.")
    secret: bool = strawberry.field(description="Whether its value is never shown.")


@strawberry.type(description="A key that wraps stored credentials. The key itself is never shown.")
class EncryptionKey:
    id: strawberry.ID = strawberry.field(description="Tells one key from another, and nothing of the key.")
    made_at: datetime | None = strawberry.field(description="When it was generated here; null for one that was given.")
    credentials: int = strawberry.field(description="How many stored credentials are sealed under it.")


@strawberry.type(description="How credentials are kept.")
class Encryption:
    primary: EncryptionKey = strawberry.field(description="Seals whatever is stored from now on.")
    secondary: EncryptionKey | None = strawberry.field(
        description="Opens what was sealed before the key was changed; null when there is none."
    )
    unreadable: int = strawberry.field(description="Stored credentials that neither key opens.")


@strawberry.type(description="How this server is set up.")
class Installation:
    database: str = strawberry.field(description="The kind of database, such as SQLite.")
    invitation_days: int = strawberry.field(description="For how many days an invitation's link works.")
    password_link_minutes: int = strawberry.field(description="For how many minutes a link for a new password works.")
    settings: list[Setting] = strawberry.field(description="Every setting, in the order of the documentation.")
    encryption: Encryption


def encryption_of(value: EncryptionValue) -> Encryption:
    def shown(key: EncryptionKeyValue) -> EncryptionKey:
        return EncryptionKey(id=strawberry.ID(key.id), made_at=key.made_at, credentials=value.sealed[key.id])

    return Encryption(
        primary=shown(value.primary),
        secondary=shown(value.secondary) if value.secondary else None,
        unreadable=value.sealed[None],
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
    user_id: strawberry.ID | None = strawberry.field(description="Whom it is about; may have been deleted since.")


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
        user_id=None if value.user_id is None else strawberry.ID(value.user_id),
    )
