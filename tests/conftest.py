"""What every test may use: servers that are really there, and the rule for when they are not."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
from sqlalchemy.engine import make_url

import stacks
from databases import PostgresTemplate, postgres_database, restorable_postgres, sqlite_database
from loops import ServerLoop

_DATABASE = "SLUICEGATE_TEST_DATABASE_URL"
_REDIS = "SLUICEGATE_TEST_REDIS_URL"
_left_out = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    name = os.environ.get(stacks.VARIABLE, stacks.NAMES[0])
    if name not in stacks.NAMES:
        raise pytest.UsageError(f"{stacks.VARIABLE} is {name!r}, and may be {' or '.join(stacks.NAMES)}")
    config.stash[_left_out] = 0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "postgres_url" in names:
            item.add_marker(pytest.mark.postgres)
        if "redis_url" in names:
            item.add_marker(pytest.mark.redis)
    if stacks.SHARED:
        other = [item for item in items if item.get_closest_marker("embedded")]
        items[:] = [item for item in items if not item.get_closest_marker("embedded")]
        config.hook.pytest_deselected(items=other)
        config.stash[_left_out] = len(other)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    # As servers run: its transports differ from asyncio's in when they close and in what they refuse.
    return {"uvloop": ServerLoop}


def pytest_collection_finish() -> None:
    # All modules are loaded, and stay: as a server does, see cli/server.py. Looking through them for garbage again and
    # again takes a quarter of the processor.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash[_left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    # All workers find the same tests.
    node.config.stash[_left_out] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if stacks.SHARED:
        terminalreporter.write_line(f"on PostgreSQL and Redis; left out as embedded: {config.stash[_left_out]} tests")


@pytest.fixture(scope="session")
def shared_stack(postgres_url: str, redis_url: str) -> Iterator[stacks.Shared]:
    with ExitStack() as stack:
        shared = stacks.Shared(postgres_url, redis_url, stack)
        stacks.use(shared)
        yield shared
        stacks.use(None)


@pytest.fixture(autouse=True)
def stack(request: pytest.FixtureRequest) -> Iterator[None]:
    """What servers are built on, for every test that makes one; see stacks.py."""
    if not stacks.SHARED:
        yield
        return
    shared: stacks.Shared = request.getfixturevalue("shared_stack")
    with shared.one_test():
        yield


@pytest.fixture(scope="session")
def postgres_url(worker_id: str) -> Iterator[str]:
    """An empty PostgreSQL database of this worker's own."""
    base = make_url(os.environ.get(_DATABASE) or _without(_DATABASE)).set(drivername="postgresql")
    near = base.set(database="sluicegate_test").render_as_string(hide_password=False)
    with postgres_database(near, f"{worker_id}_{os.getpid()}") as url:
        yield url


@pytest.fixture
def fresh_postgres_url(postgres_url: str) -> str:
    """That database without a schema, whatever another test left there."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgres_url


@pytest.fixture(params=stacks.DATABASES)
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema: SQLite always, PostgreSQL where there is one."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'site.db'}"
    url: str = request.getfixturevalue("fresh_postgres_url")
    return url


@pytest.fixture(scope="session")
def postgres_schema(postgres_url: str) -> Iterator[PostgresTemplate]:
    """A PostgreSQL database with today's schema and no rows, whenever it is restored."""
    with restorable_postgres(postgres_url, "schema") as template:
        yield template


@pytest.fixture(params=stacks.DATABASES)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with today's schema: SQLite always, PostgreSQL where there is one."""
    if request.param == "sqlite":
        return sqlite_database(tmp_path / "site.db")
    template: PostgresTemplate = request.getfixturevalue("postgres_schema")
    return template.restored()


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A shared Redis: tests keep apart by unique names, and none flushes it."""
    return os.environ.get(_REDIS) or _without(_REDIS)


def _without(variable: str) -> NoReturn:
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{variable} is not set, and CI=true allows no skip")
    pytest.skip(f"{variable} is not set")
