"""Sessions as the schema shows them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from sluicegate.domain.client import describe_client
from sluicegate.domain.user import Session as SessionValue
from sluicegate.services.caller import Caller


@strawberry.type(description="A browser in which somebody is signed in.")
class Session:
    id: strawberry.ID
    client: str = strawberry.field(description="Such as `Firefox on Linux`.")
    address: str = strawberry.field(description="Network address at sign-in.")
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime = strawberry.field(description="When it ends even if it is used all the time.")
    current: bool = strawberry.field(description="Whether this very request comes from it.")


def session_of(value: SessionValue, caller: Caller) -> Session:
    return Session(
        id=strawberry.ID(value.id),
        client=describe_client(value.user_agent),
        address=value.address,
        created_at=value.created_at,
        last_seen_at=value.last_seen_at,
        expires_at=value.expires_at,
        current=value.id == caller.session_id,
    )
