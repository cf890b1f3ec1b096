"""A backup is one moment of a database, whole, and goes into any other kind of database or not at all."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from databases import postgres_database
from sluicegate.domain.policy import ChangeKind, PolicyChange
from sluicegate.domain.sso import GroupMapping, Identity, LastSignIn, SignInWay, SsoSettings
from sluicegate.domain.user import Role
from sluicegate.kit.clock import ManualClock
from sluicegate.ports.pages import PageRequest, UserFilter
from sluicegate.services.demo_data import seed_demo
from sluicegate.storage import backup, migrate
from sluicegate.storage.backup import BackupError, BackupUnreadable, Head, RestoreRefused
from sluicegate.storage.engine import SqlStore, make_engine
from sluicegate.storage.engine import database_url as async_url
from sluicegate.storage.usage_writer import make_usage_writer
from storage.conftest import Changes
from storage.databases import sync_engine
from storage.records import NOW, call

FIRST = "20261124_first"
UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture
async def full_url(database_url: str) -> str:
    """With the demo's people, policy, catalogue and past, and what it has not: odd letters, and single sign-on."""
    store = SqlStore(make_engine(async_url(database_url)), Changes(), ManualClock(NOW))
    writer = make_usage_writer(make_url(database_url), UTC_ZONE)
    await seed_demo(store, ManualClock(NOW), writer.write)
    writer.write([call(user_label='Zoë 🚰 O\'Brien\n"x"', project="\\u0000 \t"), call(session_id="s", stream=False)])
    writer.close()
    await sign_on(store)
    await store.aclose()
    return database_url


