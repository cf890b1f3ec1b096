"""Commands that prepare, repair and examine: what they print, what they leave, and the status they end with."""

from __future__ import annotations

import json
import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.program import EMAIL, PASSWORD, Done, graphql, run, serving, sign_in
from sluicegate.storage import migrate

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def with_admin(folder: Path) -> str:
    """A migrated folder with one administrator."""
    done = run("create-admin", "--email", EMAIL, typed=f"{PASSWORD}\n{PASSWORD}\n", DATA_DIR=str(folder))
    assert (done.status, f"{EMAIL} is an administrator now." in done.out) == (0, True), done.errors
    return str(folder)


def test_migrating_twice_reaches_the_same_version(folder: Path) -> None:
    for _ in range(2):
        done = run("migrate", DATA_DIR=str(folder))
        assert (done.status, done.out) == (0, f"The database is at version {migrate.newest()}.\n")
    assert stat.S_IMODE((folder / "sluicegate.db").stat().st_mode) == 0o600


def test_an_older_database_is_served_once_it_is_migrated(folder: Path) -> None:
    data = with_admin(folder)
    migrate.downgrade(f"sqlite:///{folder / 'sluicegate.db'}", "-1")
    for command in (("serve", "--port", "0"), ("create-admin", "--email", "x@example.com", "--password", PASSWORD)):
        refused = run(*command, DATA_DIR=data)
        assert (refused.status, "run `sluicegate migrate`" in refused.errors) == (2, True)
    assert run("migrate", DATA_DIR=data).status == 0
    with serving(folder) as server:
        assert sign_in(server.url).status_code == 200


@pytest.mark.parametrize(
    ("email", "password", "sentence"),
    [
        (EMAIL, PASSWORD, "email: There is an account with this address already."),
        ("nobody", PASSWORD, "email: 'nobody' is not an e-mail address"),
        ("eve@example.com", "short", "password: must have"),
    ],
)
def test_administrators_that_cannot_be(folder: Path, email: str, password: str, sentence: str) -> None:
    data = with_admin(folder)
    done = run("create-admin", "--email", email, "--password", password, DATA_DIR=data)
    assert (done.status, done.out) == (2, "")
    assert sentence in done.errors
    assert "Traceback" not in done.errors


def test_a_token_is_printed_alone_and_can_do_what_its_scopes_say(folder: Path) -> None:
    data = with_admin(folder)
    made = ("token", "create", "--name", "CI", "--owner", f" {EMAIL.upper()}", "--scope", "read")
    done = run(*made, DATA_DIR=data)
    token = done.out.strip()
    assert (done.status, done.errors, done.out) == (0, "", f"{token}\n")
    assert token.startswith("sgt_")
    with serving(folder) as server:
        assert graphql(server.url, token, "{ users(first: 5) { totalCount } }") == {
            "data": {"users": {"totalCount": 1}}
        }
        refused = graphql(server.url, token, 'mutation { createGroup(input: {name: "x"}) { group { id } } }')
        assert refused["errors"][0]["extensions"]["code"] == "forbidden"
    assert token not in "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_tokens_that_cannot_be(folder: Path) -> None:
    data = with_admin(folder)
    for owner, scope, sentence in (
        ("nobody@example.com", "read", "owner: There is no such user."),
        (EMAIL, "everything", "Invalid value for '--scope'"),
    ):
        done = run("token", "create", "--name", "CI", "--owner", owner, "--scope", scope, DATA_DIR=data)
        assert (done.status, done.out) == (2, "")
        assert sentence in done.errors
    assert run("token", "create", "--name", "CI", "--owner", EMAIL, DATA_DIR=data).status == 2


def ask(facts: dict[str, Any]) -> httpx.Response:
    body = {"model": facts["models"][0], "messages": [{"role": "user", "content": "Hello!"}]}
    headers = {"authorization": f"Bearer {facts['member']['key']}"}
    return httpx.post(f"{facts['url']}/v1/chat/completions", json=body, headers=headers, timeout=30)


