"""Looking things up in the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from sluicegate.graphql.audit.types import AuditEvent, event_of
from sluicegate.graphql.context import Info
from sluicegate.graphql.pagination import Connection, connection, page_request
from sluicegate.graphql.permissions import admins
from sluicegate.ports.pages import AuditFilter

Actor = Annotated[strawberry.ID | None, strawberry.argument(description="A user's id.")]
From = Annotated[datetime | None, strawberry.argument(name="from", description="Not before this instant.")]
To = Annotated[datetime | None, strawberry.argument(name="to", description="Before this instant.")]
Search = Annotated[str | None, strawberry.argument(description="Anywhere in action, actor or target.")]


@strawberry.type
class AuditQueries:
    @strawberry.field(description="Changes, newest first.", extensions=[admins()])
    async def audit_events(
        self,
        info: Info,
        first: int = 50,
        after: str | None = None,
        actor: Actor = None,
        action: str | None = None,
        target_kind: str | None = None,
        target_id: strawberry.ID | None = None,
        since: From = None,
        until: To = None,
        search: Search = None,
    ) -> Connection[AuditEvent]:
        caller, service = info.context.require_caller(), info.context.services.audit
        where = AuditFilter(_text(actor), action, target_kind, _text(target_id), since, until, search)
        page = await service.page(caller, where, page_request(first, after))
        return connection(page, event_of, lambda: service.count(caller, where))

    @strawberry.field(description="The actions that occur in the log, to choose from.", extensions=[admins()])
    async def audit_actions(self, info: Info) -> list[str]:
        return await info.context.services.audit.actions(info.context.require_caller())


def _text(id: strawberry.ID | None) -> str | None:
    return None if id is None else str(id)
