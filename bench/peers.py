"""What else is measured on request: another gateway, and Sluicegate with several workers."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from load import Endpoint
from processes import LOAD_CORE, TARGET_CORE, end, free_port, spawn, wait_for_port
from provider import Counts
from targets import PATH, Sluicegate

_ROOT = Path(__file__).resolve().parent.parent
_HOME = _ROOT / ".setup" / "peer"
_PINNED = "litellm[proxy]==1.108.7"
_START_SECONDS = 180
_CONFIG = """
model_list:
  - model_name: bench-model
    litellm_params:
      model: openai/bench-upstream
      api_base: http://127.0.0.1:{port}/v1
      api_key: sk-bench
litellm_settings:
  telemetry: false
  num_retries: 0
general_settings:
  master_key: {key}
"""


class Litellm:
    """The Python gateway that is used most, installed from its package, one worker, with its key checked. It counts
    nothing and limits nothing here: for that it needs a database of its own."""

    name = "litellm"
    slow = True

    def start(self, upstream_port: int) -> Endpoint:
        program = _installed()
        self._folder = tempfile.TemporaryDirectory()
        key = f"sk-{secrets.token_hex(16)}"
        config = Path(self._folder.name, "config.yaml")
        config.write_text(_CONFIG.format(port=upstream_port, key=key))
        port = free_port()
        # Prices from the package, not from the network.
        environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers=1"]
        self._process = spawn(command, environment=environment)
        wait_for_port(port, self._process, seconds=_START_SECONDS)
        return Endpoint(port, PATH, (("Authorization", f"Bearer {key}"),))

    def pid(self) -> int | None:
        return self._process.pid

    def stop(self) -> None:
        end(self._process)
        self._folder.cleanup()

    def faults(self, answered: Counts) -> list[str]:
        return []


def _installed() -> Path:
    """Its program, in an environment of its own: it wants other releases of much that is here."""
    program = _HOME / "bin" / "litellm"
    stamp = _HOME / "pinned"
    if not program.exists() or not stamp.exists() or stamp.read_text() != _PINNED:
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_HOME)], check=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", str(_HOME / "bin" / "python"), _PINNED], check=True
        )
        stamp.write_text(_PINNED)
    return program


class Workers(Sluicegate):
    """Several workers on PostgreSQL and Redis. They and the load have all cores together, so that on a machine with two
    of them only processor time tells something."""

    name = "sluicegate 2 workers"
    arguments = ("--workers=2",)
    core = TARGET_CORE | LOAD_CORE

    def __init__(self, database_url: str, redis_url: str) -> None:
        """Of servers that may be used; a database is made beside the one that is named."""
        self._admin = make_url(database_url).set(drivername="postgresql")
        self._redis_url = redis_url
        self._name = f"sluicegate_bench_{os.getpid()}"

    def settings(self) -> dict[str, str]:
        self._administrate("CREATE DATABASE {}")
        return {
            "SLUICEGATE_DATABASE_URL": self._url(self._name),
            "SLUICEGATE_REDIS_URL": self._redis_url,
            "SLUICEGATE_REDIS_PREFIX": self._name,
        }

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url(self._name)) as connection:
            found = connection.execute(question.encode()).fetchall()
        return [tuple(int(cell) if isinstance(cell, Decimal) else cell for cell in row) for row in found]

    def stop(self) -> None:
        super().stop()
        self._administrate("DROP DATABASE {} WITH (FORCE)")

    def _url(self, database: str) -> str:
        return self._admin.set(database=database).render_as_string(hide_password=False)

    def _administrate(self, statement: LiteralString) -> None:
        with psycopg.connect(self._url(self._admin.database or ""), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(self._name)))
