"""Work that recurs without anybody asking for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class JobState:
    """What all processes know of a job. Whoever runs it holds it until `lease_until`; `error` is empty when the last
    run went well, and `failures` counts those in a row."""

    name: str
    due_at: datetime
    owner: str | None = None
    lease_until: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failures: int = 0
    error: str = ""

    def running(self, now: datetime) -> bool:
        """Whether a process holds it."""
        return self.lease_until is not None and self.lease_until > now
