"""Changing groups and who is in them."""

from __future__ import annotations

import strawberry

from sluicegate.domain.apikey import TokenScope
from sluicegate.graphql.context import Info
from sluicegate.graphql.groups.types import GroupPayload, group_payload
from sluicegate.graphql.inputs import required
from sluicegate.graphql.payloads import DeletedPayload, deleted
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.versions import EXPECTED


@strawberry.input
class CreateGroupInput:
    name: str
    description: str = ""


@strawberry.input(description="An absent field stays as it is.")
class UpdateGroupInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)


@strawberry.input
class GroupMembersInput:
    group_id: strawberry.ID
    user_ids: list[strawberry.ID]


@strawberry.type
class GroupMutations:
    @strawberry.mutation(description="Makes a group; names are unique.", extensions=[admins(TokenScope.USERS)])
    async def create_group(self, info: Info, input: CreateGroupInput) -> GroupPayload:
        service = info.context.services.groups
        return group_payload(await service.create(info.context.require_caller(), input.name, input.description))

    @strawberry.mutation(description="Changes name or description.", extensions=[admins(TokenScope.USERS)])
    async def update_group(self, info: Info, input: UpdateGroupInput) -> GroupPayload:
        name, description = required(input.name, "name"), required(input.description, "description")
        service, caller = info.context.services.groups, info.context.require_caller()
        return group_payload(await service.update(caller, str(input.id), name, description, input.expected_version))

    @strawberry.mutation(
        description="Members lose what came through this group, nothing else.", extensions=[admins(TokenScope.USERS)]
    )
    async def delete_group(self, info: Info, id: strawberry.ID) -> DeletedPayload:
        await info.context.services.groups.delete(info.context.require_caller(), str(id))
        return deleted(id)

    @strawberry.mutation(description="Adds those who are not in it yet.", extensions=[admins(TokenScope.USERS)])
    async def add_group_members(self, info: Info, input: GroupMembersInput) -> GroupPayload:
        service, caller = info.context.services.groups, info.context.require_caller()
        return group_payload(await service.add_members(caller, str(input.group_id), [str(i) for i in input.user_ids]))

    @strawberry.mutation(description="Removes those who are in it.", extensions=[admins(TokenScope.USERS)])
    async def remove_group_members(self, info: Info, input: GroupMembersInput) -> GroupPayload:
        service, caller = info.context.services.groups, info.context.require_caller()
        ids = [str(i) for i in input.user_ids]
        return group_payload(await service.remove_members(caller, str(input.group_id), ids))
