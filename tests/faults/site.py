"""An installation that breaks: where it keeps what it keeps, its provider and its callers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select

from cli.program import Server, serving
from faults.crowd import Bookkeeper, Crowd, compare
from faults.ledger import driven, ledger_of
from faults.link import Link
from gateway.bench import SUBJECT, populate
from sluicegate.container import Container
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.audit import SYSTEM
from sluicegate.domain.usage import CallRecord
from sluicegate.services.caller import Caller
from sluicegate.settings import load
from sluicegate.storage.tables.usage import SPEND


@dataclass
class Site:
    """A folder, a database, a provider, and the settings that all its servers share, without their prefix."""

    folder: Path
    database: str
    provider: Bookkeeper
    crowd: Crowd
    values: Mapping[str, str] = field(default_factory=dict[str, str])

    @contextmanager
    def serving(
        self, database: str | None = None, *, name: str = "data", skew: float = 0.0, **values: str
    ) -> Iterator[Server]:
        """A server; `database` is another way to the same one, `name` is that of its files beside the data folder,
        `skew` is how many seconds its clock is ahead, and `values` are further settings."""
        usual = {"DATABASE_URL": database or self.database, "ALLOW_PRIVATE_UPSTREAMS": "true", "LOG_LEVEL": "error"}
        usual |= {"DATA_DIR": str(self.folder)}
        with serving(self.folder.with_name(name), skew=skew, **usual | self.values | values) as server:
            yield server

    def ledger(self) -> list[CallRecord]:
        return ledger_of(self.database)

    def spent(self) -> int:
        """What counts against the user's monthly budgets, over all months."""
        engine = create_engine(driven(self.database))
        with engine.connect() as connection:
            rows = connection.execute(
                select(SPEND.c.period, SPEND.c.spent_nanos).where(
                    SPEND.c.subject_kind == SUBJECT.kind.value, SPEND.c.subject_id == SUBJECT.id
                )
            ).all()
        engine.dispose()
        return sum(nanos for period, nanos in rows if len(period) == len("2026-11"))

    def settle_accounts(self) -> None:
        """With every server ended: all is in the ledger, once, and as the provider says."""
        ledger = self.ledger()
        compare(self.provider, self.crowd, ledger)
        assert self.spent() == sum(record.cost_nanos for record in ledger)
        assert not list((self.folder / "journal").glob("*.journal"))


@asynccontextmanager
async def furnished(
    tmp_path: Path, database: str, provider: Bookkeeper | None = None, **shared: str
) -> AsyncIterator[Site]:
    """With a user who may call what is at the provider, by default one of the usual kind."""
    async with provider or Bookkeeper() as provider:
        values: dict[str, Any] = {"data_dir": tmp_path / "data", "database_url": database}
        settings = load({}, **values, allow_private_upstreams=True)
        container = Container(settings, "http://127.0.0.1")
        await populate(container, provider.port)
        await container.stop()
        yield Site(tmp_path / "data", database, provider, Crowd(), shared)


async def administrator(site: Site) -> str:
    """A token that may do all that an administrator may."""
    values: dict[str, Any] = {"data_dir": site.folder, "database_url": site.database}
    container = Container(load({}, **values), "http://127.0.0.1")
    user = await container.services.auth.create_admin("admin@example.com", "correct horse battery", "Admin")
    _, text = await container.services.tokens.create(Caller(user, SYSTEM), "tests", list(TokenScope), None)
    await container.stop()
    return text.reveal()


async def started(
    stack: ExitStack, site: Site, database: str | None = None, *, name: str = "data", skew: float = 0.0, **values: str
) -> Server:
    return await asyncio.to_thread(stack.enter_context, site.serving(database, name=name, skew=skew, **values))


async def stopped(server: Server) -> None:
    assert await asyncio.to_thread(server.stop) == 0


async def link_to(site: Site) -> Link:
    return await Link.to_database(site.database)
