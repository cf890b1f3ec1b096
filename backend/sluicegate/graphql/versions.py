"""Versions of what several people may edit."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import strawberry

from sluicegate.domain.version import Edited
from sluicegate.graphql.context import Context, Info

VERSION = "Grows with each edit; give it as `expectedVersion`, so that nobody's edit is overwritten."
EXPECTED = "The version that was shown; the edit is refused as `stale_version` when somebody edited it since."
ExpectedVersion = Annotated[int | None, strawberry.argument(description=EXPECTED)]


async def versions(context: Context, things: list[Edited]) -> list[int]:
    found = await context.services.versions.of(context.require_caller(), things)
    return [found[thing] for thing in things]


async def version_of(thing: Edited, info: Info) -> int:
    loader = info.context.loader(versions)
    version = await loader.load(thing)
    # A later mutation of the same request may edit it again. Whoever asked for the same thing may have cleared it.
    with suppress(KeyError):
        loader.clear(thing)
    return version
