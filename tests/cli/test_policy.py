"""`sluicegate apply` and `export`, as CI and operators run them: beside a server, through it, and without one."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import yaml

from cli.program import EMAIL, PASSWORD, Done, run, serving

STRICT = "version: 1\ngroups: {Strict: {limits: {requests_per_minute: 0}, budget: {monthly: 12.50}}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.yaml"


def status_of_a_call(facts: dict[str, Any]) -> int:
    body = {"model": facts["models"][0], "messages": [{"role": "user", "content": "Hello!"}]}
    headers = {"authorization": f"Bearer {facts['member']['key']}"}
    return httpx.post(f"{facts['url']}/v1/chat/completions", json=body, headers=headers, timeout=30).status_code


def test_without_a_server_the_database_is_used(folder: Path, file: Path) -> None:
    data = str(folder)
    absent = run("export", DATA_DIR=data)
    assert (absent.status, absent.out, "sluicegate.db cannot be used" in absent.errors) == (1, "", True)
    assert run("create-admin", "--email", EMAIL, "--password", PASSWORD, DATA_DIR=data).status == 0
    file.write_text(STRICT)
    planned = run("apply", str(file), "--plan", DATA_DIR=data)
    assert (planned.status, planned.errors) == (2, "")
    head, plan_id = planned.out.split("--expect ")
    assert head == (
        "+ group Strict\n"
        "    + limits.requests_per_minute: 0\n"
        "    + budget.monthly: $12.5\n"
        "Plan: 1 to add, 0 to change, 0 to delete.\n"
        "To apply this and nothing else: "
    )
    done = run("apply", str(file), "--expect", plan_id.strip(), DATA_DIR=data)
    assert (done.status, done.out.splitlines()[-1]) == (0, "Done: 1 added, 0 changed, 0 deleted.")
    for command in (("apply", str(file)), ("apply", str(file), "--plan"), ("apply", str(file), "--prune", "--plan")):
        assert run(*command, DATA_DIR=data) == Done(0, "No changes.\n", "")
    stale = run("apply", str(file), "--expect", plan_id.strip(), DATA_DIR=data)
    assert (stale.status, "Look at a new plan" in stale.errors) == (1, True)
    exported = run("export", DATA_DIR=data)
    assert (exported.status, yaml.safe_load(exported.out)["groups"]["Strict"]["budget"]["monthly"]) == (0, "12.5")
    assert run("export", "--output", str(file), DATA_DIR=data) == Done(0, "", "")
    assert file.read_text() == exported.out
    piped = run("apply", "-", "--prune", typed="version: 1\ngroups: {}", DATA_DIR=data)
    assert piped.out == (
        "- group Strict\n"
        "    - limits.requests_per_minute: 0\n"
        "    - budget.monthly: $12.5\n"
        "Done: 0 added, 0 changed, 1 deleted.\n"
    )


def test_through_a_server_the_next_call_is_decided_by_the_new_policy(folder: Path, file: Path) -> None:
    with serving(folder, "demo") as server:
        facts = json.loads((folder / "demo.json").read_text())
        there = {"URL": server.url, "TOKEN": facts["admin_token"]}
        exported = run("export", "--members", "--users", **there)
        assert (exported.status, exported.errors) == (0, "")
        file.write_text(exported.out)
        assert run("apply", str(file), "--prune", **there) == Done(0, "No changes.\n", "")
        assert status_of_a_call(facts) == 200
        changed = yaml.safe_load(exported.out)
        changed["models"][facts["models"][0]]["status"] = "disabled"
        file.write_text(yaml.safe_dump(changed))
        planned = run("apply", str(file), "--plan", "--json", **there)
        told = json.loads(planned.out)
        assert (planned.status, told["applied"]) == (2, False)
        assert told["changes"] == [
            {
                "kind": "model",
                "name": facts["models"][0],
                "action": "change",
                "fields": [{"field": "status", "action": "change", "before": "active", "after": "disabled"}],
            }
        ]
        assert status_of_a_call(facts) == 200
        done = run("apply", str(file), "--json", "--expect", told["plan"], **there)
        assert (done.status, json.loads(done.out)) == (0, told | {"applied": True})
        assert status_of_a_call(facts) == 404
        file.write_text(exported.out)
        assert run("apply", str(file), **there).status == 0
        assert status_of_a_call(facts) == 200

        # Beside the server its database may be read, and not be changed.
        data = str(folder)
        assert run("export", "--members", "--users", DATA_DIR=data).out == exported.out
        file.write_text(STRICT)
        assert run("apply", str(file), "--plan", DATA_DIR=data).status == 2
        refused = run("apply", str(file), DATA_DIR=data)
        assert (refused.status, refused.out, "--url ADDRESS" in refused.errors) == (1, "", True)
        assert run("apply", str(file), "--plan", DATA_DIR=data).status == 2
        assert facts["admin_token"] not in exported.out + refused.errors
        assert server.stop() == 0
    assert run("apply", str(file), DATA_DIR=data).status == 0


def test_faults_are_told_with_file_and_line_on_both_ways(folder: Path, file: Path) -> None:
    file.write_text("version: 1\ngroups:\n  A:\n    limit: {}\n    grants: [none]\n  B: {budget: {daily: -1}}\n")
    read = (
        f"{file}:4: groups.A.limit: is not known here; did you mean limits?\n"
        f"{file}:6: groups.B.budget.daily: must not be negative; 0 blocks, null means no cap\n"
    )
    missing = f"{file}:3: groups.A.grants[0]: there is no model none"
    with serving(folder, "demo") as server:
        token = json.loads((folder / "demo.json").read_text())["admin_token"]
        for there in ({"DATA_DIR": str(folder)}, {"URL": server.url, "TOKEN": token}):
            assert run("apply", str(file), "--plan", **there) == Done(1, "", read)
            as_json = run("apply", str(file), "--plan", "--json", **there)
            assert [(f["line"], f["path"]) for f in json.loads(as_json.out)["error"]["faults"]] == [
                (4, "groups.A.limit"),
                (6, "groups.B.budget.daily"),
            ]
            lost = run("apply", "-", "--plan", typed="version: 1\ngroups:\n  A: {grants: [none]}", **there)
            assert (lost.status, lost.errors.startswith(missing.replace(str(file), "-"))) == (1, True)
        weak = run("apply", str(file), "--plan", URL=server.url, TOKEN="sgt_nonsense")
        assert (weak.status, weak.out, "Traceback" in weak.errors) == (1, "", False)
        assert "sgt_nonsense" not in weak.errors


@contextmanager
def answering(status: int, body: str, **headers: str) -> Iterator[str]:
    """A server that is something else."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_what_cannot_be_reached_is_named(file: Path) -> None:
    file.write_text(STRICT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    for url, sentence in (
        (nobody, "cannot be reached"),
        ("ftp://x", "url: must be the address of a server"),
        ("nonsense", "url: must be the address of a server"),
    ):
        done = run("apply", str(file), "--url", url, TOKEN="sgt_x")
        assert (done.status, done.out, sentence in done.errors) == (1, "", True), done.errors
    for answer, sentence in (
        ((200, "<html>"), "answers with status 200, not as Sluicegate does"),
        ((500, "[]"), "answers with status 500, not as Sluicegate does"),
    ):
        with answering(*answer) as url:
            done = run("export", "--url", url, TOKEN="sgt_x")
        assert (done.status, sentence in done.errors) == (1, True), done.errors
    with answering(302, "", location="http://127.0.0.1:1/") as url:
        done = run("export", "--url", url, TOKEN="sgt_x")
    assert (done.status, "sends elsewhere" in done.errors) == (1, True)


def test_wrong_use_ends_with_one_since_two_says_that_there_are_changes(folder: Path, file: Path) -> None:
    for arguments, sentence in (
        (("apply",), "Missing argument"),
        (("apply", str(file), "--plna"), "No such option"),
        (("export", "--output"), "requires an argument"),
        (("export", "--url", "https://x.example.com"), "SLUICEGATE_TOKEN"),
        (("apply", str(file)), "No such file"),
    ):
        done = run(*arguments, DATA_DIR=str(folder))
        assert (done.status, done.out, sentence in done.errors) == (1, "", True), done.errors
    file.write_bytes(b"version: 1\n# \xff\n")
    done = run("apply", str(file), DATA_DIR=str(folder))
    assert (done.status, done.errors) == (1, f"{file}:2: is not text in UTF-8\n")


def test_the_schema_for_editors_is_one() -> None:
    done = run("policy", "schema")
    assert done.status == 0
    jsonschema_rs.validator_for(json.loads(done.out)).validate(yaml.safe_load(STRICT))
