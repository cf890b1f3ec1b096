"""Whether a call costs the same however many people there are, and how long starts and changes of policy take.

    python bench/growth.py [how many people, ...]

Everybody is in 20 of 200 groups, each of which sets all rate limits and budgets and grants the model, and has a key.
Callers are a few of them, with a connection each. Figures are printed beside the goals: a start within 5 s, a change of
one person's limits within 50 ms, and no more processor time for a call than with the fewest people, but for noise.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlmodel import SQLModel

from load import Caller, Endpoint, Outcome
from loads import SMALL
from processes import cpu_seconds, end, free_port, resident_mb, spawn
from provider import BenchProvider
from seed import add_model, limit
from sluicegate.container import Container, prepare_database
from sluicegate.domain.apikey import new_credential
from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.crypto import hash_key_secret
from sluicegate.settings import load

_PEOPLE = (100, 10_000, 100_000)
_GROUPS, _IN = 200, 20
_CALLERS = 16
_CHANGES = 30
_SECONDS = 4.0
_CHUNK = 20_000
_START = datetime(2026, 1, 1, tzinfo=UTC)
_ADMIN = "admin@example.com"
_PATH = "/v1/chat/completions"
_LIMIT = re.compile(rb"x-ratelimit-limit-requests: (\d+)")
_SET = """mutation Limit($subject: SubjectInput!, $limits: RateLimitInput!) {
  setRateLimit(subject: $subject, input: $limits) { rateLimit { requestsPerMinute } }
}"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds, but for `start` (seconds), `cpu` (microseconds a call) and `memory` (megabytes)."""

    people: int
    start: float
    first_call: float
    cpu: float
    change: float
    group_change: float
    memory: float


