"""What can be asked about the server itself."""

from __future__ import annotations

import strawberry

from sluicegate.graphql.context import Info
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.system.types import Job, job_of


@strawberry.type
class SystemQueries:
    @strawberry.field(description="The server's recurring work, by name.", extensions=[admins()])
    async def jobs(self, info: Info) -> list[Job]:
        service = info.context.services.jobs
        now = service.now()
        return [job_of(state, now) for state in await service.all(info.context.require_caller())]
