"""Temporary raises."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from sluicegate.domain import policy as domain
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import Dimension, Window
from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.policy import enums as _enums  # noqa: F401 makes the enums known
from sluicegate.graphql.scalars import Usd
from sluicegate.kit.errors import InvalidInput
from sluicegate.services.overrides import NewOverride


@strawberry.type(description="A value that stands in for a user's merged one until it ends by itself.")
class Override:
    id: strawberry.ID = strawberry.field(description="Its id.")
    dimension: Dimension | None = strawberry.field(description="Exactly one of dimension and window is set.")
    window: Window | None = strawberry.field(description="The window of the cap that it stands in for.")
    limit: int | None = strawberry.field(description="The limit, for a dimension; null when it is lifted.")
    cap: Usd | None = strawberry.field(description="The cap, for a window; null when it is lifted.")
    unlimited: bool = strawberry.field(description="Whether it lifts the limit or cap instead of setting another.")
    reason: str = strawberry.field(description="Why it was made.")
    created_by: str = strawberry.field(description="Who made it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    ends_at: datetime = strawberry.field(description="When it ends by itself.")
    ended_at: datetime | None = strawberry.field(description="When somebody ended it before its time.")
    ended_by: str | None = strawberry.field(description="Who did.")
    running: bool = strawberry.field(description="Whether it is in force.")


def override_of(value: domain.Override, now: datetime) -> Override:
    dimension = value.target if isinstance(value.target, Dimension) else None
    window = value.target if isinstance(value.target, Window) else None
    return Override(
        id=strawberry.ID(value.id),
        dimension=dimension,
        window=window,
        limit=value.value if dimension else None,
        cap=Usd(value.value) if window and value.value is not None else None,
        unlimited=value.value is None,
        reason=value.reason,
        created_by=value.created_by,
        created_at=value.created_at,
        ends_at=value.ends_at,
        ended_at=value.ended_at if value.ended_by else None,
        ended_by=value.ended_by or None,
        running=value.running(now),
    )


@strawberry.input(description="Exactly one of dimension and window; with it `limit` or `cap`, or `unlimited`.")
class CreateOverrideInput:
    user_id: strawberry.ID = strawberry.field(description="Whose value to replace for a while.")
    dimension: Dimension | None = strawberry.field(default=None, description="The limit to replace.")
    window: Window | None = strawberry.field(default=None, description="The cap to replace, by its window.")
    limit: int | None = strawberry.field(default=None, description="For a dimension; 0 blocks.")
    cap: Usd | None = strawberry.field(default=None, description="For a window; 0 blocks.")
    unlimited: bool = strawberry.field(default=False, description="Lift it instead.")
    reason: str = strawberry.field(description="Why; shown wherever the value is.")
    ends_at: datetime = strawberry.field(description="When it ends by itself, within 366 days.")

    def value(self) -> NewOverride:
        """Raises InvalidInput unless it says one thing."""
        target = self.dimension or self.window
        if target is None or (self.dimension and self.window):
            raise InvalidInput("dimension", "must be given, or `window`, but not both")
        value, field, other, other_field = (
            (self.limit, "limit", self.cap, "cap") if self.dimension else (self.cap, "cap", self.limit, "limit")
        )
        if other is not None:
            raise InvalidInput(other_field, f"does not go with `{'dimension' if self.dimension else 'window'}`")
        if (value is None) is not self.unlimited:
            raise InvalidInput(field, "must be given unless `unlimited` is true, and not together with it")
        return NewOverride(self.user_id, target, value, self.reason, self.ends_at)


@strawberry.type(description="An override as it is now.")
class OverridePayload:
    override: Override = strawberry.field(description="The override.")


New = Annotated[CreateOverrideInput, strawberry.argument(description="What to replace, by what, why and how long.")]
Id = Annotated[strawberry.ID, strawberry.argument(description="Its id.")]


@strawberry.type
class OverrideMutations:
    @strawberry.mutation(
        description="Replaces one limit or cap of a user for a while; one that runs for the same ends. In force when "
        "this returns.",
        extensions=[admins(TokenScope.POLICY)],
    )
    async def create_override(self, info: Info, input: New) -> OverridePayload:
        service, caller = info.context.services.overrides, info.context.require_caller()
        made = await service.create(caller, input.value())
        return OverridePayload(override=override_of(made, service.now()))

    @strawberry.mutation(
        description="Ends one before its time. In force when this returns.", extensions=[admins(TokenScope.POLICY)]
    )
    async def end_override(self, info: Info, id: Id) -> OverridePayload:
        service, caller = info.context.services.overrides, info.context.require_caller()
        return OverridePayload(override=override_of(await service.end(caller, id), service.now()))
