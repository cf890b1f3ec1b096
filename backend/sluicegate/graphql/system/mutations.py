"""Trying the server's set-up."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.system.types import MailDelivery, delivery_of


@strawberry.type(description="The mail server took the message.")
class SendTestMailPayload:
    to: str = strawberry.field(description="Where it went.")


@strawberry.type(description="The letter as it is now.")
class MailDeliveryPayload:
    delivery: MailDelivery


@strawberry.type
class SystemMutations:
    @strawberry.mutation(
        description="Sends a message at once. If the mail server does not take it, the error `mail_not_sent` says why.",
        extensions=[admins(TokenScope.SETTINGS)],
    )
    async def send_test_mail(self, info: Info, to: str) -> SendTestMailPayload:
        await info.context.services.mail.send_test(info.context.require_caller(), to)
        return SendTestMailPayload(to=to)

    @strawberry.mutation(
        description="Tries a queued letter at once instead of at its time.", extensions=[admins(TokenScope.SETTINGS)]
    )
    async def retry_mail(self, info: Info, id: strawberry.ID) -> MailDeliveryPayload:
        delivery = await info.context.services.mail.retry(info.context.require_caller(), str(id))
        return MailDeliveryPayload(delivery=delivery_of(delivery))
