"""Reading alerts off, and changing webhooks."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.domain.alert import AdminAlerts
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import SubjectKind
from sluicegate.graphql.alerts.types import (
    AlertSettings,
    MarkAlertsReadPayload,
    WebhookDeliveryPayload,
    WebhookPayload,
    WebhookSecretPayload,
    delivery_of,
    secret_payload,
    webhook_of,
)
from sluicegate.graphql.context import Info
from sluicegate.graphql.inputs import required
from sluicegate.graphql.payloads import DeletedPayload, deleted
from sluicegate.graphql.permissions import admins, members
from sluicegate.services.webhooks import NewWebhook, WebhookChange

_SUBJECTS = "Alerts about whom it gets: USER, POOL, KEY. What a group caps for each member is about a USER."


@strawberry.input(description="A new webhook.")
class CreateWebhookInput:
    name: str = strawberry.field(description="For people.")
    url: str = strawberry.field(description="Where alerts are posted to; private addresses need a setting.")
    subjects: list[SubjectKind] = strawberry.field(description=_SUBJECTS)
    enabled: bool = strawberry.field(default=True, description="Whether it gets any.")


@strawberry.input(description="An absent field stays as it is.")
class UpdateWebhookInput:
    id: strawberry.ID = strawberry.field(description="The webhook.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="For people.")
    url: str | None = strawberry.field(default=strawberry.UNSET, description="Where alerts are posted to.")
    subjects: list[SubjectKind] | None = strawberry.field(default=strawberry.UNSET, description=_SUBJECTS)
    enabled: bool | None = strawberry.field(default=strawberry.UNSET, description="Whether it gets any.")


Hook = Annotated[strawberry.ID, strawberry.argument(description="The webhook.")]
Ids = Annotated[list[strawberry.ID] | None, strawberry.argument(description="Ids of alerts; all when left out.")]


@strawberry.type
class AlertMutations:
    @strawberry.mutation(
        description="Marks alerts that the caller got as read.", extensions=[members(TokenScope.USERS)]
    )
    async def mark_alerts_read(self, info: Info, ids: Ids = None) -> MarkAlertsReadPayload:
        service, chosen = info.context.services.alerts, None if ids is None else [str(id) for id in ids]
        return MarkAlertsReadPayload(unread=await service.mark_read(info.context.require_caller(), chosen))

    @strawberry.mutation(
        description="Chooses which alerts administrators get.", extensions=[admins(TokenScope.SETTINGS)]
    )
    async def set_alert_settings(self, info: Info, admins: AdminAlerts) -> AlertSettings:
        service = info.context.services.alerts
        return AlertSettings(admins=await service.set_admin_alerts(info.context.require_caller(), admins))

    @strawberry.mutation(
        description="Makes a webhook; its secret is shown this once.", extensions=[admins(TokenScope.SETTINGS)]
    )
    async def create_webhook(self, info: Info, input: CreateWebhookInput) -> WebhookSecretPayload:
        new = NewWebhook(input.name, input.url, input.subjects, input.enabled)
        return secret_payload(await info.context.services.webhooks.create(info.context.require_caller(), new))

    @strawberry.mutation(description="Changes a webhook.", extensions=[admins(TokenScope.SETTINGS)])
    async def update_webhook(self, info: Info, input: UpdateWebhookInput) -> WebhookPayload:
        change = WebhookChange(
            required(input.name, "name"),
            required(input.url, "url"),
            required(input.subjects, "subjects"),
            required(input.enabled, "enabled"),
        )
        service = info.context.services.webhooks
        changed = await service.update(info.context.require_caller(), str(input.id), change)
        return WebhookPayload(webhook=webhook_of(changed))

    @strawberry.mutation(
        description="From now on everything is signed with a new secret, which is shown this once.",
        extensions=[admins(TokenScope.SETTINGS)],
    )
    async def rotate_webhook_secret(self, info: Info, id: Hook) -> WebhookSecretPayload:
        service = info.context.services.webhooks
        return secret_payload(await service.rotate_secret(info.context.require_caller(), str(id)))

    @strawberry.mutation(
        description="Nothing is posted to it any more; its log goes too.", extensions=[admins(TokenScope.SETTINGS)]
    )
    async def delete_webhook(self, info: Info, id: Hook) -> DeletedPayload:
        await info.context.services.webhooks.delete(info.context.require_caller(), str(id))
        return deleted(id)

    @strawberry.mutation(
        description="Posts a test message at once and waits for the answer; the log keeps it.",
        extensions=[admins(TokenScope.SETTINGS)],
    )
    async def test_webhook(self, info: Info, id: Hook) -> WebhookDeliveryPayload:
        service = info.context.services.webhooks
        return WebhookDeliveryPayload(delivery=delivery_of(await service.test(info.context.require_caller(), str(id))))

    @strawberry.mutation(
        description="Tries a message at once that was not delivered, given up or not.",
        extensions=[admins(TokenScope.SETTINGS)],
    )
    async def retry_webhook_delivery(self, info: Info, id: strawberry.ID) -> WebhookDeliveryPayload:
        service = info.context.services.webhooks
        delivery = await service.retry(info.context.require_caller(), str(id))
        return WebhookDeliveryPayload(delivery=delivery_of(delivery))
