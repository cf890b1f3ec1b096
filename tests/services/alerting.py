"""Alerts and webhooks as one process has them. In a module of its own, so that other processes find it too."""

from __future__ import annotations

import asyncio
from datetime import datetime
from multiprocessing.synchronize import Barrier
from typing import Any, cast
from zoneinfo import ZoneInfo

from fakes.identity import Site
from fakes.mail_server import MailServer
from sluicegate.adapters.upstream import Http11Upstream
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.kit.clock import ManualClock
from sluicegate.services.alert_watch import AlertWatch
from sluicegate.services.webhooks import WebhookService
from sluicegate.storage.engine import SqlStore, database_url, make_engine

VAULT = EnvelopeVault(b"k" * 32)


def hooks(site: Site, vault: EnvelopeVault = VAULT) -> WebhookService:
    upstream = Http11Upstream(allow_private=True)
    return WebhookService(site.store, vault, site.clock, upstream, lambda: None, allow_private=True)


def watch(site: Site, zone: str = "UTC", vault: EnvelopeVault = VAULT) -> AlertWatch:
    mail = site.mail(MailServer().mailer(site.clock))
    return AlertWatch(site.store, site.clock, ZoneInfo(zone), mail, hooks(site, vault))


def look_in_a_process(url: str, now: datetime, start: Barrier) -> None:
    async def look() -> None:
        clock = ManualClock(now)
        store = SqlStore(make_engine(database_url(url)), cast("Any", None), clock)
        site = Site(store, clock, cast("Any", None))
        looking = watch(site)
        start.wait(60)
        await looking.look()
        await store.aclose()

    asyncio.run(look())