async def fill(container: Container, count: int, provider_port: int) -> list[str]:
    """Gives the keys of those who will call."""
    groups = [Group(f"g{number}", f"Group {number}", "", _START) for number in range(_GROUPS)]
    async with container.store.write() as tx:
        model_id = await add_model(tx, container, provider_port)
        await tx.users.add(User("admin", _ADMIN, "Ada Admin", Role.ADMIN, UserStatus.ACTIVE, _START))
        for number, group in enumerate(groups):
            await tx.groups.add(group)
            await limit(tx, Subject(SubjectKind.GROUP, group.id), number)
            await tx.policy.add_grants(Subject(SubjectKind.GROUP, group.id), [model_id], _START)
    people = [
        User(f"u{n}", f"person{n}@example.com", f"Person {n}", Role.MEMBER, UserStatus.ACTIVE, _START)
        for n in range(count)
    ]
    await _insert(container, "users", ({**asdict(p), "sort_name": p.name.lower()} for p in people))
    await _insert(
        container,
        "memberships",
        (
            {"group_id": f"g{(n + k * 7) % _GROUPS}", "user_id": person.id}
            for n, person in enumerate(people)
            for k in range(_IN)
        ),
    )
    made = [(person, new_credential()) for person in people]
    callers = [key for _, key in made[:: max(1, count // _CALLERS)][:_CALLERS]]
    # Only those who call need a key that works: each costs the time of an Argon2 run.
    hashes = {key.public_id: hash_key_secret(key.secret) for key in callers}
    await _insert(
        container,
        "api_keys",
        (
            {"id": f"k{person.id}", "public_id": key.public_id, "user_id": person.id, "name": "laptop"}
            | {"prefix": key.prefix, "secret_hash": hashes.get(key.public_id, "-"), "created_at": _START}
            for person, key in made
        ),
    )
    return [key.text for key in callers]


async def _insert(container: Container, table: str, rows: Iterator[dict[str, Any]]) -> None:
    async with container.store.engine.begin() as connection:
        part: list[dict[str, Any]] = []
        for row in rows:
            part.append(row)
            if len(part) == _CHUNK:
                await connection.execute(insert(SQLModel.metadata.tables[table]), part)
                part = []
        if part:
            await connection.execute(insert(SQLModel.metadata.tables[table]), part)


def wait_until_ready(port: int, since: float) -> float:
    """Seconds from `since`."""
    while time.perf_counter() - since < 120:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return time.perf_counter() - since
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("the server does not become ready")


def post(port: int, path: str, body: bytes, key: str) -> tuple[float, bytes, bytes]:
    """Milliseconds, headers and body of one answer."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    begun = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30) as answer:
        content = answer.read()
    return (time.perf_counter() - begun) * 1000, str(answer.headers).encode(), content


def change(port: int, token: str, kind: str, subject: str, limit: int) -> float:
    given = {"subject": {kind: subject}, "limits": {"requestsPerMinute": limit}}
    body = json.dumps({"query": _SET, "variables": given}).encode()
    taken, _, content = post(port, "/graphql", body, token)
    if "errors" in json.loads(content):
        raise RuntimeError(content.decode())
    return taken


async def load_of(port: int, keys: Sequence[str]) -> int:
    """A connection for each key, with the next call after each answer; how many calls were answered."""
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    until = time.perf_counter() + _SECONDS
    callers: list[Caller] = []
    for key in keys:
        request = Endpoint(port, _PATH, (("Authorization", f"Bearer {key}"),)).request(SMALL)
        _, caller = await loop.create_connection(
            lambda request=request: Caller(request, outcome, until, [10**9]), "127.0.0.1", port
        )
        callers.append(caller)
    await asyncio.wait([caller.done for caller in callers], timeout=_SECONDS + 20)
    if outcome.failed:
        raise RuntimeError(f"{outcome.failed} calls failed")
    return outcome.requests


def measure(count: int, provider: BenchProvider) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SLUICEGATE_DATA_DIR"] = folder
        settings = load()
        prepare_database(settings)

        async def prepare() -> list[str]:
            container = Container(settings, settings.url_at(settings.port))
            try:
                return await fill(container, count, provider.port)
            finally:
                await container.stop()

        keys = asyncio.run(prepare())
        program = str(Path(sys.executable).with_name("sluicegate"))
        making = [program, "token", "create", "--name=growth", f"--owner={_ADMIN}", "--scope=policy"]
        token = subprocess.run(making, stdout=subprocess.PIPE, text=True, check=True).stdout.strip().splitlines()[-1]
        port = free_port()
        begun = time.perf_counter()
        process = spawn([program, "serve", f"--port={port}"])
        try:
            start = wait_until_ready(port, begun)
            first = statistics.median(post(port, _PATH, SMALL, key)[0] for key in keys)
            asyncio.run(load_of(port, keys))
            used = cpu_seconds(process.pid)
            calls = asyncio.run(load_of(port, keys))
            cpu = (cpu_seconds(process.pid) - used) / calls * 1e6
            changes: list[float] = []
            for number in range(_CHANGES):
                changes.append(change(port, token, "userId", "u0", 1_000_000 + number))
                _, headers, _ = post(port, _PATH, SMALL, keys[0])
                found = _LIMIT.search(headers.lower())
                if found is None or int(found[1]) != 1_000_000 + number:
                    raise RuntimeError("a change was not in force when it was answered")
            group = [change(port, token, "groupId", "g0", 1_500_000_000 + number) for number in range(_CHANGES)]
            memory = resident_mb(process.pid)
        finally:
            end(process)
    return Figures(count, start, first, cpu, statistics.median(changes), statistics.median(group), memory)


def main() -> None:
    counts = [int(given) for given in sys.argv[1:]] or list(_PEOPLE)
    os.environ["SLUICEGATE_ALLOW_PRIVATE_UPSTREAMS"] = "true"
    os.environ["SLUICEGATE_KEK_PRIMARY"] = secrets.token_hex(32)
    os.environ["SLUICEGATE_LOG_LEVEL"] = "error"
    with tempfile.TemporaryDirectory() as folder:
        provider = BenchProvider(Path(folder))
        try:
            rows = [measure(count, provider) for count in counts]
        finally:
            provider.stop()
    print("people    start s  first call ms  CPU us a call  change ms  change of a group ms  MB")
    for row in rows:
        print(
            f"{row.people:7,}  {row.start:8.2f}  {row.first_call:13.1f}  {row.cpu:13.0f}  {row.change:9.1f}"
            f"  {row.group_change:20.1f}  {row.memory:5.0f}"
        )
    last = rows[-1]
    for what, met in (
        (f"start {last.start:.2f} s, goal 5 s", last.start < 5),
        (f"a change of one person {last.change:.0f} ms, goal 50 ms", last.change < 50),
        (
            f"processor time of a call {last.cpu / rows[0].cpu:.2f} times that with the fewest",
            last.cpu < 1.2 * rows[0].cpu,
        ),
    ):
        print(f"{'met' if met else 'MISSED'}: {what}")


if __name__ == "__main__":
    main()