async def sign_on(store: SqlStore) -> None:
    """Somebody is in a group, and an administrator, because an issuer said so."""
    issuer = "https://id.example.com"
    async with store.write() as tx:
        (found,) = (await tx.users.page(UserFilter(role=Role.MEMBER), "name_asc", PageRequest(1))).items
        (group,) = (await tx.groups.page(None, PageRequest(1))).items
        user_id, group_id = found[0].id, group[0].id
        await tx.sso.save(SsoSettings(enabled=True, issuer=issuer, scopes=("groups", "roles"), domains=("a.example",)))
        await tx.sso.set_sealed_secret("sealed", NOW)
        await tx.sso.set_mappings([GroupMapping("devs", group_id)])
        await tx.sso.link(Identity("identity", user_id, issuer, "subject", "", NOW, NOW))
        await tx.groups.add_members(group_id, [user_id])
        await tx.sso.note_given(user_id, [group_id])
        await tx.sso.note_admin(user_id, True)
        await tx.sso.spend_state("digest", NOW, NOW)
        await tx.sso.note_sign_in(LastSignIn(user_id, NOW, SignInWay.SSO))


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> Iterator[str]:
    """Another database, without a schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'restored.db'}"
        return
    with postgres_database(request.getfixturevalue("postgres_url"), "restored") as url:
        yield url


def written(url: str) -> bytes:
    out = BytesIO()
    backup.write(url, out, "1.2.3", NOW, "abcd1234")
    return out.getvalue()


def lines_of(content: bytes) -> list[Any]:
    return [json.loads(line) for line in gzip.decompress(content).splitlines()]


def content_of(lines: list[Any]) -> bytes:
    return gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


def restored(url: str, content: bytes, accept: Callable[[Head], None] = lambda head: None) -> backup.Summary:
    return backup.restore(url, BytesIO(content), accept)


def count(url: str, statement: str) -> Any:
    with sync_engine(url) as engine, engine.connect() as connection:
        return connection.scalar(text(statement))


def test_what_was_restored_is_what_was_there_to_the_letter(full_url: str, target: str) -> None:
    content = written(full_url)
    heads: list[Head] = []
    summary = restored(target, content, heads.append)
    assert heads == [Head(1, "1.2.3", migrate.newest(), NOW, "abcd1234")]
    assert summary.rows["users"] == count(full_url, "SELECT count(*) FROM users") > 3
    assert summary.rows["usage_ledger"] > 100
    assert {name: summary.rows[name] for name in ("identities", "sso_memberships", "sso_admins")} == {
        "identities": 1,
        "sso_memberships": 1,
        "sso_admins": 1,
    }
    migrate.check(target)
    assert lines_of(written(target)) == lines_of(content)


async def test_a_restored_database_goes_on(full_url: str, target: str) -> None:
    """New rows get numbers after those that were restored, and searches find people."""
    restored(target, written(full_url))
    changes = Changes()
    store = SqlStore(make_engine(async_url(target)), changes, ManualClock(NOW))
    async with store.write() as tx:
        tx.changed(PolicyChange(ChangeKind.EVERYTHING))
    writer = make_usage_writer(make_url(target), UTC_ZONE)
    writer.write([call()])
    writer.close()
    await store.aclose()
    assert count(target, "SELECT max(seq) FROM policy_changes") > count(full_url, "SELECT max(seq) FROM policy_changes")
    if target.startswith("sqlite"):
        assert count(target, "SELECT count(*) FROM user_search WHERE user_search MATCH 'haddad'") == 1


def test_a_backup_is_one_moment_while_calls_go_on(database_url: str) -> None:
    writer = make_usage_writer(make_url(database_url), UTC_ZONE)
    writer.write([call()])
    stop = threading.Event()

    def calling() -> None:
        while not stop.is_set():
            writer.write([call() for _ in range(20)])

    thread = threading.Thread(target=calling)
    thread.start()
    try:
        found = [lines_of(written(database_url)) for _ in range(5)]
    finally:
        stop.set()
        thread.join()
        writer.close()
    for lines in found:
        assert sums(lines, "usage_ledger", "cost_nanos") == sums(lines, "usage_pending", "cost_nanos")
    assert sums(found[-1], "usage_ledger", "cost_nanos") > 1000


def sums(lines: list[Any], table: str, column: str) -> int:
    index, total, inside = 0, 0, False
    for line in lines[1:]:
        if isinstance(line, dict):
            if inside := line.get("table") == table:
                index = line["columns"].index(column)
        elif inside:
            total += int(line[index])
    return total


def test_an_older_backup_is_brought_to_the_schema_of_today(fresh_url: str) -> None:
    migrate.upgrade(fresh_url, FIRST)
    now = NOW.isoformat()
    with sync_engine(fresh_url) as engine, engine.connect() as connection:
        names = list(connection.execute(text("SELECT * FROM users")).keys())
    row = {
        "id": "ada",
        "email": "ada@example.com",
        "name": "Ada",
        "sort_name": "ada",
        "role": "admin",
        "status": "active",
    }
    row |= {name: now for name in names if name.endswith("_at")}
    lines: list[Any] = [{"format": 1, "release": "0.0.9", "schema": FIRST, "made_at": now, "key_id": "k"}]
    lines += [{"table": "users", "columns": names}, [row.get(name) for name in names], {"rows": {"users": 1}}]
    restored(fresh_url, content_of(lines))
    migrate.check(fresh_url)
    assert count(fresh_url, "SELECT email FROM users") == "ada@example.com"


def test_what_is_cut_off_or_damaged_leaves_no_trace(full_url: str, tmp_path: Path) -> None:
    content = written(full_url)
    lines = lines_of(content)
    users = next(n for n, line in enumerate(lines) if isinstance(line, dict) and line.get("table") == "users")
    damaged = bytearray(content)
    damaged[len(content) // 2] ^= 0xFF
    whole = gzip.decompress(content)
    for number, (bad, said) in enumerate(
        (
            (b"", "no backup"),
            (b"SQLite format 3\x00", "no whole backup"),
            (content[: len(content) // 2], "no whole backup"),
            (bytes(damaged), "no whole backup"),
            (gzip.compress(b"".join(whole.splitlines(keepends=True)[:-1])), "ends in the middle"),
            (content_of([*lines[:-2], lines[-1]]), "not as many"),
            (content_of([*lines, {"rows": {}}]), "more behind"),
            (content_of([lines[0], ["x"], *lines[1:]]), "line 2: a row before"),
            (content_of([lines[0], lines[1], *lines[1:]]), "second time"),
            (content_of([lines[0], {"table": "ghosts", "columns": []}, lines[-1]]), "no table ghosts"),
            (content_of([lines[0], {"table": "users", "columns": ["id"]}, lines[-1]]), "columns of users"),
            (content_of([*lines[: users + 1], ["x"], lines[-1]]), "1 values for"),
            (content_of([*lines[: users + 2], lines[users + 1], *lines[users + 2 :]]), "does not fit"),
        )
    ):
        url = f"sqlite:///{tmp_path / f'{number}.db'}"
        with pytest.raises(BackupUnreadable, match=said):
            restored(url, bad)
        assert migrate.current(url) is None, said


def test_another_format_or_a_newer_release_is_told(full_url: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    head, *rest = lines_of(written(full_url))
    with pytest.raises(RestoreRefused, match="format 2"):
        restored(url, content_of([head | {"format": 2}, *rest]))
    with pytest.raises(RestoreRefused, match=r"release 9\.0, whose schema 20990101_new"):
        restored(url, content_of([head | {"release": "9.0", "schema": "20990101_new"}, *rest]))


def test_who_looks_at_the_head_may_refuse(full_url: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"

    def refuse(head: Head) -> None:
        raise BackupError(head.key_id)

    with pytest.raises(BackupError, match="abcd1234"):
        restored(url, written(full_url), refuse)
    assert migrate.current(url) is None


def test_a_database_in_use_is_left_as_it_is(full_url: str) -> None:
    content = written(full_url)
    with pytest.raises(RestoreRefused, match="in use"):
        restored(full_url, content)
    assert lines_of(written(full_url)) == lines_of(content)


def test_the_database_of_another_program_is_left_as_it_is(fresh_url: str) -> None:
    with sync_engine(fresh_url) as engine, engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
    head = {"format": 1, "release": "1", "schema": migrate.newest(), "made_at": str(datetime.now(UTC)), "key_id": "k"}
    with pytest.raises(RestoreRefused, match="something else"):
        restored(fresh_url, content_of([head, {"rows": {}}]))
    assert count(fresh_url, "SELECT count(*) FROM invoices") == 0


def test_a_schema_of_another_release_is_not_written_down(fresh_url: str) -> None:
    migrate.upgrade(fresh_url, FIRST)
    with pytest.raises(migrate.SchemaError, match="at version"):
        written(fresh_url)
