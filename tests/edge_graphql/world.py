"""A whole server behind the schema, over a real database that is copied for every test."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

import stacks
from databases import PostgresTemplate
from edge_graphql.people import NOW, past_calls, populate
from sluicegate.container import Container
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.audit import Actor, ActorKind
from sluicegate.graphql.execute import executor
from sluicegate.graphql.schema import build_schema
from sluicegate.kit.clock import ManualClock
from sluicegate.services.caller import Caller
from sluicegate.settings import load
from sluicegate.storage import migrate

SCHEMA = build_schema()
URL = "https://ai.example.com"
KEK = "ab" * 32


@dataclass(frozen=True)
class Answer:
    """`errors` are pairs of code and field."""

    data: Any
    errors: list[tuple[str, str | None]]
    messages: list[str]

    @property
    def code(self) -> str:
        return self.errors[0][0] if self.errors else "ok"


@dataclass
class World:
    """Callers go by name: `anonymous`, `suspended`, a user's id, `token:<scope>` for a token of Ada's with that scope
    alone, `mia-token` for one of Mia's with every scope."""

    container: Container

    async def caller(self, name: str) -> Caller | None:
        auth = self.container.services.auth
        if name in ("anonymous", "suspended"):
            return await auth.caller_of_session("sue-here") if name == "suspended" else None
        if name.startswith("token:"):
            return await self._token("ada", frozenset({TokenScope(name.removeprefix("token:"))}))
        if name == "mia-token":
            return await self._token("mia", frozenset(TokenScope))
        caller = await auth.caller_of_session(f"{name}-here")
        assert caller is not None
        return caller

    async def _token(self, owner: str, scopes: frozenset[TokenScope]) -> Caller:
        async with self.container.store.read() as tx:
            user = await tx.users.get(owner)
        assert user is not None
        return Caller(user, Actor(ActorKind.TOKEN, f"CI of {user.label}", user.id, "token"), scopes)

    async def ask(self, who: str, query: str, /, **variables: Any) -> Answer:
        return await self.ask_as(await self.caller(who), query, **variables)

    async def ask_as(self, caller: Caller | None, query: str, /, **variables: Any) -> Answer:
        execute = executor(SCHEMA, self.container.services)
        answer = await execute(caller, "request", query, variables, None)
        errors = answer.get("errors", [])
        shown = [(e["extensions"]["code"], e["extensions"].get("field")) for e in errors]
        return Answer(answer["data"], shown, [e["message"] for e in errors])

    async def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that is stored, except that servers live."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        async with self.container.engine.connect() as connection:
            for table in await connection.run_sync(_tables):
                rows = await connection.execute(text(f'SELECT * FROM "{table}"'))
                found[table] = sorted((tuple(row) for row in rows), key=repr)
        return found

    async def audit(self) -> list[tuple[str, str, str]]:
        """Who did what to what."""
        async with self.container.engine.connect() as connection:
            statement = "SELECT actor_label, action, target_id FROM audit_events ORDER BY id"
            return [tuple(row) for row in await connection.execute(text(statement))]  # type: ignore[misc]


def _tables(connection: Any) -> list[str]:
    return sorted(set(inspect(connection).get_table_names()) - {"processes"})


@asynccontextmanager
async def world_at(url: str, folder: Path) -> AsyncIterator[World]:
    stacks.current().counters()
    values: dict[str, Any] = {**stacks.current().settings, "database_url": url}
    container = Container(load({}, data_dir=folder, kek_primary=KEK, **values), URL, clock=ManualClock(NOW))
    await container.journal.start()
    if container.redis is not None:
        await container.redis.start(container.journal.recovered)
    if container.news is not None:
        await container.news.start()
    await container.policy.start()
    try:
        yield World(container)
    finally:
        await container.stop()


def seed(url: str, folder: Path) -> None:
    """Blocking; leaves no connection open."""
    migrate.upgrade(url)

    async def fill() -> None:
        async with world_at(url, folder) as world:
            async with world.container.store.write() as tx:
                await populate(tx, world.container.vault)
            world.container.usage_writer.write(past_calls())
            # Grants get ids of their own; tests want to name one.
            async with world.container.engine.begin() as connection:
                await connection.execute(text("UPDATE grants SET id = 'mia-fast' WHERE subject_id = 'mia'"))

    asyncio.run(fill())


def sqlite_copy(template: Path, folder: Path) -> str:
    shutil.copy(template, folder / "world.db")
    return f"sqlite:///{folder / 'world.db'}"


def copy_for(request: pytest.FixtureRequest, folder: Path, sqlite: str, postgres: str) -> str:
    """A database as the template of the fixture's parameter has it; the others are the fixtures of the two."""
    if request.param == "sqlite":
        return sqlite_copy(request.getfixturevalue(sqlite), folder)
    template: PostgresTemplate = request.getfixturevalue(postgres)
    return template.restored()
