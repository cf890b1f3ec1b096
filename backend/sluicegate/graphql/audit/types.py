"""The audit log as the schema shows it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from sluicegate.domain.audit import ActorKind
from sluicegate.domain.audit import AuditEvent as EventValue
from sluicegate.graphql.context import Info
from sluicegate.graphql.scalars import Json
from sluicegate.graphql.users import loaders
from sluicegate.graphql.users.types import user_of

if TYPE_CHECKING:
    from sluicegate.graphql.users.types import User

UserType = Annotated["User", strawberry.lazy("sluicegate.graphql.users.types")]

strawberry.enum(
    ActorKind,
    name="ActorKind",
    description="A person in the console, a token, the server itself, or an identity provider (SCIM).",
)


@strawberry.type(description="One field that a change touched.")
class AuditChange:
    field: str
    before: Json | None = strawberry.field(description="Null when the field had no value, or is new.")
    after: Json | None = strawberry.field(description="Null when the field has no value any more.")


@strawberry.type(description="One change. What it says stays as it was written, whatever becomes of those it names.")
class AuditEvent:
    id: strawberry.ID
    at: datetime
    actor_kind: ActorKind
    actor_label: str = strawberry.field(description="Who made the change, by the name of then.")
    action: str = strawberry.field(description="Such as `user.suspend`.")
    target_kind: str = strawberry.field(description="Such as `user`, `group` or `api_key`.")
    target_id: strawberry.ID
    target_label: str = strawberry.field(description="What was changed, by the name of then.")
    changes: list[AuditChange] = strawberry.field(description="The fields that differ.")
    actor_id: strawberry.Private[str | None]

    @strawberry.field(description="The person behind it; null for the server itself and for people who are deleted.")
    async def actor(self, info: Info) -> UserType | None:
        if self.actor_id is None:
            return None
        found = await info.context.loader(loaders.users_by_id).load(self.actor_id)
        return user_of(found) if found is not None else None


def event_of(value: EventValue) -> AuditEvent:
    fields = list(dict.fromkeys([*value.before, *value.after]))
    return AuditEvent(
        id=strawberry.ID(value.id),
        at=value.at,
        actor_kind=value.actor.kind,
        actor_label=value.actor.label,
        action=value.action,
        target_kind=value.target_kind,
        target_id=strawberry.ID(value.target_id),
        target_label=value.target_label,
        changes=[
            AuditChange(field=name, before=value.before.get(name), after=value.after.get(name)) for name in fields
        ],
        actor_id=value.actor.user_id,
    )
