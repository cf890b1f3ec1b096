"""What is loaded for many keys at once."""

from __future__ import annotations

from sluicegate.graphql.context import Context
from sluicegate.services.narrowing import WHOLE, Narrowing


async def narrowings(context: Context, key_ids: list[str]) -> list[Narrowing]:
    found = await context.services.keys.narrowings(context.require_caller(), key_ids)
    return [found.get(key_id, WHOLE) for key_id in key_ids]
