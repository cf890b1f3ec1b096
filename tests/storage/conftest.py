"""Databases to try the storage layer on: SQLite always, PostgreSQL where there is one."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from sluicegate.storage import migrate


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgres_url")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


@pytest.fixture
def database_url(empty_url: str) -> str:
    """A database with today's schema."""
    migrate.upgrade(empty_url)
    return empty_url
