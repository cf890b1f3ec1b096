"""`sluicegate serve`: from nothing to a server, and every way of not getting there."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import stat
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from cli.program import EMAIL, PASSWORD, graphql, run, serving, sign_in
from sluicegate.storage import migrate
from sluicegate.storage.migrate import upgrade


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_fresh_folder_gets_database_key_and_first_administrator(folder: Path) -> None:
    with serving(folder, ADMIN_EMAIL=EMAIL, ADMIN_PASSWORD=PASSWORD) as server:
        assert httpx.get(f"{server.url}/readyz").json()["status"] == "ok"
        assert sign_in(server.url).status_code == 200
        assert (mode(folder), mode(folder / "kek"), mode(folder / "sluicegate.db")) == (0o700, 0o600, 0o600)
        key = (folder / "kek").read_text()
        (generated,) = [line for line in server.log() if line["event"] == "kek.generated"]
        assert generated["file"] == str(folder / "kek")
        assert "copy" in generated["advice"]
        assert key.strip() not in server.log_file.read_text()
        assert server.stop() == 0
    with serving(folder, ADMIN_EMAIL="eve@example.com", ADMIN_PASSWORD="another password") as server:
        assert sign_in(server.url).status_code == 200
        assert sign_in(server.url, "eve@example.com", "another password").status_code == 401
        assert (folder / "kek").read_text() == key
        assert server.log() == []
        assert server.stop(signal.SIGINT) == 0


def test_a_key_from_the_settings_is_not_written_down(folder: Path) -> None:
    with serving(folder, KEK_PRIMARY="ab" * 32):
        assert not (folder / "kek").exists()


def test_all_faulty_settings_are_named_at_once(folder: Path) -> None:
    done = run("serve", DATA_DIR=str(folder), PORT="x", TIME_ZONE="Mars", HOST="", COLOUR="red", ADMIN_EMAIL=EMAIL)
    assert (done.status, done.out) == (2, "")
    lines = done.errors.splitlines()
    assert lines[0] == "The settings cannot be taken:"
    named = {line.split(":")[0] for line in lines[1:]}
    assert named == {
        "SLUICEGATE_PORT",
        "SLUICEGATE_TIME_ZONE",
        "SLUICEGATE_HOST",
        "SLUICEGATE_COLOUR",
        "SLUICEGATE_ADMIN_EMAIL and SLUICEGATE_ADMIN_PASSWORD",
    }
    assert not folder.exists()


@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_several_workers_that_would_count_apart_are_refused_with_the_way_out(folder: Path, command: str) -> None:
    sentence = "SLUICEGATE_WORKERS: each worker would count limits and budgets by itself"
    done = run(command, DATA_DIR=str(folder), WORKERS="2", COLOUR="red")
    assert done.status == 2
    assert "set SLUICEGATE_DATABASE_URL and SLUICEGATE_REDIS_URL, or serve with 1 worker" in done.errors
    assert sentence in done.errors
    # With whatever else is wrong.
    assert "SLUICEGATE_COLOUR: there is no such setting" in done.errors
    shared = {"DATABASE_URL": "postgresql://ada@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    for given, missing in (("DATABASE_URL", "SLUICEGATE_REDIS_URL"), ("REDIS_URL", "SLUICEGATE_DATABASE_URL")):
        done = run(command, DATA_DIR=str(folder), WORKERS="2", **{given: shared[given]})
        assert (done.status, f"set {missing}, or" in done.errors) == (2, True)
    for number in ("0", "two", "65"):
        done = run(command, DATA_DIR=str(folder), WORKERS=number)
        assert (done.status, "SLUICEGATE_WORKERS: must be a whole number from 1 to 64" in done.errors) == (2, True)
    assert not folder.exists()


def test_options_that_cannot_be_are_told(folder: Path) -> None:
    done = run("serve", "--port", "eighty", DATA_DIR=str(folder))
    assert (done.status, "SLUICEGATE_PORT: must be a whole number from 0 to 65535, not 'eighty'" in done.errors) == (
        2,
        True,
    )
    for words, sentence in (
        (["--prot", "1"], "unrecognized arguments: --prot 1"),
        (["--port"], "expected one argument"),
    ):
        done = run("serve", *words, DATA_DIR=str(folder))
        assert (done.status, sentence in done.errors) == (2, True)
    # However the command is reached.
    assert "--workers WORKERS" in run("--", "serve", "--help").out
    assert not folder.exists()


def test_the_option_counts_and_not_the_setting(folder: Path) -> None:
    done = run("serve", "--workers", "2", DATA_DIR=str(folder))
    assert (done.status, "SLUICEGATE_WORKERS: each worker would count" in done.errors) == (2, True)
    done = run("serve", "--workers", "1", WORKERS="2", DATA_DIR=str(folder), PORT="x")
    assert (done.status, "SLUICEGATE_WORKERS" in done.errors) == (2, False)


def test_workers_that_cannot_start_end_the_server_with_their_reason(fresh_postgres_url: str, folder: Path) -> None:
    shared = {"DATABASE_URL": fresh_postgres_url, "REDIS_URL": "redis://127.0.0.1:1/0", "WORKERS": "2"}
    done = run("serve", "--port", "0", DATA_DIR=str(folder), **shared)
    assert done.status == 3
    assert "server.not_started" in done.errors
    assert "A worker ended with status 3 while it started." in done.errors
    assert done.out == ""


def test_a_port_that_others_listen_on_is_not_shared_with_them(fresh_postgres_url: str, folder: Path) -> None:
    shared = {"DATABASE_URL": fresh_postgres_url, "REDIS_URL": "redis://127.0.0.1:1/0", "WORKERS": "2"}
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        done = run("serve", DATA_DIR=str(folder), PORT=str(taken.getsockname()[1]), **shared)
    assert (done.status, "Address already in use" in done.errors) == (2, True)


def test_a_second_server_on_the_same_database_is_refused(folder: Path) -> None:
    with serving(folder) as first:
        second = run("serve", "--port", "0", DATA_DIR=str(folder))
        assert second.status == 2
        assert "Another Sluicegate server uses this database" in second.errors
        assert "Redis" in second.errors
        assert httpx.get(f"{first.url}/healthz").is_success
        first.stop(signal.SIGKILL)
    with serving(folder) as heir:
        assert httpx.get(f"{heir.url}/readyz").is_success


def test_told_to_stop_it_serves_on_until_load_balancers_had_time_to_notice(folder: Path) -> None:
    with serving(folder, DRAIN_SECONDS="600") as server, httpx.Client(base_url=server.url) as client:
        assert client.get("/readyz").json()["checks"]["staying"] is True
        assert server.process.pid is not None
        os.kill(server.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while (ready := client.get("/readyz")).is_success and time.monotonic() < deadline:
            time.sleep(0.02)
        checks = {"database": True, "journal": True, "staying": False}
        assert (ready.status_code, ready.json()) == (503, {"status": "failing", "checks": checks})
        # Also those who come anew are served.
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        # Who cannot wait says so again.
        assert server.stop(signal.SIGINT) == 0


def test_on_postgresql_too(fresh_postgres_url: str, tmp_path: Path) -> None:
    with serving(
        tmp_path / "one", DATABASE_URL=fresh_postgres_url, ADMIN_EMAIL=EMAIL, ADMIN_PASSWORD=PASSWORD
    ) as server:
        assert sign_in(server.url).status_code == 200
        second = run("serve", "--port", "0", DATABASE_URL=fresh_postgres_url, DATA_DIR=str(tmp_path / "two"))
        assert (second.status, "Another Sluicegate server" in second.errors) == (2, True)
        assert server.stop() == 0


def test_a_port_in_use_is_named_with_the_way_out(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", DATA_DIR=str(folder), PORT=str(port))
    assert done.status == 2
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use" in done.errors
    assert "SLUICEGATE_PORT" in done.errors
    assert "Traceback" not in done.errors


def test_an_address_of_no_machine_is_named_with_the_way_out(folder: Path) -> None:
    done = run("serve", "--host", "[::1]", "--port", "0", DATA_DIR=str(folder))
    assert (done.status, "Cannot listen on [::1]:0: " in done.errors) == (2, True)
    assert "Set SLUICEGATE_HOST to an address of this machine." in done.errors


def _a_file(folder: Path) -> str:
    folder.write_text("in the way")
    return f"SLUICEGATE_DATA_DIR: {folder} cannot be used: File exists"


def _inside_a_file(folder: Path) -> str:
    folder.parent.joinpath("file").write_text("in the way")
    folder.symlink_to(folder.parent / "file" / "inside")
    return f"SLUICEGATE_DATA_DIR: {folder} cannot be used: "


def _half_a_key(folder: Path) -> str:
    folder.mkdir()
    (folder / "kek").write_text("abc")
    return f"{folder / 'kek'}: holds no key; restore it from a backup"


def _older(folder: Path) -> str:
    folder.mkdir()
    url = f"sqlite:///{folder / 'sluicegate.db'}"
    upgrade(url)
    migrate.downgrade(url, "-1")
    return "Make a backup with the release that ran before, then run `sluicegate migrate`."


def _newer(folder: Path) -> str:
    folder.mkdir()
    upgrade(f"sqlite:///{folder / 'sluicegate.db'}")
    with sqlite3.connect(folder / "sluicegate.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from-the-future'")
    return "from-the-future, which this release does not know"


def _no_database(folder: Path) -> str:
    folder.mkdir()
    (folder / "sluicegate.db").write_bytes(b"no database at all" * 100)
    return "sluicegate.db cannot be used: file is not a database"


@pytest.mark.parametrize("spoil", [_a_file, _inside_a_file, _half_a_key, _older, _newer, _no_database])
def test_what_cannot_be_served_is_refused_in_a_sentence(folder: Path, spoil: Callable[[Path], str]) -> None:
    sentence = spoil(folder)
    done = run("serve", "--port", "0", DATA_DIR=str(folder))
    assert done.status == 2
    assert sentence in done.errors
    assert "Traceback" not in done.errors


def test_an_unreachable_database_is_named_without_its_password(folder: Path) -> None:
    url = "postgresql://ada:hunter2@127.0.0.1:1/none"
    for command in (("serve",), ("migrate",), ("doctor",)):
        done = run(*command, DATA_DIR=str(folder), DATABASE_URL=url)
        assert done.status == (1 if command == ("doctor",) else 2)
        assert "Connection refused" in done.errors + done.out
        assert "hunter2" not in done.errors + done.out
        assert "Traceback" not in done.errors


def test_a_key_that_opens_no_credential_is_told_of_at_start(folder: Path) -> None:
    with serving(folder, KEK_PRIMARY="ab" * 32, ADMIN_EMAIL=EMAIL, ADMIN_PASSWORD=PASSWORD):
        pass
    token = run(
        "token", "create", "--name", "t", "--owner", EMAIL, "--scope", "catalog",
        DATA_DIR=str(folder), KEK_PRIMARY="ab" * 32,
    ).out.strip()  # fmt: skip
    values = '{kind: OPENAI, name: "Acme", credential: "sk-secret-secret"}'
    new = f"mutation {{ createProvider(input: {values}) {{ provider {{ id }} }} }}"
    with serving(folder, KEK_PRIMARY="ab" * 32) as server:
        assert "errors" not in graphql(server.url, token, new)
    with serving(folder, KEK_PRIMARY="cd" * 32) as server:
        (told,) = [line for line in server.log() if line["event"] == "provider.credential_unreadable"]
        assert (told["provider"], told["level"]) == ("Acme", "error")


@pytest.mark.parametrize(
    ("rest", "status", "code"),
    [
        (b"x-big: " + b"a" * 70_000 + b"\r\n\r\n", 431, "invalid_request"),
        (b"content-length: 1\r\ncontent-length: 2\r\n\r\n", 400, "invalid_request"),
        (b"content-type: application/json\r\ncontent-length: 9\r\n\r\n{", 408, "request_timeout"),
        (b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n", 408, "request_timeout"),
    ],
)
def test_requests_that_cannot_be_read_are_refused_at_every_door(
    folder: Path, rest: bytes, status: int, code: str
) -> None:
    doors = {"/graphql": "field", "/auth/sign-in": "field", "/v1/chat/completions": "param"}
    with serving(folder, BODY_GRACE_SECONDS="0.5") as server:
        for path, more in doors.items():
            # Without a key the gateway has its answer before it reads a body.
            if status == 408 and path.startswith("/v1/"):
                continue
            answer = spoken(server.url, f"POST {path} HTTP/1.1\r\nhost: x\r\n".encode() + rest)
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 %d " % status), answer
            error = json.loads(body)["error"]
            assert (error["code"], error[more]) == (code, None)
        assert httpx.get(f"{server.url}/healthz").is_success
        # Whoever sends such things must not be able to fill the disk.
        start = {"kek.generated", "rollups.rebuilding", "rollups.rebuilt"}
        assert {line["level"] for line in server.log() if line["event"] not in start} <= {"warning"}


def spoken(url: str, data: bytes) -> bytes:
    """Everything that comes back until the server closes."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as caller:
        caller.sendall(data)
        answer = b""
        while part := caller.recv(65_536):
            answer += part
        return answer


def test_a_stop_ends_live_streams_at_once(folder: Path) -> None:
    with serving(folder, ADMIN_EMAIL=EMAIL, ADMIN_PASSWORD=PASSWORD) as server:
        cookies = sign_in(server.url).cookies
        began = time.monotonic()
        with httpx.stream("GET", f"{server.url}/events/live?everyone=true", cookies=cookies, timeout=60) as answer:
            lines = answer.iter_lines()
            assert next(lines) == "event: picture"
            assert server.stop() == 0
            assert [*lines][-3:] == ["event: end", 'data: {"reason":"stopping"}', ""]
        # Calls in flight would be given thirty seconds.
        assert time.monotonic() - began < 25
