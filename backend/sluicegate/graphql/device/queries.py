"""Finding the assistant that shows a code."""

from __future__ import annotations

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.device.types import DeviceSignIn, sign_in_of
from sluicegate.graphql.permissions import members


@strawberry.type
class DeviceQueries:
    @strawberry.field(
        description="The assistant that shows this code and waits for an answer; for people, not for tokens.",
        extensions=[members()],
    )
    async def device_sign_in(self, info: Info, user_code: str) -> DeviceSignIn:
        service = info.context.services.device_sign_in
        return sign_in_of(await service.waiting(info.context.require_caller(), user_code))
