"""Who may serve a database, and for how long they hold it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack

import psycopg
import pytest

from fakes.postgres_server import PostgresServer
from sluicegate.storage.sole import AlreadyServed, one_of_several, sole_server

_WITHIN = 30


@pytest.fixture(scope="module")
def running() -> Iterator[PostgresServer]:
    server = PostgresServer.new()
    yield server
    server.remove()


@pytest.fixture
def server(running: PostgresServer) -> PostgresServer:
    """Nobody holds it: what the last test let go of, the database hears of a moment later."""
    with psycopg.connect(running.url, autocommit=True) as admin:
        _until(lambda: _holder(admin) is None)
    return running


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WITHIN
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _refused(url: str) -> bool:
    try:
        with sole_server(url):
            return False
    except AlreadyServed:
        return True


def test_one_alone_or_several_together(server: PostgresServer) -> None:
    with sole_server(server.url):
        for hold in (sole_server, one_of_several):
            with pytest.raises(AlreadyServed), hold(server.url):
                pass
    with one_of_several(server.url), one_of_several(server.url):
        assert _refused(server.url)
    # The database hears of the end a moment later.
    _until(lambda: not _refused(server.url))


@pytest.mark.parametrize("hold", [sole_server, one_of_several])
def test_a_database_that_was_started_anew_is_held_again(
    server: PostgresServer, hold: Callable[[str], AbstractContextManager[None]]
) -> None:
    with ExitStack() as stack:
        stack.enter_context(hold(server.url))
        for mode in ("fast", "immediate"):
            server.stop(mode)
            server.start()
            _until(lambda: _refused(server.url))
    _until(lambda: not _refused(server.url))


def test_a_connection_that_is_ended_is_replaced_and_one_that_is_told_something_stays(server: PostgresServer) -> None:
    with sole_server(server.url), psycopg.connect(server.url, autocommit=True) as admin:
        holder = _holder(admin)
        # Servers tell their clients of settings that change.
        admin.execute("ALTER SYSTEM SET timezone = 'Asia/Tokyo'")
        admin.execute("SELECT pg_reload_conf()")
        time.sleep(0.5)
        assert _holder(admin) == holder
        admin.execute("SELECT pg_terminate_backend(%s)", [holder])
        _until(lambda: _holder(admin) not in (holder, None))
        assert _refused(server.url)


def _holder(admin: psycopg.Connection) -> int | None:
    row = admin.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted").fetchone()
    return None if row is None else int(row[0])


def test_who_finds_it_taken_says_so_and_has_it_again_afterwards(
    server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with sole_server(server.url), psycopg.connect(server.url, autocommit=True) as admin:
        key = admin.execute("SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory'")
        (number,) = key.fetchone() or (None,)
        assert number is not None
        holder = _holder(admin)
        with psycopg.connect(server.url, autocommit=True) as thief, ThreadPoolExecutor(1) as beside:
            # Whoever waits for it gets it before the holder can come back.
            stolen = beside.submit(thief.execute, "SELECT pg_advisory_lock(%s)", [number])
            _until(lambda: _waiting(admin))
            admin.execute("SELECT pg_terminate_backend(%s)", [holder])
            stolen.result(_WITHIN)
            said = ""
            deadline = time.monotonic() + _WITHIN
            while "database.served_apart" not in said:
                assert time.monotonic() < deadline
                said += capsys.readouterr().out
                time.sleep(0.05)
        _until(lambda: _refused(server.url))


def _waiting(admin: psycopg.Connection) -> bool:
    row = admin.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone()
    return row == (1,)