def calls(facts: dict[str, Any]) -> int:
    query = "{ calls(first: 100, everyone: true) { edges { node { id } } } }"
    return len(graphql(facts["url"], facts["admin_token"], query)["data"]["calls"]["edges"])


def test_the_demo_is_seeded_once_and_found_again(folder: Path) -> None:
    path = folder / "demo.json"
    with serving(folder, "demo") as server:
        facts = json.loads(path.read_text())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert {name: type(value) for name, value in facts.items()} == {
            "url": str,
            "admin": dict,
            "admin_token": str,
            "member": dict,
            "models": list,
        }
        assert (set(facts["admin"]), set(facts["member"])) == ({"email", "password"}, {"email", "password", "key"})
        assert facts["url"] == server.url
        for who in ("admin", "member"):
            assert sign_in(server.url, facts[who]["email"], facts[who]["password"]).status_code == 200
        assert ask(facts).json()["choices"][0]["message"]["content"]
        printed = folder.with_suffix(".out").read_text()
        for told in (server.url, facts["admin"]["password"], facts["member"]["key"], "curl -N ", "ANTHROPIC_BASE_URL="):
            assert told in printed
        assert server.stop() == 0
    with serving(folder, "demo") as server:
        again = json.loads(path.read_text())
        assert again == facts | {"url": server.url}
        assert ask(again).status_code == 200
        assert calls(again) > 2


