"""Alerts and webhooks as the schema shows them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from sluicegate.domain import alert as domain
from sluicegate.domain import webhook as webhooks
from sluicegate.domain.alert import AdminAlerts
from sluicegate.domain.policy import SubjectKind, Window
from sluicegate.domain.webhook import PostKind, PostStatus
from sluicegate.graphql.alerts import loaders
from sluicegate.graphql.context import Info
from sluicegate.graphql.policy import enums as _enums  # noqa: F401 makes the enums known
from sluicegate.graphql.scalars import Usd
from sluicegate.kit.secret import Secret

strawberry.enum(
    AdminAlerts,
    name="AdminAlerts",
    description="Which alerts administrators get beside those about themselves: EVERY one; SHARED, of caps that a "
    "group sets for each member or for its pool; of POOLS alone; or NONE.",
)
strawberry.enum(PostKind, name="WebhookDeliveryKind", description="What is posted to a webhook.")
strawberry.enum(
    PostStatus,
    name="WebhookDeliveryStatus",
    description="QUEUED messages are tried again for a day; FAILED ones are given up.",
)


@strawberry.type(description="That a part of a cap was spent. Labels are those of the time.")
class Alert:
    id: strawberry.ID = strawberry.field(description="Its id.")
    subject_kind: SubjectKind = strawberry.field(description="Who spends: a USER, a KEY or the POOL of a group.")
    subject_id: strawberry.ID = strawberry.field(description="May have been deleted since; a pool has its group's id.")
    subject_label: str = strawberry.field(description="Who spends.")
    user_id: strawberry.ID | None = strawberry.field(description="The person concerned; null for pools.")
    window: Window = strawberry.field(description="Which cap.")
    period: str = strawberry.field(description="Such as 2026-11-24, 2026-W48 or 2026-11.")
    threshold: int = strawberry.field(description="Per cent of the cap that were reached.")
    cap: Usd = strawberry.field(description="The cap at the time.")
    spent: Usd = strawberry.field(description="Spent at the time.")
    blocks: bool = strawberry.field(description="Whether calls are refused since.")
    set_by_kind: SubjectKind = strawberry.field(description="Who set the cap.")
    set_by_id: strawberry.ID = strawberry.field(description="Who set the cap.")
    set_by_label: str = strawberry.field(description="Who set the cap.")
    at: datetime = strawberry.field(description="When it was found.")
    resets_at: datetime = strawberry.field(description="When the period ends.")


def alert_of(value: domain.Alert) -> Alert:
    return Alert(
        id=strawberry.ID(value.id),
        subject_kind=value.subject.kind,
        subject_id=strawberry.ID(value.subject.id),
        subject_label=value.subject_label,
        user_id=None if value.user_id is None else strawberry.ID(value.user_id),
        window=value.window,
        period=value.period,
        threshold=value.threshold,
        cap=Usd(value.cap),
        spent=Usd(value.spent),
        blocks=value.blocks,
        set_by_kind=value.set_by.kind,
        set_by_id=strawberry.ID(value.set_by.id),
        set_by_label=value.set_by_label,
        at=value.at,
        resets_at=value.resets_at,
    )


@strawberry.type(description="An alert that the caller got.")
class AlertNotice:
    alert: Alert = strawberry.field(description="The alert.")
    read_at: datetime | None = strawberry.field(description="When the caller marked it as read.")


def notice_of(value: domain.Notice) -> AlertNotice:
    return AlertNotice(alert=alert_of(value.alert), read_at=value.read_at)


@strawberry.type(description="Somebody else's endpoint that gets alerts. Its secret is never shown again.")
class Webhook:
    id: strawberry.ID = strawberry.field(description="Its id.")
    name: str = strawberry.field(description="For people.")
    url: str = strawberry.field(description="Where alerts are posted to.")
    subjects: list[SubjectKind] = strawberry.field(description="Alerts about whom it gets.")
    enabled: bool = strawberry.field(description="Whether it gets any.")
    created_at: datetime = strawberry.field(description="When it was made.")
    secret_updated_at: datetime = strawberry.field(description="Since when messages are signed with the same secret.")


def webhook_of(value: webhooks.Webhook) -> Webhook:
    return Webhook(
        id=strawberry.ID(value.id),
        name=value.name,
        url=value.url,
        subjects=list(value.subjects),
        enabled=value.enabled,
        created_at=value.created_at,
        secret_updated_at=value.secret_updated_at,
    )


@strawberry.type(description="One message to a webhook, and what became of it.")
class WebhookDelivery:
    id: strawberry.ID = strawberry.field(description="Sent along in the header x-sluicegate-delivery.")
    webhook_id: strawberry.ID = strawberry.field(description="Where it goes.")
    kind: PostKind = strawberry.field(description="What it is.")
    alert_id: strawberry.ID | None = strawberry.field(description="The alert that it tells of.")
    body: str = strawberry.field(description="What is posted, as JSON text.")
    status: PostStatus = strawberry.field(description="What became of it.")
    attempts: int = strawberry.field(description="How often it was tried.")
    response_status: int | None = strawberry.field(description="The HTTP status of the last answer, if there was one.")
    error: str | None = strawberry.field(description="Why the last attempt failed.")
    created_at: datetime = strawberry.field(description="When it was queued.")
    next_attempt_at: datetime | None = strawberry.field(description="When a queued message is tried again.")
    finished_at: datetime | None = strawberry.field(description="When it was delivered or given up.")

    @strawberry.field(description="Where it goes.")
    async def webhook(self, info: Info) -> Webhook | None:
        found = await info.context.loader(loaders.webhooks).load(str(self.webhook_id))
        return webhook_of(found) if found is not None else None


def delivery_of(value: webhooks.Post) -> WebhookDelivery:
    return WebhookDelivery(
        id=strawberry.ID(value.id),
        webhook_id=strawberry.ID(value.webhook_id),
        kind=value.kind,
        alert_id=None if value.alert_id is None else strawberry.ID(value.alert_id),
        body=value.body,
        status=value.status,
        attempts=value.attempts,
        response_status=value.answer,
        error=value.error or None,
        created_at=value.created_at,
        next_attempt_at=value.due_at if value.status is PostStatus.QUEUED else None,
        finished_at=value.finished_at,
    )


@strawberry.type(description="The webhook as changed.")
class WebhookPayload:
    webhook: Webhook = strawberry.field(description="The webhook.")


@strawberry.type(description="A webhook with a new secret.")
class WebhookSecretPayload:
    webhook: Webhook = strawberry.field(description="The webhook.")
    secret: str = strawberry.field(description="What messages are signed with; shown this once.")


def secret_payload(made: tuple[webhooks.Webhook, Secret]) -> WebhookSecretPayload:
    webhook, secret = made
    return WebhookSecretPayload(webhook=webhook_of(webhook), secret=secret.reveal())


@strawberry.type(description="The message as it is now.")
class WebhookDeliveryPayload:
    delivery: WebhookDelivery = strawberry.field(description="The message.")


@strawberry.type(description="What is left after marking.")
class MarkAlertsReadPayload:
    unread: int = strawberry.field(description="How many of the caller's alerts are not read.")


@strawberry.type(description="Who hears of alerts.")
class AlertSettings:
    admins: AdminAlerts = strawberry.field(description="Which alerts administrators get.")
