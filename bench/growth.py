"""Whether a call costs the same however many people there are, and how long starts, changes of policy and pages of
lists take.

    python bench/growth.py [how many people, ...]

On SQLite. Everybody is in 20 of 200 groups, each of which sets all rate limits and budgets and grants the model, has a
key, and has spent money in each window. Callers are a few of them, with a connection each. What jobs do first after a
start, such as looking for thresholds at everybody, is measured by how long calls wait meanwhile; all else comes after
it. A call's processor time is the least of some bursts. Figures are printed beside the goals: a start within 5 s, a
change of a person or group within 50 ms, and no more processor time for a call than with the fewest people, but for
noise.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from load import Caller, Endpoint, Outcome, fixed_pace, quantile
from loads import SMALL
from processes import cpu_seconds, end, free_port, resident_mb, spawn
from provider import BenchProvider
from seed import add_model, limit
from sluicegate.container import Container
from sluicegate.domain.apikey import ApiKey, new_credential
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.crypto import hash_key_secret
from sluicegate.policy.windows import period_of
from sluicegate.premises import prepare_database
from sluicegate.settings import load

_COUNTS = (100, 10_000, 100_000)
_GROUPS, _IN = 200, 20
_CALLERS = 16
_CHANGES = 30
_SECONDS, _BURSTS = 1.5, 5
_TRIES = 9
_START = datetime(2026, 1, 1, tzinfo=UTC)
_ADMIN = "admin@example.com"
_PATH = "/v1/chat/completions"
_LIMIT = re.compile(rb"x-ratelimit-limit-requests: (\d+)")
# In the order of a table's index, one after the other, so that two million rows take seconds.
_PEOPLE = """INSERT INTO users (id, email, name, sort_name, role, status, created_at, last_active_at)
WITH RECURSIVE one(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM one WHERE n + 1 < :people)
SELECT 'u' || n, 'person' || n || '@example.com', 'Person ' || n, 'person ' || n, role, status, created_at,
  last_active_at FROM one, users WHERE id = 'u0'"""
_MEMBERSHIPS = """INSERT INTO memberships (group_id, user_id)
WITH RECURSIVE turn(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM turn WHERE k + 1 < :each)
SELECT 'g' || ((substr(id, 2) + k * 7) % :groups), id FROM users, turn WHERE id <> 'admin' ORDER BY 1, 2"""
_KEYS = """INSERT INTO api_keys (id, public_id, user_id, name, prefix, secret_hash, created_at)
SELECT 'k' || u.id, 'p' || substr(u.id, 2), u.id, k.name, k.prefix, k.secret_hash, k.created_at
FROM users u, api_keys k WHERE k.id = 'ku0' AND u.id NOT IN ('u0', 'admin') ORDER BY u.id"""
_CALLER = "UPDATE api_keys SET public_id = :public, prefix = :prefix, secret_hash = :hash WHERE user_id = :user"
_SPEND = """INSERT INTO budget_spend (subject_kind, subject_id, period, spent_nanos, changed_ms)
SELECT 'key', id, :period, 1000000000, :now FROM api_keys UNION ALL
SELECT 'user', id, :period, 1000000000, :now FROM users ORDER BY 1, 2"""
_SET = """mutation Limit($subject: SubjectInput!, $limits: RateLimitInput!) {
  setRateLimit(subject: $subject, input: $limits) { rateLimit { requestsPerMinute } }
}"""


# As the console asks for its first page.
_LISTS = {
    "people": """{ users(sort: NAME_ASC) {
  edges { node { id email name role status createdAt lastActiveAt version } }
  pageInfo { hasNextPage } totalCount } }""",
    "groups": """{ groups {
  edges { node { id name description memberCount createdAt } } pageInfo { hasNextPage } totalCount } }""",
    "members": """{ group(id: "g0") { memberCount members(first: 50, search: "erson 9") {
  edges { node { id email name role status lastActiveAt } } pageInfo { hasNextPage } } } }""",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds, but for `fill`, `start`, `start_cpu` and `looks` (seconds), `cpu` (microseconds a call) and
    `memory` (megabytes). `looks` is how long the jobs were at work, `waited` the p99 of calls meanwhile, `quiet` that
    of calls afterwards."""

    people: int
    fill: float
    start: float
    start_cpu: float
    first_call: float
    looks: float
    waited: float
    quiet: float
    cpu: float
    change: float
    group_change: float
    lists: dict[str, float]
    memory: float


