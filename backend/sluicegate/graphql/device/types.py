"""An assistant's sign-in as the schema shows it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from sluicegate.domain.device import DeviceSignIn as SignInValue


@strawberry.type(description="An assistant that asks to be let in as the viewer.")
class DeviceSignIn:
    user_code: str = strawberry.field(description="What the assistant shows, such as `WDJB-MJHT`.")
    program: str = strawberry.field(description="What it calls itself; nobody has checked that.")
    address: str = strawberry.field(description="The network address from which it asks.")
    created_at: datetime
    expires_at: datetime = strawberry.field(description="Until then it can be answered.")


def sign_in_of(value: SignInValue) -> DeviceSignIn:
    return DeviceSignIn(
        user_code=value.user_code,
        program=value.program,
        address=value.address,
        created_at=value.created_at,
        expires_at=value.expires_at,
    )
