"""A Redis of a test's own, to be stopped, emptied and killed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from typing import Self

import pytest


class RedisServer:
    """Listens on a free port of this machine, and keeps nothing."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            if os.environ.get("CI", "").lower() in {"1", "true"}:
                pytest.fail("there is no redis-server, and CI=true allows no skip")
            pytest.skip("there is no redis-server")
        command = (program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self._process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
        async with asyncio.timeout(20):
            while not await self._listens():  # noqa: ASYNC110 - a server that starts signals nobody
                await asyncio.sleep(0.02)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    async def tell(self, *words: str) -> bytes:
        """Sends one command over a connection of its own; gives the first line of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        parts = [word.encode() for word in words]
        writer.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts))
        answer = await reader.readline()
        writer.close()
        return answer

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
