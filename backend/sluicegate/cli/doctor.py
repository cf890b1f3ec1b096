"""An examination of the set-up, for people whose gateway does not do what they want."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sluicegate.container import SchemaError, check_database, open_credentials
from sluicegate.settings import PREFIX, Settings


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    fine: bool
    detail: str


async def examine(settings: Settings) -> list[Finding]:
    """One finding for each part; later parts are left out when they need one that is wrong."""
    findings = [Finding("settings", True, f"all {PREFIX}* variables are understood")]
    try:
        await asyncio.to_thread(check_database, settings)
    except (SchemaError, OSError) as error:
        return [*findings, Finding("database", False, str(error))]
    findings.append(Finding("database", True, "reachable, with this release's schema"))
    broken = await open_credentials(settings)
    detail = f"cannot be opened with this KEK: {', '.join(broken)}" if broken else "all can be opened"
    return [*findings, Finding("provider credentials", not broken, detail)]
