"""`sluicegate backup` and `restore`, as an operator moves a server with them."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.program import EMAIL, PASSWORD, environment, graphql, run, serving, sign_in

# The command where the file system knows no links, as that of a share or of a stick.
WITHOUT_LINKS = """
import os
from sluicegate.cli import main

def refuse(*names):
    raise PermissionError(1, "Operation not permitted")

os.link = refuse
main()
"""


def call(url: str, facts: dict[str, Any]) -> int:
    body = {"model": facts["models"][0], "messages": [{"role": "user", "content": "Hello!"}]}
    headers = {"authorization": f"Bearer {facts['member']['key']}"}
    return httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=30).status_code


def test_a_server_moves_with_its_people_keys_and_calls(tmp_path: Path, fresh_postgres_url: str) -> None:
    """From the embedded database, while it serves, to PostgreSQL."""
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "site.backup"
    with serving(old, "demo") as server:
        facts = json.loads((old / "demo.json").read_text())
        assert call(server.url, facts) == 200
        made = run("backup", str(file), DATA_DIR=str(old))
        assert (made.status, made.out) == (0, "")
        assert "opens what is sealed" in made.errors
        assert server.stop() == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    settings = {"DATA_DIR": str(new), "DATABASE_URL": fresh_postgres_url}

    refused = run("restore", str(file), **settings)
    assert (refused.status, "which is not configured here" in refused.errors) == (2, True)
    new.mkdir(exist_ok=True)
    (new / "kek").write_text((old / "kek").read_text())
    done = run("restore", str(file), **settings)
    assert (done.status, done.errors) == (0, "")
    assert "rows of" in done.out

    with serving(new, **settings) as server:
        assert sign_in(server.url, facts["admin"]["email"], facts["admin"]["password"]).status_code == 200
        assert call(server.url, facts) == 200
        again = run("restore", str(file), **settings)
        assert (again.status, "Another Sluicegate server" in again.errors) == (2, True)
        people = graphql(server.url, facts["admin_token"], "{ users { edges { node { email } } } }")
        assert facts["member"]["email"] in {edge["node"]["email"] for edge in people["data"]["users"]["edges"]}
    again = run("restore", str(file), **settings)
    assert (again.status, "in use" in again.errors) == (2, True)


def test_a_backup_overwrites_nothing_and_leaves_nothing_half(tmp_path: Path) -> None:
    data, file = str(tmp_path / "data"), tmp_path / "site.backup"
    absent = run("backup", str(file), DATA_DIR=data)
    assert (absent.status, list(tmp_path.glob("*site.backup*"))) == (2, [])
    assert absent.errors.startswith(f"The database {data}/sluicegate.db cannot be used")
    assert run("create-admin", "--email", EMAIL, "--password", PASSWORD, DATA_DIR=data).status == 0
    file.write_text("precious")
    kept = run("backup", str(file), DATA_DIR=data)
    assert (kept.status, "exists already" in kept.errors, file.read_text()) == (2, True, "precious")
    assert list(tmp_path.glob(".site.backup*")) == []


def test_a_backup_goes_onto_a_file_system_without_links(tmp_path: Path) -> None:
    data, file = str(tmp_path / "data"), tmp_path / "site.backup"
    assert run("create-admin", "--email", EMAIL, "--password", PASSWORD, DATA_DIR=data).status == 0
    made = subprocess.run(
        [sys.executable, "-c", WITHOUT_LINKS, "backup", str(file)],
        env=environment({"DATA_DIR": data}),
        capture_output=True,
        timeout=90,
        check=False,
    )
    assert (made.returncode, b"opens what is sealed" in made.stderr) == (0, True), made.stderr
    assert (stat.S_IMODE(file.stat().st_mode), list(tmp_path.glob(".site.backup*"))) == (0o600, [])
    new = tmp_path / "new"
    new.mkdir()
    (new / "kek").write_text((tmp_path / "data/kek").read_text())
    assert run("restore", str(file), DATA_DIR=str(new)).status == 0


def test_a_backup_without_the_key_says_what_is_missing(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "site.backup"
    assert run("create-admin", "--email", EMAIL, "--password", PASSWORD, DATA_DIR=str(data)).status == 0
    (data / "kek").unlink()
    done = run("backup", str(file), DATA_DIR=str(data))
    assert (done.status, f"{data}/kek: is missing; restore it from a backup" in done.errors) == (2, True)
    assert (list(tmp_path.glob("*site.backup*")), (data / "kek").exists()) == ([], False)


def test_a_backup_does_not_replace_what_a_policy_file_made(tmp_path: Path) -> None:
    """Before there was anybody."""
    old, new, file, policy = tmp_path / "old", tmp_path / "new", tmp_path / "site.backup", tmp_path / "policy.yaml"
    assert run("create-admin", "--email", EMAIL, "--password", PASSWORD, DATA_DIR=str(old)).status == 0
    assert run("backup", str(file), DATA_DIR=str(old)).status == 0
    policy.write_text("version: 1\ngroups:\n  Engineering: {}\n")
    for command in (["migrate"], ["apply", str(policy)]):
        assert run(*command, DATA_DIR=str(new)).status == 0
    refused = run("restore", "--without-key", str(file), DATA_DIR=str(new))
    assert (refused.status, "in use" in refused.errors) == (2, True)
    assert "Engineering" in run("export", DATA_DIR=str(new)).out


@pytest.mark.parametrize("way", ["file", "--without-key"])
def test_what_no_backup_is_makes_no_database(tmp_path: Path, way: str) -> None:
    data, file = tmp_path / "data", tmp_path / "letter.txt"
    file.write_text("Dear Sir or Madam")
    done = run("restore", str(file), *([way] if way.startswith("-") else []), DATA_DIR=str(data))
    assert (done.status, "no whole backup" in done.errors) == (2, True)
    assert run("backup", str(tmp_path / "b"), DATA_DIR=str(data)).status == 2
