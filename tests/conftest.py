"""What every test may use: servers that are really there, and the rule for when they are not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

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
    base = os.environ.get(_DATABASE) or _without(_DATABASE)
    admin = make_url(base).set(drivername="postgresql")
    name = f"sluicegate_test_{worker_id}_{os.getpid()}"
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield admin.set(database=name).render_as_string(hide_password=False)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


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
def redis_url() -> str:
    """A shared Redis: tests keep apart by unique names, and none flushes it."""
    return os.environ.get(_REDIS) or _without(_REDIS)


def _without(variable: str) -> NoReturn:
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{variable} is not set, and CI=true allows no skip")
    pytest.skip(f"{variable} is not set")
