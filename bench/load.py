"""The load: so many connections, each sending its next request when the last answer is whole."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import httptools

_STAMP = re.compile(rb"@(\d{6,})@")
_WRK_COUNT = re.compile(r"(\d+) requests in ([\d.]+)(us|ms|s|m)")
_WRK_QUANTILE = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)", re.MULTILINE)
_WRK_FAILED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a target takes chat completions, and what it wants to see besides the body."""

    port: int
    path: str
    headers: tuple[tuple[str, str], ...] = ()

    def request(self, body: bytes) -> bytes:
        headers = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{headers}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass(slots=True)
class Outcome:
    """Milliseconds but for `seconds`. `held` is how long each event took from its sending to its arrival."""

    seconds: float = 0.0
    requests: int = 0
    failed: int = 0
    latencies: list[float] = field(default_factory=list[float])
    first_bytes: list[float] = field(default_factory=list[float])
    held_first: list[float] = field(default_factory=list[float])
    held: list[float] = field(default_factory=list[float])


def quantile(values: list[float], share: float) -> float | None:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else None


class Caller(asyncio.Protocol):
    """One connection of the closed loop. `stop_at` is a moment, `budget` a number of requests shared by all."""

    def __init__(self, request: bytes, outcome: Outcome, stop_at: float, budget: list[int]) -> None:
        self._request = request
        self._outcome = outcome
        self._stop_at = stop_at
        self._budget = budget
        self._parser = httptools.HttpResponseParser(self)
        self._begun = 0.0
        self._waiting = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        self._begun = time.perf_counter()
        if self._begun >= self._stop_at or self._budget[0] <= 0:
            self._transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self._budget[0] -= 1
        self._waiting = True
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        stamps = _STAMP.findall(data)
        if stamps:
            now = time.monotonic_ns()
            held = [(now - int(stamp)) / 1e6 for stamp in stamps]
            self._outcome.held.extend(held)
            if self._waiting:
                self._outcome.held_first.append(held[0])
        if self._waiting:
            self._waiting = False
            self._outcome.first_bytes.append((time.perf_counter() - self._begun) * 1000)
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._outcome.requests += 1
        if self._parser.get_status_code() == 200:
            self._outcome.latencies.append((time.perf_counter() - self._begun) * 1000)
        else:
            self._outcome.failed += 1
        # Not from inside the parser, which is still busy with this answer.
        asyncio.get_running_loop().call_soon(self._next)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._outcome.failed += 1
            self.done.set_result(None)


async def closed_loop(
    endpoint: Endpoint, body: bytes, connections: int, *, seconds: float, requests: int = 1_000_000_000
) -> Outcome:
    """At most `seconds` and at most `requests`."""
    outcome = Outcome()
    begun = time.perf_counter()
    budget = [requests]
    request = endpoint.request(body)
    loop = asyncio.get_running_loop()
    callers: list[Caller] = []
    for _ in range(connections):
        _, caller = await loop.create_connection(
            lambda: Caller(request, outcome, begun + seconds, budget), "127.0.0.1", endpoint.port
        )
        callers.append(caller)
    await asyncio.wait([caller.done for caller in callers], timeout=seconds + 20)
    outcome.seconds = time.perf_counter() - begun
    return outcome


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def wrk(endpoint: Endpoint, body: bytes, connections: int, *, seconds: int) -> Outcome:
    """The same closed loop by wrk, which takes less of the load's core; only for answers that come in one piece."""
    headers = dict((*endpoint.headers, ("Content-Type", "application/json")))
    address = f"http://127.0.0.1:{endpoint.port}{endpoint.path}"
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder, "body")
        content.write_bytes(body)
        script = Path(folder, "post.lua")
        script.write_text(
            f'wrk.method = "POST"\nwrk.body = io.open("{content}", "rb"):read("*a")\n'
            + "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in headers.items())
        )
        printed = subprocess.run(
            [
                shutil.which("wrk") or "wrk",
                "-t1",
                f"-c{connections}",
                f"-d{seconds}s",
                "--latency",
                "-s",
                script,
                address,
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    count = _WRK_COUNT.search(printed)
    if count is None:
        raise RuntimeError(f"wrk printed no count:\n{printed}")
    failed = _WRK_FAILED.search(printed)
    quantiles = {share: float(value) * _MILLISECONDS[unit] for share, value, unit in _WRK_QUANTILE.findall(printed)}
    return Outcome(
        seconds=float(count[2]) * _MILLISECONDS[count[3]] / 1000,
        requests=int(count[1]),
        failed=int(failed[1]) if failed else 0,
        # Enough to give the two quantiles back; wrk keeps the rest to itself.
        latencies=[quantiles["50"]] * 98 + [quantiles["99"]] * 2,
    )
