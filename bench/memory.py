"""How much memory a server takes, stage by stage, and whether that stays so.

    python bench/memory.py [--minutes N] [--workers N] [--rate N]

Modules are imported in a process of their own, one group after the other. Then a server is started as operators start
it, on SQLite, and measured after its start, some thousand calls, its first page and its first query. With `--minutes`
it goes on under a light mixed load: calls, streams, streams that are broken off, refused calls and dashboards.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvloop

from load import Endpoint, closed_loop
from loads import SMALL, STREAM
from provider import BenchProvider
from targets import PATH, Sluicegate

_GOAL_MB = 60
# Of the share, before and after calls.
_IDLE_MB, _BUSY_MB = 70, 100
_GROUPS = (
    ("asyncio, uvloop, uvicorn, structlog", ("asyncio", "uvloop", "httptools")),
    ("msgspec, cryptography, argon2", ("msgspec", "cryptography.hazmat.primitives.ciphers.aead", "argon2")),
    ("settings", ("sluicegate.settings",)),
    ("gateway and policy", ("sluicegate.gateway.app", "sluicegate.policy.service")),
    ("database: SQLAlchemy, tables", ("sluicegate.storage.engine", "sluicegate.storage.usage_writer")),
    ("container, adapters, jobs", ("sluicegate.container",)),
    ("program", ("sluicegate.cli.serving",)),
    ("use cases, with the first page", ("sluicegate.use_cases",)),
    ("FastAPI, with the first page", ("sluicegate.web.app",)),
    ("GraphQL, with the first query", ("sluicegate.graphql.schema",)),
)
# What a server has run before it loads anything; alone, as its package would load all the rest.
_UNUSED = Path(__file__).resolve().parents[1] / "backend/sluicegate/cli/unused.py"
_CALLS = 10_000
_EVERY_SECONDS = 15.0
# What allocators keep between one moment and another, and caches that are still filling.
_FLAT_MB = 2.0
_ADMIN, _PASSWORD = "admin@example.com", "correct horse battery"
_DASHBOARD = """query Dashboard($from: Date!, $to: Date!) {
  usage(from: $from, to: $to, interval: DAY, everyone: true) {
    totals { requests errors inputTokens outputTokens cost }
    series { start totals { requests errors inputTokens outputTokens cost } }
    breakdown(by: MODEL, first: 10) { key label totals { requests cost } }
  }
  calls(first: 10, everyone: true) { edges { node { id at model status outcome cost } } pageInfo { hasNextPage } }
  users(first: 50) { edges { node { id name email role status } } }
}"""


@dataclass(frozen=True, slots=True)
class Memory:
    """In megabytes. `dirty` pages are the process's own, `mapped` ones come from files, and `share` (PSS) is all that
    it has, each page divided by those who have it."""

    resident: float
    dirty: float
    mapped: float
    share: float

    @classmethod
    def of(cls, pid: int) -> Memory:
        lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        sizes = {line[0].rstrip(":"): int(line[1]) / 1024 for line in lines}
        return cls(sizes["Rss"], sizes["Private_Dirty"], sizes["Rss"] - sizes["Anonymous"], sizes["Pss"])

    def __str__(self) -> str:
        return f"{self.resident:8.1f} {self.dirty:8.1f} {self.mapped:8.1f} {self.share:8.1f}"


_IMPORTS = """
import sys
from importlib import import_module
from runpy import run_path

def show(what):
    with open("/proc/self/smaps_rollup") as lines:
        sizes = {line.split()[0]: int(line.split()[1]) / 1024 for line in list(lines)[1:]}
    rss, dirty, pss = sizes["Rss:"], sizes["Private_Dirty:"], sizes["Pss:"]
    print(f"{what:44} {rss:8.1f} {dirty:8.1f} {rss - sizes['Anonymous:']:8.1f} {pss:8.1f}", flush=True)

show("the interpreter")
run_path(sys.argv[1])
for given in sys.argv[2:]:
    what, *modules = given.split("|")
    for module in modules:
        import_module(module)
    show("+ " + what)
