"""What can be asked about the server itself."""

from __future__ import annotations

import strawberry

from sluicegate.domain.mail import MailStatus
from sluicegate.domain.user import INVITATION_DAYS, RESET_MINUTES
from sluicegate.graphql.context import Info
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.permissions import admins
from sluicegate.graphql.system.types import (
    BackendHealth,
    Installation,
    Job,
    MailDelivery,
    Setting,
    backend_health_of,
    delivery_of,
    encryption_of,
    job_of,
)


@strawberry.type
class SystemQueries:
    @strawberry.field(description="The server's recurring work, by name.", extensions=[admins()])
    async def jobs(self, info: Info) -> list[Job]:
        service = info.context.services.jobs
        now = service.now()
        return [job_of(state, now) for state in await service.all(info.context.require_caller())]

    @strawberry.field(
        description="How the backends of active models answer this process, those that rest first.",
        extensions=[admins()],
    )
    async def backend_health(self, info: Info) -> list[BackendHealth]:
        found = await info.context.services.health.backends(info.context.require_caller())
        return [backend_health_of(backend) for backend in found]

    @strawberry.field(description="How this server is set up.", extensions=[admins()])
    async def installation(self, info: Info) -> Installation:
        caller, service = info.context.require_caller(), info.context.services.installation
        return Installation(
            database=service.database(caller),
            invitation_days=INVITATION_DAYS,
            password_link_minutes=RESET_MINUTES,
            settings=[
                Setting(name=it.name, description=it.description, value=it.value, given=it.given, secret=it.secret)
                for it in service.settings(caller)
            ],
            encryption=encryption_of(await service.encryption(caller)),
        )

    @strawberry.field(description="Letters, newest first.", extensions=[admins()])
    async def mail_deliveries(
        self, info: Info, first: int = 50, after: str | None = None, status: MailStatus | None = None
    ) -> Connection[MailDelivery]:
        caller, service = info.context.require_caller(), info.context.services.mail
        page = await service.page(caller, status, page_request(first, after))
        return connection(page, delivery_of, lambda: service.count(caller, status))