def test_a_demo_moves_no_schema_but_its_own(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    url = f"sqlite:///{folder / 'sluicegate.db'}"
    migrate.upgrade(url)
    older = migrate.downgrade(url, "-1")
    done = run("demo", "--port", "0", DATA_DIR=str(folder))
    assert (done.status, "then run `sluicegate migrate`" in done.errors) == (2, True)
    assert migrate.current(url) == older


def test_a_folder_with_other_data_is_no_demo(folder: Path) -> None:
    data = with_admin(folder)
    done = run("demo", "--port", "0", DATA_DIR=data)
    assert (done.status, done.out) == (2, "")
    assert "SLUICEGATE_DATA_DIR" in done.errors
    assert not (folder / "demo.json").exists()
    (folder / "demo.json").write_text('{"url": ')
    done = run("demo", "--port", "0", DATA_DIR=data)
    assert (done.status, "demo.json is damaged" in done.errors) == (2, True)


def test_a_healthy_set_up_passes_the_examination(folder: Path) -> None:
    data = with_admin(folder)
    done = run("doctor", DATA_DIR=data)
    assert (done.status, done.errors) == (0, "")
    assert [
        line.split(":")[0].split(maxsplit=1) for line in done.out.splitlines() if line.startswith(("ok", "wrong"))
    ] == [
        ["ok", "settings"],
        ["ok", "data folder"],
        ["ok", "database"],
        ["ok", "key"],
        ["ok", "provider credentials"],
        ["ok", "administrators"],
        ["ok", "limits"],
    ]


def test_the_examination_names_what_is_wrong(folder: Path) -> None:
    absent = run("doctor", DATA_DIR=str(folder))
    assert (absent.status, "the first start makes it" in absent.out) == (1, True)
    run("migrate", DATA_DIR=str(folder))
    nobody = run("doctor", DATA_DIR=str(folder), KEK_PRIMARY="ab" * 32)
    assert (nobody.status, "run: sluicegate create-admin" in nobody.out) == (1, True)
    lost = run("doctor", DATA_DIR=str(folder))
    assert (lost.status, "kek is missing" in lost.out) == (1, True)
    assert not (folder / "kek").exists()
    with_admin(folder)
    (folder / "kek").chmod(0o644)
    folder.chmod(0o755)
    open_to_all = run("doctor", DATA_DIR=str(folder))
    assert open_to_all.status == 1
    assert "chmod 700" in open_to_all.out
    assert "chmod 600" in open_to_all.out


def test_the_schema_is_written_and_compared(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"
    assert run("schema", "export", str(file)).status == 0
    assert file.read_text() == (ROOT / "schema.graphql").read_text()
    assert run("schema", "export", "--check", str(file)).status == 0
    file.write_text(file.read_text().replace("type Query", "type Question"))
    changed = run("schema", "export", "--check", str(file))
    assert (changed.status, "-type Question" in changed.out, "is not current" in changed.out) == (1, True, True)


def test_a_generated_key_gives_way_to_ones_own_while_the_server_runs(folder: Path) -> None:
    data, new = with_admin(folder), "cd" * 32
    token = run("token", "create", "--name", "t", "--owner", EMAIL, "--scope", "catalog", DATA_DIR=data).out.strip()
    values = '{kind: OPENAI, name: "Acme", credential: "sk-secret-secret"}'
    provider = f"mutation {{ createProvider(input: {values}) {{ provider {{ id }} }} }}"
    with serving(folder) as server:
        assert "errors" not in graphql(server.url, token, provider)
    old = (folder / "kek").read_text().strip()
    with serving(folder, KEK_PRIMARY=new, KEK_SECONDARY=old):
        done = run("kek", "rotate", DATA_DIR=data, KEK_PRIMARY=new, KEK_SECONDARY=old)
        assert (done.status, done.errors) == (0, "")
        assert done.out.startswith("1 moved; 1 in all")
    assert run("kek", "rotate", DATA_DIR=data, KEK_PRIMARY=new).out.startswith("0 moved; 1 in all")
    with serving(folder, KEK_PRIMARY=new) as server:
        assert [line for line in server.log() if line["event"] == "provider.credential_unreadable"] == []
    lost = run("kek", "rotate", DATA_DIR=data, KEK_PRIMARY="ef" * 32)
    assert (lost.status, "No key at hand opens provider:" in lost.out) == (1, True)


def test_the_ledger_is_compared_with_what_a_provider_says(folder: Path, tmp_path: Path) -> None:
    with serving(folder, command="demo") as server:
        facts = json.loads((folder / "demo.json").read_text())
        body = {"model": "demo-fast", "messages": [{"role": "user", "content": "Hello!"}]}
        headers = {"authorization": f"Bearer {facts['member']['key']}"}
        usage = httpx.post(f"{server.url}/v1/chat/completions", json=body, headers=headers).json()["usage"]
        assert server.stop() == 0
    day = datetime.now(UTC).date()
    with sqlite3.connect(folder / "sluicegate.db") as database:
        ledger = "SELECT DISTINCT provider_model FROM usage_ledger WHERE model_slug = 'demo-fast'"
        (name,) = database.execute(ledger).fetchone()
    lines = ["date,model,requests,prompt_tokens,completion_tokens"]
    export, report = tmp_path / "export.csv", tmp_path / "report.csv"

    def reconciled(*line: object) -> Done:
        export.write_text("\n".join([*lines, ",".join(map(str, line))]))
        return run("reconcile", str(export), "--csv", str(report), DATA_DIR=str(folder))

    done = reconciled(day, name, 1, usage["prompt_tokens"], usage["completion_tokens"])
    assert report.read_text().splitlines()[0] == "day,model,figure,provider,ledger,verdict"
    rows = {tuple(row.split(",")[1:3]): row.split(",")[3:] for row in report.read_text().splitlines()[1:]}
    assert rows[name, "output_tokens"][0] == str(usage["completion_tokens"])
    assert all(ours.isdigit() for (_, figure), (_, ours, _) in rows.items() if figure != "cost in USD")
    missing = reconciled(day, "nowhere", 5, 1, 1)
    assert (missing.status, "only at the provider" in missing.out) == (1, True), missing.errors
    wrong = run("reconcile", str(tmp_path / "none.csv"), DATA_DIR=str(folder))
    assert (wrong.status, "file: cannot be read" in wrong.errors) == (2, True), wrong.errors
    assert done.status in (0, 1)
