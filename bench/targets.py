"""What is measured: servers that take a chat completion and reach the benchmark's provider."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Protocol

from load import Endpoint
from processes import TARGET_CORE, end, free_port, spawn, wait_for_port
from provider import HERE, BenchProvider, Counts

PATH = "/v1/chat/completions"


class Target(Protocol):
    """To measure another gateway, write one of these and name it in `run.py`."""

    name: str
    # Whether it is too slow for loads that are not quick.
    slow: bool

    def start(self, upstream_port: int) -> Endpoint:
        """Start on `TARGET_CORE` and wait until it answers."""
        ...

    def pid(self) -> int | None:
        """The process whose time and memory count, with its children; None when there is nothing to count."""
        ...

    def stop(self) -> None: ...
    def faults(self, answered: Counts) -> list[str]:
        """After `stop`: where its own books differ from what the provider answered for it."""
        ...


class Direct:
    """No gateway at all: what the load and the provider take by themselves."""

    name = "direct"
    slow = False

    def start(self, upstream_port: int) -> Endpoint:
        return Endpoint(upstream_port, PATH)

    def pid(self) -> int | None:
        return None

    def stop(self) -> None:
        return

    def faults(self, answered: Counts) -> list[str]:
        return []


class _Process:
    """What started targets have in common."""

    slow = False
    _process: subprocess.Popen[str]

    def pid(self) -> int | None:
        return self._process.pid

    def stop(self) -> None:
        end(self._process)

    def faults(self, answered: Counts) -> list[str]:
        return []


class Passthrough(_Process):
    """The limit of the stack: same server, same upstream client, and nothing in between."""

    name = "passthrough"

    def start(self, upstream_port: int) -> Endpoint:
        port = free_port()
        self._process = spawn(
            [sys.executable, str(HERE / "passthrough.py"), f"--port={port}", f"--upstream-port={upstream_port}"]
        )
        wait_for_port(port, self._process)
        return Endpoint(port, PATH)


_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 10m;
    client_body_buffer_size 1m;
    keepalive_requests 100000000;
    upstream provider {{
        server 127.0.0.1:{upstream_port};
        keepalive 1024;
        keepalive_requests 100000000;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


class Nginx(_Process):
    """The limit of the machine: a proxy in C that knows nothing of what it passes on."""

    name = "nginx"

    @staticmethod
    def installed() -> bool:
        return _nginx() is not None

    def start(self, upstream_port: int) -> Endpoint:
        self._folder = tempfile.TemporaryDirectory()
        port = free_port()
        configuration = Path(self._folder.name, "nginx.conf")
        configuration.write_text(_NGINX.format(folder=self._folder.name, port=port, upstream_port=upstream_port))
        self._process = spawn([_nginx() or "nginx", "-p", self._folder.name, "-c", str(configuration)])
        wait_for_port(port, self._process)
        return Endpoint(port, PATH)

    def stop(self) -> None:
        super().stop()
        self._folder.cleanup()


def _nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


class Sluicegate(_Process):
    """The product, started as operators start it, with every kind of rule in force for the caller."""

    name = "sluicegate"
    arguments: tuple[str, ...] = ()
    core = TARGET_CORE

    def settings(self) -> dict[str, str]:
        """Variables besides those that every run needs."""
        return {}

    def start(self, upstream_port: int) -> Endpoint:
        self._folder = tempfile.TemporaryDirectory()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLUICEGATE_")}
        environment["SLUICEGATE_DATA_DIR"] = self._folder.name
        environment["SLUICEGATE_ALLOW_PRIVATE_UPSTREAMS"] = "true"
        environment["SLUICEGATE_KEK_PRIMARY"] = secrets.token_hex(32)
        environment |= self.settings()
        seeding = [sys.executable, str(HERE / "seed.py"), f"--upstream-port={upstream_port}"]
        seeded = subprocess.run(seeding, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        port = free_port()
        program = str(Path(sys.executable).with_name("sluicegate"))
        command = [program, "serve", f"--port={port}", *self.arguments]
        self._process = spawn(command, core=self.core, environment=environment)
        wait_for_port(port, self._process)
        return Endpoint(port, PATH, (("Authorization", f"Bearer {seeded.stdout.strip()}"),))

    def stop(self) -> None:
        super().stop()
        self._ledger = self.rows(
            "SELECT stream, outcome, estimated, count(*), sum(input_tokens), sum(cache_read_tokens),"
            " sum(output_tokens) FROM usage_ledger GROUP BY 1, 2, 3"
        )
        (self._summed,) = self.rows(
            "SELECT sum(requests), sum(input_tokens), sum(output_tokens) FROM ("
            "SELECT requests, input_tokens, output_tokens FROM usage_pending UNION ALL "
            "SELECT requests, input_tokens, output_tokens FROM usage_people WHERE grain = 'day') AS both_of_them"
        )
        self._folder.cleanup()

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Of its database, once it has stopped."""
        with sqlite3.connect(Path(self._folder.name, "sluicegate.db")) as database:
            return database.execute(question).fetchall()

    def faults(self, answered: Counts) -> list[str]:
        """Every call that the provider answered is one row; all that ended well hold exactly what it reported."""
        found: list[str] = []
        rows = {False: 0, True: 0}
        for stream, outcome, estimated, count, *tokens in self._ledger:
            rows[bool(stream)] += count
            each = BenchProvider.STREAM if stream else BenchProvider.ANSWER
            if outcome != "ok" or estimated:
                found.append(f"{count} calls ended as {outcome}, estimated: {bool(estimated)}")
            elif tuple(tokens) != tuple(count * figure for figure in each):
                found.append(f"{count} calls have {tokens} tokens instead of {each} each")
        if Counts(rows[False], rows[True]) != answered:
            found.append(f"the ledger has {rows[False]} answers and {rows[True]} streams, the provider gave {answered}")
        ledger = (
            sum(row[3] for row in self._ledger),
            sum(row[4] + row[5] for row in self._ledger),
            sum(row[6] for row in self._ledger),
        )
        if self._summed != ledger:
            found.append(f"the hourly sums are {self._summed}, the ledger's {ledger}")
        return found
