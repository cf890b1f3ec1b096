"""Letting an assistant in."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.device.types import DeviceSignIn, sign_in_of
from sluicegate.graphql.permissions import members


@strawberry.type(description="The assistant that was answered.")
class AnswerDeviceSignInPayload:
    sign_in: DeviceSignIn


@strawberry.type
class DeviceMutations:
    @strawberry.mutation(
        description="Lets the assistant that shows this code in as the viewer, with a key of theirs, or sends it away.",
        extensions=[members(TokenScope.KEYS)],
    )
    async def answer_device_sign_in(self, info: Info, user_code: str, approve: bool) -> AnswerDeviceSignInPayload:
        service = info.context.services.device_sign_in
        answered = await service.answer(info.context.require_caller(), user_code, approve=approve)
        return AnswerDeviceSignInPayload(sign_in=sign_in_of(answered))