"""


def imports() -> None:
    """Prints what each group of modules adds to a process."""
    print(f"{'':44} {'resident':>8} {'dirty':>8} {'mapped':>8} {'share':>8}", flush=True)
    groups = ["|".join((name, *modules)) for name, modules in _GROUPS]
    subprocess.run([sys.executable, "-c", _IMPORTS, str(_UNUSED), *groups], check=True)


class Measured(Sluicegate):
    """A server with an administrator and a token of theirs."""

    def __init__(self, workers: int) -> None:
        self.arguments = (f"--workers={workers}",)
        self._key = secrets.token_hex(32)

    def settings(self) -> dict[str, str]:
        return {
            "SLUICEGATE_KEK_PRIMARY": self._key,
            "SLUICEGATE_ADMIN_EMAIL": _ADMIN,
            "SLUICEGATE_ADMIN_PASSWORD": _PASSWORD,
            "SLUICEGATE_LOG_LEVEL": "error",
        }

    def process_id(self) -> int:
        return self._process.pid

    def token(self) -> str:
        """As an operator gets one, while the server runs."""
        environment = os.environ | self.settings() | {"SLUICEGATE_DATA_DIR": self._folder.name}
        program = str(Path(sys.executable).with_name("sluicegate"))
        making = [program, "token", "create", "--name=memory", f"--owner={_ADMIN}", "--scope=read"]
        done = subprocess.run(making, stdout=subprocess.PIPE, text=True, check=True, env=environment)
        return done.stdout.strip().splitlines()[-1]


def ask(port: int, path: str, body: dict[str, Any] | None = None, token: str = "") -> bytes:
    headers = {"content-type": "application/json", "accept": "text/html, application/json"}
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def dashboard() -> dict[str, Any]:
    today = date.today()  # noqa: DTZ011 - any day will do
    variables = {"from": str(today - timedelta(days=30)), "to": str(today)}
    return {"query": _DASHBOARD, "variables": variables}


def see_dashboard(port: int, token: str) -> None:
    if "errors" in json.loads(answer := ask(port, "/graphql", dashboard(), token)):
        raise RuntimeError(answer.decode())


def stages(endpoint: Endpoint, token: str, pids: Callable[[], Sequence[int]]) -> None:
    def show(stage: str) -> None:
        time.sleep(2)
        for pid in pids():
            print(f"{stage:44} {Memory.of(pid)}", flush=True)

    def calls(body: bytes, what: str, connections: int, count: int) -> None:
        outcome = uvloop.run(closed_loop(endpoint, body, connections, seconds=60, requests=count))
        show(f"+ {outcome.requests:,} {what}")

    show("a server, started")
    print(goals(pids(), _IDLE_MB))
    calls(SMALL, "calls", 4, 100)
    calls(SMALL, "calls", 16, _CALLS)
    calls(STREAM, "streams", 16, _CALLS // 10)
    print(goals(pids(), _BUSY_MB))
    ask(endpoint.port, "/")
    show("+ a page")
    see_dashboard(endpoint.port, token)
    show("+ a dashboard")
    with suppress(urllib.error.HTTPError):
        ask(endpoint.port, "/auth/sign-in", {"email": _ADMIN, "password": "wrong"})
    show("+ a password, checked")
    calls(SMALL, "calls", 16, _CALLS)


def goals(pids: Sequence[int], share: int) -> str:
    """What is resident of all processes, and their share, beside the goals for one."""
    found = [Memory.of(pid) for pid in pids]
    resident, has = sum(one.resident for one in found), sum(one.share for one in found)
    return f"{resident:.1f} MB resident, goal {_GOAL_MB}; {has:.1f} MB their share (PSS), goal {share}, for one process"


async def mixed_load(endpoint: Endpoint, token: str, rate: float, until: float) -> Counter[str]:
    """`rate` requests a second, of which in 20: 12 calls, 4 streams, one broken off, two refused, one dashboard."""
    counts: Counter[str] = Counter()
    known = dict(endpoint.headers)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{endpoint.port}", timeout=60) as client:

        async def one(kind: str) -> None:
            json_type = {"content-type": "application/json"}
            try:
                if kind == "dashboard":
                    headers = {"authorization": f"Bearer {token}"}
                    answer = await client.post("/graphql", json=dashboard(), headers=headers)
                    well = answer.status_code == 200 and "errors" not in answer.json()
                elif kind == "refused":
                    body = SMALL.replace(b"bench-model", b"no-such-model")
                    answer = await client.post(PATH, content=body, headers=known | json_type)
                    well = answer.status_code == 404
                elif kind == "broken off":
                    async with client.stream("POST", PATH, content=STREAM, headers=known | json_type) as answer:
                        async for _ in answer.aiter_raw():
                            break
                    well = answer.status_code == 200
                else:
                    body = STREAM if kind == "stream" else SMALL
                    answer = await client.post(PATH, content=body, headers=known | json_type)
                    well = answer.status_code == 200
            except httpx.HTTPError:
                well = False
            counts[kind if well else "failed"] += 1

        mix = ["call"] * 12 + ["stream"] * 4 + ["broken off"] + ["refused"] * 2 + ["dashboard"]
        async with asyncio.TaskGroup() as tasks:
            begun = time.monotonic()
            for number, kind in enumerate(itertools.cycle(mix)):
                due = begun + number / rate
                if due >= until:
                    break
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                tasks.create_task(one(kind))
    return counts


async def over_time(endpoint: Endpoint, token: str, rate: float, minutes: float, pid: int) -> list[float]:
    """Prints and gives what is resident, every so often."""
    begun, found = time.monotonic(), list[float]()
    load = asyncio.create_task(mixed_load(endpoint, token, rate, begun + 60 * minutes))
    while not load.done():
        memory = Memory.of(pid)
        found.append(memory.resident)
        passed = (time.monotonic() - begun) / 60
        print(f"{passed:6.2f} min {memory.resident:8.1f} MB, share {memory.share:8.1f} MB", flush=True)
        await asyncio.wait([load], timeout=_EVERY_SECONDS)
    print(", ".join(f"{count:,} {kind}" for kind, count in load.result().items()))
    return found


def verdict(found: Sequence[float]) -> str:
    """The first third fills caches; after it, nothing should be added."""
    third = max(1, len(found) // 3)
    middle, last = statistics.median(found[third : 2 * third]), statistics.median(found[2 * third :])
    flat = last - middle < _FLAT_MB
    return f"{'met' if flat else 'MISSED'}: {middle:.1f} MB in the middle, {last:.1f} MB at the end, flat within 2 MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rate", type=float, default=20)
    given = parser.parse_args()
    imports()
    with tempfile.TemporaryDirectory() as folder:
        provider, server = BenchProvider(Path(folder)), Measured(given.workers)
        try:
            endpoint = server.start(provider.port)
            while b'"ok"' not in ask(endpoint.port, "/readyz"):
                time.sleep(0.1)
            token, pid = server.token(), server.process_id()
            children = Path(f"/proc/{pid}/task/{pid}/children")
            stages(endpoint, token, lambda: [pid, *map(int, children.read_text().split())])
            if given.minutes:
                print(verdict(asyncio.run(over_time(endpoint, token, given.rate, given.minutes, pid))))
        finally:
            server.stop()
            provider.stop()


if __name__ == "__main__":
    main()
