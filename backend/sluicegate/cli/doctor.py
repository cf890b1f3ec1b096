"""An examination of the set-up, for people whose gateway does not do what they want."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

from sluicegate.container import Container
from sluicegate.gateway.selftest import SelfTestFailed
from sluicegate.ports.policy import CountersUnavailable
from sluicegate.premises import KEK_FILE, SchemaError, check_database
from sluicegate.settings import PREFIX, ConfigurationError, Settings


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    fine: bool
    detail: str


async def examine(settings: Settings) -> list[Finding]:
    """One finding for each part; later parts are left out when they need one that is wrong."""
    findings = [Finding("settings", True, f"all {PREFIX}* variables are understood"), _data_folder(settings.data_dir)]
    try:
        await asyncio.to_thread(check_database, settings)
    except (SchemaError, OSError) as error:
        return [*findings, Finding("database", False, str(error))]
    findings += [Finding("database", True, "reachable, with this release's schema"), _key(settings)]
    if not findings[-1].fine:
        return findings
    try:
        container = Container(settings, settings.url_at(settings.port))
    except ConfigurationError as error:
        return [*findings, Finding("key", False, str(error))]
    try:
        findings += [await _credentials(container), await _administrators(container)]
        if container.redis is not None:
            findings.append(await _redis(container.redis.start()))
            # Without it there are no limits to look at.
            if not findings[-1].fine:
                return findings
        return [*findings, await _limits(container)]
    finally:
        await container.stop()


def _data_folder(folder: Path) -> Finding:
    if not folder.is_dir():
        return Finding("data folder", False, f"{folder.resolve()} is not there; the first start makes it")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("data folder", False, f"{folder.resolve()} cannot be written by this user")
    facts = folder.stat()
    # A volume that Kubernetes gives to the group of a pod has another owner; what is made in it is for nobody else.
    if facts.st_mode & 0o077 and os.geteuid() in (0, facts.st_uid):
        return Finding("data folder", False, f"{folder.resolve()} can be read by others; run: chmod 700 {folder}")
    return Finding("data folder", True, str(folder.resolve()))


def _key(settings: Settings) -> Finding:
    if settings.kek_primary is not None:
        return Finding("key", True, "taken from the settings")
    path = settings.data_dir / KEK_FILE
    if not path.exists():
        detail = f"{path} is missing: restore it from a backup, or start the server once to have a new one made"
        return Finding("key", False, detail)
    if path.stat().st_mode & 0o077:
        return Finding("key", False, f"{path} can be read by others; run: chmod 600 {path}")
    return Finding("key", True, f"kept in {path}; a backup without it opens no credential")


async def _credentials(container: Container) -> Finding:
    closed = await container.closed_credentials()
    detail = f"cannot be opened with this key: {', '.join(closed)}" if closed else "all can be opened"
    return Finding("provider credentials", not closed, detail)


async def _administrators(container: Container) -> Finding:
    if await container.auth.has_admin():
        return Finding("administrators", True, "somebody can sign in as one")
    return Finding("administrators", False, "there is none; run: sluicegate create-admin")


async def _redis(joining: Awaitable[None]) -> Finding:
    try:
        await joining
    except CountersUnavailable as error:
        return Finding("redis", False, str(error))
    return Finding("redis", True, "reachable, and counts for all servers together")


async def _limits(container: Container) -> Finding:
    try:
        await container.rehearsal.run(container.gateway, container.policy)
    except SelfTestFailed as error:
        return Finding("limits", False, str(error))
    return Finding("limits", True, "calls against a limit of zero are refused")
