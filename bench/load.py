"""The load: so many connections with the next request after each answer, or so many requests a second."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
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
    endpoint: Endpoint,
    body: bytes,
    connections: int,
    *,
    seconds: float,
    requests: int = 1_000_000_000,
    ramp: float = 0.0,
) -> Outcome:
    """At most `seconds` and at most `requests`, once all connections are open, which takes `ramp` seconds at least."""
    outcome = Outcome()
    begun = time.perf_counter()
    over = begun + seconds + ramp
    budget = [requests]
    request = endpoint.request(body)
    loop = asyncio.get_running_loop()
    callers: list[Caller] = []
    for number in range(connections):
        if ramp:
            await asyncio.sleep(max(0.0, begun + ramp * number / connections - time.perf_counter()))
        _, caller = await loop.create_connection(
            lambda: Caller(request, outcome, over, budget), "127.0.0.1", endpoint.port
        )
        callers.append(caller)
    await asyncio.wait([caller.done for caller in callers], timeout=seconds + 20)
    outcome.seconds = time.perf_counter() - begun
    return outcome


async def fixed_pace(endpoint: Endpoint, body: bytes, rate: float, *, seconds: float) -> Outcome:
    """Requests at even distances, whether answers have come or not; latency counts from the moment that was planned."""
    outcome = Outcome()
    request = endpoint.request(body)
    loop = asyncio.get_running_loop()
    idle: list[_Paced] = []
    begun = time.perf_counter() + 0.01
    number = 0
    while (due := begun + number / rate) < begun + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if idle:
            caller = idle.pop()
        else:
            _, caller = await loop.create_connection(lambda: _Paced(outcome, idle), "127.0.0.1", endpoint.port)
        caller.send(request, due)
        number += 1
    with suppress(TimeoutError):
        async with asyncio.timeout(20):
            while outcome.requests < number:  # noqa: ASYNC110 - connections signal nobody
                await asyncio.sleep(0.01)
    outcome.failed += number - outcome.requests
    outcome.seconds = time.perf_counter() - begun
    for caller in idle:
        caller.close()
    return outcome


class _Paced(asyncio.Protocol):
    """A connection that is idle between its requests."""

    def __init__(self, outcome: Outcome, idle: list[_Paced]) -> None:
        self._outcome = outcome
        self._idle = idle
        self._parser = httptools.HttpResponseParser(self)
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, due: float) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._outcome.requests += 1
        if self._parser.get_status_code() == 200:
            self._outcome.latencies.append((time.perf_counter() - self._due) * 1000)
        else:
            self._outcome.failed += 1
        self._idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Servers end those that were idle for some seconds."""
        if self in self._idle:
            self._idle.remove(self)

    def close(self) -> None:
        self._transport.close()


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
