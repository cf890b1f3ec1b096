"""Looking at alerts and webhooks."""

from __future__ import annotations

from typing import Annotated

import strawberry

from sluicegate.domain.policy import SubjectKind
from sluicegate.domain.webhook import PostStatus
from sluicegate.graphql.alerts.types import (
    Alert,
    AlertNotice,
    AlertSettings,
    Webhook,
    WebhookDelivery,
    alert_of,
    delivery_of,
    notice_of,
    webhook_of,
)
from sluicegate.graphql.context import Info
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.permissions import admins, members
from sluicegate.ports.alerts import AlertFilter

Kind = Annotated[SubjectKind | None, strawberry.argument(description="Only about these: USER, KEY or POOL.")]
UserId = Annotated[strawberry.ID | None, strawberry.argument(description="Only about this person.")]
GroupId = Annotated[strawberry.ID | None, strawberry.argument(description="Only of caps that this group set.")]
Unread = Annotated[bool, strawberry.argument(description="Only those that are not read yet.")]
WebhookId = Annotated[strawberry.ID | None, strawberry.argument(description="Only to this webhook.")]
Status = Annotated[PostStatus | None, strawberry.argument(description="Only with this outcome.")]


@strawberry.type
class AlertQueries:
    @strawberry.field(description="Everything that was told of budgets, newest first.", extensions=[admins()])
    async def alerts(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        subject_kind: Kind = None,
        user_id: UserId = None,
        group_id: GroupId = None,
    ) -> Connection[Alert]:
        caller, service = info.context.require_caller(), info.context.services.alerts
        where = AlertFilter(subject_kind, user_id and str(user_id), group_id and str(group_id))
        page = await service.page(caller, where, page_request(first, after))
        return connection(page, alert_of, lambda: service.count(caller, where))

    @strawberry.field(description="The alerts that the caller got, newest first.", extensions=[members()])
    async def alert_notices(
        self, info: Info, first: int = 20, after: str | None = None, unread: Unread = False
    ) -> Connection[AlertNotice]:
        caller, service = info.context.require_caller(), info.context.services.alerts
        page = await service.notices(caller, unread, page_request(first, after))
        return connection(page, notice_of, lambda: service.count_notices(caller, unread))

    @strawberry.field(description="Who hears of alerts.", extensions=[admins()])
    async def alert_settings(self, info: Info) -> AlertSettings:
        service = info.context.services.alerts
        return AlertSettings(admins=await service.admin_alerts(info.context.require_caller()))

    @strawberry.field(description="All webhooks, by name.", extensions=[admins()])
    async def webhooks(self, info: Info) -> list[Webhook]:
        found = await info.context.services.webhooks.all(info.context.require_caller())
        return [webhook_of(webhook) for webhook in found]

    @strawberry.field(description="What was posted to webhooks, newest first.", extensions=[admins()])
    async def webhook_deliveries(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        webhook_id: WebhookId = None,
        status: Status = None,
    ) -> Connection[WebhookDelivery]:
        caller, service = info.context.require_caller(), info.context.services.webhooks
        chosen = webhook_id and str(webhook_id)
        page = await service.posts(caller, chosen, status, page_request(first, after))
        return connection(page, delivery_of, lambda: service.count_posts(caller, chosen, status))
