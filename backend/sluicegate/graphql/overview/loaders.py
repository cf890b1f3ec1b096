"""What is loaded for many rows at once."""

from __future__ import annotations

from sluicegate.domain.policy import Subject
from sluicegate.graphql.context import Context
from sluicegate.ports.policy import SubjectUse


async def uses(context: Context, subjects: list[Subject]) -> list[SubjectUse | None]:
    return await context.services.overview.uses(context.require_caller(), subjects)
