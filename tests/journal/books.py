"""A journal over a real database, and what is found of it there."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import msgspec
from sqlalchemy.engine import make_url

from sluicegate.adapters.journal import Journal
from sluicegate.adapters.journal.lines import Contents
from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.domain.usage import CallCourse, CallFacts, CallRecord, record_of
from sluicegate.kit.clock import SystemClock
from sluicegate.kit.ids import new_id
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.usage import UsageWriter
from sluicegate.storage.usage_writer import make_usage_writer

CLOCK = SystemClock()


ADA = Subject(SubjectKind.USER, "ada")


FACTS = CallFacts(
    "ada", "Ada", "k1", "laptop", ("g1",), "fast", "p1", "Demo", "demo-fast", "messages", False, None, None, None, None
)


def a_call(cost: int = 10, outcome: str = "ok") -> CallCourse:
    now = int(CLOCK.time() * 1000)
    return CallCourse(new_id(), now, now + 5, 200, outcome, 7, 0, 0, 0, 3, 0, cost, False, 2)


def record(cost: int = 10) -> CallRecord:
    """As releases wrote it that knew no facts."""
    return record_of(FACTS, a_call(cost))


def lines(*parts: object) -> bytes:
    return b"".join(msgspec.json.encode(part) + b"\n" for part in parts)


def real_writer(database: Path) -> UsageWriter:
    return make_usage_writer(make_url(f"sqlite:///{database}"), UTC)


def journal(folder: Path, writer: UsageWriter, **options: object) -> Journal:
    return Journal(folder / "journal", writer, CLOCK, PeriodClock(UTC), **options)  # type: ignore[arg-type]


def ledger(database: Path) -> dict[str, str]:
    with sqlite3.connect(database) as connection:
        return dict(connection.execute("SELECT call_id, outcome FROM usage_ledger").fetchall())


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "journal").iterdir())


class Flaky:
    """A writer whose database can be away."""

    def __init__(self, inner: UsageWriter) -> None:
        self.inner = inner
        self.away = False

    def write(self, records: Sequence[CallRecord]) -> None:
        if self.away:
            raise ConnectionError("away")
        self.inner.write(records)

    def spent(
        self, subject: Subject, periods: dict[Window, str], calls: Sequence[str] = ()
    ) -> tuple[dict[Window, int], set[str]]:
        return self.inner.spent(subject, periods, calls)

    def recent(self, subject: Subject, since_ms: int) -> Sequence[tuple[float, int, int]]:
        return self.inner.recent(subject, since_ms)


def contents_of(folder: Path) -> Contents:
    found = Contents()
    for path in sorted((folder / "journal").glob("*.journal")):
        found.add(path.read_bytes())
    return found