async def fill(container: Container, count: int, provider_port: int) -> list[str]:
    """Gives the keys of those who will call. All but the first person, and all that belongs to people, is made within
    the database."""
    now = container.clock.now()
    first = User("u0", "person0@example.com", "Person 0", Role.MEMBER, UserStatus.ACTIVE, _START)
    made = {f"u{n}": new_credential() for n in range(0, count, max(1, count // _CALLERS))}
    async with container.store.write() as tx:
        model_id = await add_model(tx, container, provider_port)
        await tx.users.add(User("admin", _ADMIN, "Ada Admin", Role.ADMIN, UserStatus.ACTIVE, _START))
        await tx.users.add(first)
        for number in range(_GROUPS):
            group = Group(f"g{number}", f"Group {number}", "", _START)
            await tx.groups.add(group)
            await limit(tx, Subject(SubjectKind.GROUP, group.id), number)
            await tx.policy.add_grants(Subject(SubjectKind.GROUP, group.id), [model_id], _START)
        await tx.keys.add(ApiKey("ku0", "p0", first.id, "laptop", "sg_p0", "-", _START))
    async with container.store.engine.begin() as connection:
        await connection.execute(text(_PEOPLE), {"people": count})
        # The second index is made afterwards, in one go.
        statement = text("SELECT sql FROM sqlite_master WHERE name = 'ix_memberships_user_id'")
        index = (await connection.execute(statement)).scalar_one()
        await connection.execute(text("DROP INDEX ix_memberships_user_id"))
        await connection.execute(text(_MEMBERSHIPS), {"groups": _GROUPS, "each": _IN})
        await connection.execute(text(index))
        await connection.execute(text(_KEYS))
        # Only those who call need a key that works: each costs the time of an Argon2 run.
        for user_id, key in made.items():
            given = {"public": key.public_id, "prefix": key.prefix, "user": user_id}
            await connection.execute(text(_CALLER), given | {"hash": hash_key_secret(key.secret)})
        for window in Window:
            period = period_of(window, now, container.settings.zone).key
            changed_ms = round(now.timestamp() * 1000) - 600_000
            await connection.execute(text(_SPEND), {"period": period, "now": changed_ms})
    return [key.text for key in made.values()][:_CALLERS]


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


def asked(port: int, token: str, query: str, variables: dict[str, Any] | None = None) -> float:
    """Milliseconds of an answer without errors."""
    body = json.dumps({"query": query, "variables": variables or {}}).encode()
    taken, _, content = post(port, "/graphql", body, token)
    if "errors" in json.loads(content):
        raise RuntimeError(content.decode())
    return taken


def change(port: int, token: str, kind: str, subject: str, limit: int) -> float:
    return asked(port, token, _SET, {"subject": {kind: subject}, "limits": {"requestsPerMinute": limit}})


def changes(port: int, token: str, key: str) -> tuple[float, float]:
    """Medians, of a person's and of a group's. That a person's is in force is seen by the person's next call."""
    own: list[float] = []
    for number in range(_CHANGES):
        own.append(change(port, token, "userId", "u0", 1_000_000 + number))
        _, headers, _ = post(port, _PATH, SMALL, key)
        found = _LIMIT.search(headers.lower())
        if found is None or int(found[1]) != 1_000_000 + number:
            raise RuntimeError("a change was not in force when it was answered")
    groups = [change(port, token, "groupId", "g0", 1_500_000_000 + number) for number in range(_CHANGES)]
    return statistics.median(own), statistics.median(groups)


def busy(database: Path) -> bool:
    """Whether a job runs, or has never ended."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        counted = "SELECT count(*), sum(finished_at IS NULL OR owner IS NOT NULL) FROM jobs"
        jobs, unfinished = connection.execute(counted).fetchone()
    return not jobs or unfinished > 0


async def paced(port: int, key: str, seconds: float) -> list[float]:
    """Milliseconds that calls take, one every 10 ms."""
    outcome = await fixed_pace(
        Endpoint(port, _PATH, (("Authorization", f"Bearer {key}"),)), SMALL, 100, seconds=seconds
    )
    if outcome.failed:
        raise RuntimeError(f"{outcome.failed} calls failed")
    return outcome.latencies


async def while_jobs_run(port: int, key: str, database: Path) -> tuple[float, list[float]]:
    """For how many seconds they do, and what calls take meanwhile."""
    begun, taken = time.perf_counter(), list[float]()
    while busy(database):
        if time.perf_counter() - begun > 60:
            raise RuntimeError("the jobs do not come to an end")
        taken += await paced(port, key, 0.5)
    return time.perf_counter() - begun, taken


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

        begun = time.perf_counter()
        keys = asyncio.run(prepare())
        filled = time.perf_counter() - begun
        program = str(Path(sys.executable).with_name("sluicegate"))
        making = [program, "token", "create", "--name=growth", f"--owner={_ADMIN}", "--scope=policy", "--scope=read"]
        token = subprocess.run(making, stdout=subprocess.PIPE, text=True, check=True).stdout.strip().splitlines()[-1]
        port = free_port()
        begun = time.perf_counter()
        process = spawn([program, "serve", f"--port={port}"])
        try:
            start, start_cpu = wait_until_ready(port, begun), cpu_seconds(process.pid)
            first = statistics.median(post(port, _PATH, SMALL, key)[0] for key in keys)
            looks, waited = asyncio.run(while_jobs_run(port, keys[0], Path(folder) / "sluicegate.db"))
            quiet = asyncio.run(paced(port, keys[0], 5))
            asyncio.run(load_of(port, keys))
            cpu = min(cost_of_call(port, keys, process.pid) for _ in range(_BURSTS))
            own, group = changes(port, token, keys[0])
            lists = {
                name: statistics.median(asked(port, token, query) for _ in range(_TRIES))
                for name, query in _LISTS.items()
            }
            memory = resident_mb(process.pid)
        finally:
            end(process)
    late = [quantile(taken, 0.99) or 0.0 for taken in (waited, quiet)]
    return Figures(count, filled, start, start_cpu, first, looks, *late, cpu, own, group, lists, memory)


def cost_of_call(port: int, keys: Sequence[str], pid: int) -> float:
    """Microseconds of processor time, with the ledger's part."""
    used = cpu_seconds(pid)
    calls = asyncio.run(load_of(port, keys))
    return (cpu_seconds(pid) - used) / calls * 1e6


def main() -> None:
    counts = [int(given) for given in sys.argv[1:]] or list(_COUNTS)
    os.environ["SLUICEGATE_ALLOW_PRIVATE_UPSTREAMS"] = "true"
    os.environ["SLUICEGATE_KEK_PRIMARY"] = secrets.token_hex(32)
    os.environ["SLUICEGATE_LOG_LEVEL"] = "error"
    with tempfile.TemporaryDirectory() as folder:
        provider = BenchProvider(Path(folder))
        try:
            rows = [measure(count, provider) for count in counts]
        finally:
            provider.stop()
    lines: dict[str, Callable[[Figures], str]] = {
        "people": lambda row: f"{row.people:,}",
        "filled, s": lambda row: f"{row.fill:.1f}",
        "start, s": lambda row: f"{row.start:.2f}",
        "processor time of the start, s": lambda row: f"{row.start_cpu:.2f}",
        "first call of a key, ms": lambda row: f"{row.first_call:.1f}",
        "jobs at work after the start, s": lambda row: f"{row.looks:.1f}",
        "p99 of calls meanwhile, ms": lambda row: f"{row.waited:.1f}",
        "p99 of calls afterwards, ms": lambda row: f"{row.quiet:.1f}",
        "processor time of a call, us": lambda row: f"{row.cpu:.0f}",
        "a person's change, ms": lambda row: f"{row.change:.1f}",
        "a group's change, ms": lambda row: f"{row.group_change:.1f}",
        **{f"list of {name}, ms": lambda row, name=name: f"{row.lists[name]:.1f}" for name in _LISTS},
        "memory, MB": lambda row: f"{row.memory:.0f}",
    }
    for name, shown in lines.items():
        print(f"{name:34}", *(f"{shown(row):>9}" for row in rows))
    last = rows[-1]
    for what, met in (
        (f"start {last.start:.2f} s, goal 5 s", last.start < 5),
        (f"a change of one person {last.change:.0f} ms, goal 50 ms", last.change < 50),
        (f"a change of one group {last.group_change:.0f} ms, goal 50 ms", last.group_change < 50),
        (
            f"processor time of a call {last.cpu / rows[0].cpu:.2f} times that with the fewest",
            last.cpu < 1.2 * rows[0].cpu,
        ),
    ):
        print(f"{'met' if met else 'MISSED'}: {what}")


if __name__ == "__main__":
    main()
