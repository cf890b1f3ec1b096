"""Migrations lead to the schema that the code expects, and nobody runs on another."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

from sluicegate.storage import migrate, tables
from storage.databases import sync_engine


def differences(url: str) -> list[Any]:
    assert tables.__all__
    with sync_engine(url) as engine, engine.connect() as connection, warnings.catch_warnings():
        # SQLite cannot be asked for the unique indexes on lower(name); they have a test of their own.
        warnings.filterwarnings("ignore", message=".*expression-based index.*")
        return compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)


def table_names(url: str) -> set[str]:
    with sync_engine(url) as engine:
        return set(inspect(engine).get_table_names())


def test_an_upgrade_from_nothing_gives_the_schema_of_the_code(fresh_url: str) -> None:
    assert migrate.upgrade(fresh_url) == migrate.newest()

    assert differences(fresh_url) == []
    assert table_names(fresh_url) == set(SQLModel.metadata.tables) | {"alembic_version"}
    migrate.check(fresh_url)


def test_a_second_upgrade_changes_nothing(database_url: str) -> None:
    assert migrate.upgrade(database_url) == migrate.newest()


def test_down_and_up_again_gives_the_same_schema(database_url: str) -> None:
    assert migrate.downgrade(database_url, "base") is None
    assert table_names(database_url) == {"alembic_version"}

    migrate.upgrade(database_url)
    assert differences(database_url) == []


def test_names_of_groups_and_providers_are_unique_without_regard_to_case(database_url: str) -> None:
    with sync_engine(database_url) as engine, engine.connect() as connection:
        source = "SELECT sql FROM sqlite_master" if engine.name == "sqlite" else "SELECT indexdef FROM pg_indexes"
        definitions = [row[0].lower() for row in connection.execute(text(source)) if row[0]]
    for name in ("uq_groups_name", "uq_providers_name"):
        (definition,) = [d for d in definitions if name in d]
        assert definition.startswith("create unique index")
        assert "lower(" in definition


def test_of_two_upgrades_at_once_both_succeed(fresh_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        reached = list(pool.map(lambda _: migrate.upgrade(fresh_url), range(4)))

    assert reached == [migrate.newest()] * 4
    assert differences(fresh_url) == []


def test_a_failed_upgrade_leaves_no_trace(fresh_url: str) -> None:
    with sync_engine(fresh_url) as engine, engine.begin() as connection:
        connection.execute(text("CREATE TABLE usage_ledger (x INTEGER)"))

    with pytest.raises(Exception, match="usage_ledger"):
        migrate.upgrade(fresh_url)

    assert table_names(fresh_url) == {"usage_ledger"}


def test_a_missing_schema_is_refused(fresh_url: str) -> None:
    with pytest.raises(migrate.SchemaError, match=r"no schema yet. Run `sluicegate migrate`"):
        migrate.check(fresh_url)


def test_a_newer_schema_is_refused(database_url: str) -> None:
    set_version(database_url, "20991231_later")
    with pytest.raises(migrate.SchemaError, match="20991231_later, which this release does not know"):
        migrate.check(database_url)


def test_an_older_schema_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "newest", lambda: "20991231_later")
    with pytest.raises(migrate.SchemaError, match=r"this release needs 20991231_later.*run `sluicegate migrate`"):
        migrate.check(database_url)


def set_version(url: str, version: str) -> None:
    with sync_engine(url) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
