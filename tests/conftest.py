"""What every test may use: servers that are really there, and the rule for when they are not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from sqlalchemy.engine import make_url

from databases import PostgresTemplate, postgres_database, sqlite_database

_DATABASE = "SLUICEGATE_TEST_DATABASE_URL"
_REDIS = "SLUICEGATE_TEST_REDIS_URL"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "postgres_url" in names:
            item.add_marker(pytest.mark.postgres)
        if "redis_url" in names:
            item.add_marker(pytest.mark.redis)


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


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema: SQLite always, PostgreSQL where there is one."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'site.db'}"
    url: str = request.getfixturevalue("fresh_postgres_url")
    return url


@pytest.fixture(scope="session")
def postgres_schema(postgres_url: str) -> Iterator[PostgresTemplate]:
    """A PostgreSQL database with today's schema and no rows, whenever it is restored."""
    with postgres_database(postgres_url, "schema") as url:
        yield PostgresTemplate(url)


@pytest.fixture(params=["sqlite", "postgres"])
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
