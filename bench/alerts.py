"""How long the job that looks for reached thresholds takes, and how long it keeps everything else waiting meanwhile.

    python bench/alerts.py [how many people]

Everybody has a key and spent money in each window; one in a hundred has a cap of their own, everybody those of a group,
and nobody has reached a threshold. On SQLite. CPU seconds are told too, since neighbours disturb those less.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import insert, text

from sluicegate.domain.policy import Budget, ChangeKind, PolicyChange, Subject, SubjectKind, Window
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.clock import SystemClock
from sluicegate.kit.money import Nanos
from sluicegate.policy.windows import period_of
from sluicegate.services.alert_watch import AlertWatch
from sluicegate.storage import migrate
from sluicegate.storage.engine import SqlStore, database_url, make_engine
from sluicegate.storage.tables.every import METADATA

_ZONE = ZoneInfo("UTC")
_GROUPS = 40
_CHUNK = 5_000
# Who waits looks so often, in seconds.
_PAUSE = 0.001


class _Silent:
    """In place of the feed, of mail and of webhooks: nobody is to be told of anything here."""

    configured = False

    def subscribe(self, _listener: object) -> None: ...
    async def publish(self, _changes: object) -> None: ...
    def nudge(self) -> None: ...


async def fill(store: SqlStore, people: int) -> None:
    now = datetime.now(UTC)
    users = [
        User(f"{n:08d}", f"person{n}@example.com", f"Person {n}", Role.MEMBER, UserStatus.ACTIVE, now)
        for n in range(people)
    ]
    async with store.write() as tx:
        for group in range(_GROUPS):
            await tx.groups.add(Group(f"g{group}", f"Group {group}", "", now))
            await tx.policy.set_budget(
                Subject(SubjectKind.GROUP, f"g{group}"), Budget(day=Nanos(10**12), month=Nanos(10**13))
            )
        for user in users[::100]:
            await tx.policy.set_budget(Subject(SubjectKind.USER, user.id), Budget(week=Nanos(10**12)))
    periods = [period_of(window, now, _ZONE).key for window in Window]
    spend: list[dict[str, Any]] = [
        {"subject_kind": kind, "subject_id": f"{prefix}{user.id}", "period": period}
        | {"spent_nanos": 10**9, "changed_ms": round(now.timestamp() * 1000) - 600_000}
        for user in users
        for kind, prefix in (("user", ""), ("key", "k"))
        for period in periods
    ]
    await _insert(
        store,
        "users",
        [
            {"id": u.id, "email": u.email, "name": u.name, "role": u.role, "status": u.status, "created_at": now}
            | {"last_active_at": None, "sort_name": u.name.lower()}
            for u in users
        ],
    )
    await _insert(store, "memberships", [{"group_id": f"g{n % _GROUPS}", "user_id": u.id} for n, u in enumerate(users)])
    await _insert(store, "budget_spend", spend)


async def _insert(store: SqlStore, table: str, rows: Sequence[dict[str, Any]]) -> None:
    async with store.engine.begin() as connection:
        for start in range(0, len(rows), _CHUNK):
            await connection.execute(insert(METADATA.tables[table]), rows[start : start + _CHUNK])


async def timed(name: str, watch: AlertWatch) -> None:
    longest = 0.0
    looking = asyncio.create_task(watch.look())

    async def others() -> None:
        nonlocal longest
        while not looking.done():
            began = time.perf_counter()
            await asyncio.sleep(_PAUSE)
            longest = max(longest, time.perf_counter() - began - _PAUSE)

    began, worked = time.perf_counter(), time.process_time()
    waiting = asyncio.create_task(others())
    await looking
    taken = time.perf_counter() - began
    await waiting
    cpu = time.process_time() - worked
    print(f"{name:34} {taken:6.2f} s, CPU {cpu:6.2f} s, others waited for up to {1000 * longest:6.0f} ms")


async def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        migrate.upgrade(url)
        store = SqlStore(make_engine(database_url(url)), cast("Any", _Silent()), SystemClock())
        await fill(store, people)
        watch = AlertWatch(store, SystemClock(), _ZONE, cast("Any", _Silent()), cast("Any", _Silent()))
        await timed("first look, at everything", watch)
        await timed("next look, nothing spent", watch)
        async with store.engine.begin() as connection:
            spending = (
                "UPDATE budget_spend SET spent_nanos = spent_nanos + 1, changed_ms = :now WHERE subject_id LIKE :who"
            )
            now_ms = round(datetime.now(UTC).timestamp() * 1000)
            await connection.execute(text(spending), {"now": now_ms, "who": "%50"})
        await timed("after one in a hundred spent", watch)
        async with store.write() as tx:
            await tx.policy.set_budget(Subject(SubjectKind.USER, "00000000"), Budget(week=Nanos(2 * 10**12)))
            tx.changed(PolicyChange(ChangeKind.USER, "00000000"))
        await timed("after one person's cap has changed", watch)
        async with store.write() as tx:
            await tx.policy.set_budget(Subject(SubjectKind.GROUP, "g1"), Budget(day=Nanos(2 * 10**12)))
            tx.changed(PolicyChange(ChangeKind.GROUP, "g1"))
        await timed("after one group's cap has changed", watch)
        await store.aclose()


if __name__ == "__main__":
    asyncio.run(main())
