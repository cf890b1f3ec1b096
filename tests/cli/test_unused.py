"""What a server does not use does not take its memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from cli.program import PATIENCE, environment
from sluicegate.cli.unused import not_installed
from sluicegate.storage import repositories

_SERVER = """
import asyncio, sys
from sluicegate.cli.running import loaded
from sluicegate.cli.server import listen
from sluicegate.container import Container
from sluicegate.premises import check_database, held_database, prepare_database
from sluicegate.app import create_app
from sluicegate.gateway.asgi import FAULT
from sluicegate.kit.errors import InvalidInput

async def start(app, container):
    await container.start()
    asks = {"type": "http", "method": "GET", "query_string": b"", "headers": []}
    for path in sys.argv[1:]:
        await app(asks | {"path": path}, None, answered)
    await app(asks | {"path": "/", "extensions": {FAULT: InvalidInput("body", "is none")}}, None, answered)
    await container.stop()

async def answered(message):
    if message["type"] == "http.response.start":
        statuses.append(message["status"])

statuses = []

settings = loaded(port=0)
check_database(settings)
bound, url = listen(settings)
container = Container(settings, url)
app = create_app(container)
with held_database(settings):
    asyncio.run(start(app, container))
print(*statuses)
print(*sys.modules)
"""
_FOR_COMMANDS = {
    "alembic",
    "mako",
    "rich",
    "pygments",
    "httpx",
    "typer",
    "sluicegate.cli.commands",
    "gzip",
    "sluicegate.services.rotation",
    "sluicegate.storage.backup",
}
_FOR_OTHER_PROGRAMS = {"uvicorn.main", "click", "multiprocessing", "websockets"}
_FOR_OTHER_SETTINGS = {
    "httpcore",
    "psycopg",
    "redis",
    "aiosmtplib",
    "jinja2",
    "joserfc",
    "opentelemetry",
    "email.headerregistry",
}
_FOR_THOSE_WHO_ASK = {
    "fastapi",
    "starlette",
    "anyio",
    "strawberry",
    "graphql",
    "sluicegate.web.app",
    "sluicegate.use_cases",
    "sluicegate.services.bundle",
    "sluicegate.services.policy_file",
    "sluicegate.storage.crowd_source",
    "sluicegate.storage.usage_reader",
    *(f"sluicegate.storage.repositories.{name}" for name in ("overview", "scim", "sso", "versions")),
    "yaml",
    "prometheus_client",
    "http.server",
}
_FOR_OTHER_DATABASES = {"sqlalchemy.dialects.postgresql"}
_FOR_OTHER_CALLS = {
    "re2",
    "sluicegate.adapters.demo.provider",
    "sluicegate.gateway.providers.bedrock_answers",
    "sluicegate.gateway.translate.translator",
}


def modules_of_a_server(folder: Path, *asked: str) -> tuple[list[str], set[str]]:
    """The statuses of what it was asked, and then of a request that could not be read; and what it has loaded."""
    program = [sys.executable, "-c"]
    values = environment({"DATA_DIR": str(folder)})
    prepare = (
        "from sluicegate.cli.running import loaded; from sluicegate.premises import prepare_database; "
        "prepare_database(loaded())"
    )
    subprocess.run([*program, prepare], env=values, check=True)
    done = subprocess.run([*program, _SERVER, *asked], env=values, capture_output=True, text=True, check=True)
    statuses, names = done.stdout.splitlines()
    return statuses.split(), set(names.split())


def test_a_server_on_sqlite_loads_what_it_uses(tmp_path: Path) -> None:
    statuses, modules = modules_of_a_server(tmp_path, "/healthz", "/readyz")
    assert statuses == ["200", "200", "400"]
    assert {"sluicegate.container", "sqlalchemy", "structlog", "uvicorn"} <= modules
    unused = (
        _FOR_COMMANDS
        | _FOR_OTHER_PROGRAMS
        | _FOR_OTHER_SETTINGS
        | _FOR_THOSE_WHO_ASK
        | _FOR_OTHER_DATABASES
        | _FOR_OTHER_CALLS
    )
    assert not unused & modules
    assert "sqlalchemy.orm" not in modules


def test_neither_premises_nor_calls_need_pydantic() -> None:
    asks = "import sys, sluicegate.premises, sluicegate.gateway.app, sluicegate.policy.service; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"sluicegate.settings", "sluicegate.gateway.app"} <= loaded
    assert not {"pydantic", "pydantic_core"} & loaded


def test_who_asks_first_has_all_loaded_that_is_asked_of_the_database(tmp_path: Path) -> None:
    _, modules = modules_of_a_server(tmp_path, "/")
    folder = Path(repositories.__path__[0])
    names = {f"{repositories.__name__}.{path.stem}" for path in folder.glob("[!_]*.py")}
    # Only the command that changes keys goes through what is sealed.
    assert names - modules == {f"{repositories.__name__}.sealed"}


def test_a_server_that_is_scraped_does_not_load_what_people_ask_for(tmp_path: Path) -> None:
    statuses, modules = modules_of_a_server(tmp_path, "/metrics")
    assert statuses == ["401", "400"]
    assert "starlette" in modules
    assert not {"fastapi", "sluicegate.web.app", "sluicegate.use_cases", "graphql"} & modules


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_server_loads_no_other_command(command: str) -> None:
    asks = "import atexit, sys; from sluicegate.cli import main; atexit.register(lambda: print(*sys.modules)); main()"
    program = [sys.executable, "-c", asks]
    done = subprocess.run(
        [*program, command, "--help"], env=environment({}), capture_output=True, text=True, check=True
    )
    assert f"usage: sluicegate {command} [-h] [--host HOST] [--port PORT] [--workers WORKERS]" in done.stdout
    assert not {"sluicegate.cli.commands", "yaml", "typer", "rich"} & set(done.stdout.splitlines()[-1].split())


def test_what_a_first_start_takes_is_not_kept(tmp_path: Path) -> None:
    stops = (
        "import sys, sluicegate.cli.serving as serving; from sluicegate.cli import main; sys.argv[1:] = ['serve']; "
        "serving.listen = lambda _: sys.exit(' '.join(sys.modules)); main()"
    )
    email, password = "ada@example.com", "correct horse battery"
    values = environment({"DATA_DIR": str(tmp_path), "ADMIN_EMAIL": email, "ADMIN_PASSWORD": password})
    done = subprocess.run([sys.executable, "-c", stops], env=values, capture_output=True, text=True, check=False)
    modules = set(done.stderr.splitlines()[-1].split())
    assert "sluicegate.container" in modules
    assert not {"alembic", "aiosqlite", "typer", "pydantic", "sluicegate.cli.commands"} & modules
    with closing(connect(tmp_path / "sluicegate.db")) as database:
        assert database.execute("select email from users").fetchall() == [(email,)]


@pytest.mark.parametrize(("work", "status"), [("None", 0), ("sys.exit(3)", 3), ("os.kill(os.getpid(), 9)", 137)])
def test_what_is_done_apart_ends_all_when_it_fails(work: str, status: int) -> None:
    does = f"import os, sys; from sluicegate.cli.running import apart; apart(lambda: {work}); print('goes on')"
    done = subprocess.run(
        [sys.executable, "-c", does], env=environment({}), capture_output=True, text=True, check=False
    )
    assert (done.returncode, "goes on" in done.stdout) == (status, status == 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_whoever_ends_a_process_ends_what_it_does_apart(number: int) -> None:
    does = (
        "import os, time; from sluicegate.cli.running import apart; "
        "apart(lambda: (print(os.getpid(), flush=True), time.sleep(600)))"
    )
    command = [sys.executable, "-c", does]
    with subprocess.Popen(command, env=environment({}), stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        child = int(one.stdout.readline())
        one.send_signal(number)
        assert one.wait(PATIENCE) == 128 + number
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_what_is_left_out_is_there_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with not_installed("colorsys", "json"):
        with pytest.raises(ModuleNotFoundError):
            import colorsys
        import json
    import colorsys

    assert json.loads("1") > colorsys.ONE_THIRD
