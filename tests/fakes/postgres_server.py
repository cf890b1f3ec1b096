"""A PostgreSQL of a test's own, to be stopped, started again and replaced by its replica."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
# Speed counts, and the files go with the test; a commit waits for the replica where there is one.
_SETTINGS = {
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "synchronous_commit": "on",
    "max_connections": "60",
    "shared_buffers": "16MB",
}


class PostgresServer:
    """Listens on a free port of this machine; whoever asks from here is believed to be `postgres`."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._folder = Path(tempfile.mkdtemp(prefix="sluicegate-postgres-"))
        # The server refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self._folder, self._user, self._user)
        self._data = self._folder / "data"

    @classmethod
    def new(cls) -> Self:
        server = cls()
        server._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "-D", server._data)
        server.start()
        return server

    def replica(self) -> Self:
        """A running copy that commits of this one wait for, from now on."""
        copy = type(self)()
        copy._run(
            "pg_basebackup",
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "-d",
            f"{self.url}?application_name=copy",
            "-D",
            copy._data,
        )
        copy.start()
        self._ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._ask("SELECT pg_reload_conf()")
        return copy

    def start(self) -> None:
        settings = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": str(self._folder)}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", self._folder / "log", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """`immediate` is as if it had been killed."""
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "-m", mode, "stop")

    def promote(self) -> None:
        """Makes a replica the one that takes changes, and that waits for nobody."""
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "promote")

    def remove(self) -> None:
        if (self._data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self._folder)

    def _ask(self, statement: str) -> None:
        self._run("psql", "-q", "-d", self.url, "-c", statement)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command: Sequence[str | Path] = (_path_of(program), *arguments)
        # What it writes is for whoever asks why it failed; a server that was started keeps none of it open.
        with (self._folder / f"{program}.out").open("w+") as out:
            done = subprocess.run(
                command,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            out.seek(0)
            assert done.returncode == 0, out.read()


def _path_of(program: str) -> Path | str:
    found = next((folder / program for folder in _PROGRAMS if (folder / program).exists()), shutil.which(program))
    if found is None:
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(f"there is no {program}, and CI=true allows no skip")
        pytest.skip(f"there is no {program}")
    return found
