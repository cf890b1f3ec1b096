"""Migrations lead to the schema that the code expects, and nobody runs on another."""

from __future__ import annotations

import re
import sqlite3
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

from sluicegate.kit.clock import ManualClock
from sluicegate.services.demo_data import seed_demo
from sluicegate.storage import migrate
from sluicegate.storage.engine import SqlStore, make_engine
from sluicegate.storage.engine import database_url as async_url
from sluicegate.storage.tables.every import METADATA
from sluicegate.storage.usage_writer import make_usage_writer
from storage.conftest import Changes
from storage.databases import sync_engine
from storage.records import NOW

# Tables and indexes that only make searches quick are in no metadata: not every database can have them.
SEARCHES = re.compile(r"(user|key|audit)_search(_|$)|ix_(users|api_keys|audit_events)_search$")


def is_of_schema(name: str | None, _kind: str, _parents: object) -> bool:
    return name is None or SEARCHES.match(name) is None


def differences(url: str) -> list[Any]:
    opts = {"include_name": is_of_schema}
    with sync_engine(url) as engine, engine.connect() as connection, warnings.catch_warnings():
        # SQLite cannot be asked for the unique indexes on lower(name); they have a test of their own.
        warnings.filterwarnings("ignore", message=".*expression-based index.*")
        return compare_metadata(MigrationContext.configure(connection, opts=opts), METADATA)


def table_names(url: str) -> set[str]:
    with sync_engine(url) as engine:
        return {name for name in inspect(engine).get_table_names() if is_of_schema(name, "table", {})}


def test_an_upgrade_from_nothing_gives_the_schema_of_the_code(fresh_url: str) -> None:
    assert migrate.upgrade(fresh_url) == migrate.newest()

    assert differences(fresh_url) == []
    assert table_names(fresh_url) == set(METADATA.tables) | {"alembic_version"}
    migrate.check(fresh_url)


def test_a_second_upgrade_changes_nothing(database_url: str) -> None:
    assert migrate.upgrade(database_url) == migrate.newest()


def test_down_and_up_again_gives_the_same_schema(database_url: str) -> None:
    assert migrate.downgrade(database_url, "base") is None
    assert table_names(database_url) == {"alembic_version"}

    migrate.upgrade(database_url)
    assert differences(database_url) == []


@pytest.mark.timeout(300)
async def test_what_people_own_outlives_an_upgrade_from_every_version(database_url: str) -> None:
    """One database with data goes back to each earlier version, and comes up again to the schema of the code."""
    store = SqlStore(make_engine(async_url(database_url)), Changes(), ManualClock(NOW))
    writer = make_usage_writer(make_url(database_url), ZoneInfo("UTC"))
    await seed_demo(store, ManualClock(NOW), writer.write)
    writer.close()
    await store.aclose()
    before = owned(database_url)
    assert min(before.values()) > 0
    for version in versions():
        assert migrate.downgrade(database_url, version) == version
        migrate.upgrade(database_url)
        assert differences(database_url) == [], version
        assert {name: count for name, count in owned(database_url).items() if name in before} == before, version


def test_the_versions_are_those_that_alembic_finds() -> None:
    """A server reads them by itself, so as not to load alembic."""
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert migrate.newest() == scripts.get_current_head()
    assert migrate.known() == {script.revision for script in scripts.walk_revisions()}


def versions() -> list[str]:
    """All but today's, the latest first."""
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    return [script.revision for script in scripts.walk_revisions()][1:]


def owned(url: str) -> dict[str, int]:
    names = (
        "users",
        "groups",
        "memberships",
        "grants",
        "api_keys",
        "providers",
        "provider_models",
        "models",
        "backends",
    )
    statements = {name: f"SELECT count(*) FROM {name}" for name in (*names, "usage_ledger")}
    statements["cost"] = "SELECT sum(cost_nanos) FROM usage_ledger"
    with sync_engine(url) as engine, engine.connect() as connection:
        return {name: int(connection.scalar(text(statement)) or 0) for name, statement in statements.items()}


def test_names_of_groups_and_providers_are_unique_without_regard_to_case(database_url: str) -> None:
    with sync_engine(database_url) as engine, engine.connect() as connection:
        source = "SELECT sql FROM sqlite_master" if engine.name == "sqlite" else "SELECT indexdef FROM pg_indexes"
        definitions = [row[0].lower() for row in connection.execute(text(source)) if row[0]]
    for name in ("uq_groups_name", "uq_providers_name"):
        (definition,) = [d for d in definitions if name in d]
        assert definition.startswith("create unique index")
        assert "lower(" in definition


def searches(url: str) -> set[str]:
    """What keeps trigrams in a database."""
    with sync_engine(url) as engine, engine.connect() as connection:
        if engine.name == "sqlite":
            found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        else:
            found = connection.execute(text("SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%'"))
        return {row[0] for row in found}


def test_what_is_searched_has_trigrams(database_url: str) -> None:
    """SQLite forgets triggers with the table that a later migration makes anew: it has to make them again, too."""
    on_sqlite = {f"{n}_search_{what}" for n in ("user", "key", "audit") for what in ("added", "changed", "removed")}
    on_postgres = {f"ix_{table}_search" for table in ("users", "api_keys", "audit_events")}
    assert searches(database_url) == (on_sqlite if database_url.startswith("sqlite") else on_postgres)


@pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)
def test_an_old_sqlite_goes_without_trigrams(fresh_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 33, 0))
    assert migrate.upgrade(fresh_url) == migrate.newest()
    assert searches(fresh_url) == set()
    assert migrate.downgrade(fresh_url, "base") is None


def test_a_role_that_may_make_no_extension_goes_without_trigrams(fresh_postgres_url: str) -> None:
    role = f"{make_url(fresh_postgres_url).database}_plain"
    with psycopg.connect(fresh_postgres_url, autocommit=True) as admin:
        name = sql.Identifier(role)
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'plain'").format(name))
        admin.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(name))
        try:
            url = make_url(fresh_postgres_url).set(username=role, password="plain")
            assert migrate.upgrade(url.render_as_string(hide_password=False)) == migrate.newest()
            assert searches(fresh_postgres_url) == set()
        finally:
            admin.execute(sql.SQL("DROP OWNED BY {}").format(name))
            admin.execute(sql.SQL("DROP ROLE {}").format(name))


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


def test_an_option_that_the_driver_does_not_know_is_told() -> None:
    with pytest.raises(migrate.DatabaseUnreachable, match="cannot be used: invalid connection option"):
        migrate.check("postgresql://127.0.0.1:1/none?no_such=1")


def set_version(url: str, version: str) -> None:
    with sync_engine(url) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})


def test_the_indexes_of_the_operations_guide_are_those_of_the_migration(fresh_postgres_url: str) -> None:
    guide = (Path(__file__).parents[2] / "docs/operations.md").read_text()
    by_hand = guide.split("```sql\n")[-1].split("```")[0]
    migrate.upgrade(fresh_postgres_url)
    definitions = "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%' ORDER BY 1"
    with psycopg.connect(fresh_postgres_url, autocommit=True) as connection:
        made = connection.execute(definitions).fetchall()
        connection.execute("DROP EXTENSION pg_trgm CASCADE")
        connection.execute(by_hand.encode())
        assert connection.execute(definitions).fetchall() == made
