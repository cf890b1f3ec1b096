"""What is loaded for many rows at once."""

from __future__ import annotations

from sluicegate.domain.webhook import Webhook
from sluicegate.graphql.context import Context


async def webhooks(context: Context, ids: list[str]) -> list[Webhook | None]:
    found = await context.services.webhooks.get_many(context.require_caller(), ids)
    return [found.get(webhook_id) for webhook_id in ids]
