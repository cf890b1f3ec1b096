"""The records of several processes: one ledger, and the calls of each process that are not in it yet."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence

from sluicegate.domain.policy import Subject, Window
from sluicegate.ports.policy import PastUse


class Ledger:
    """What was spent, by subject, and the ids of the calls for which it was; every window is the same."""

    def __init__(self) -> None:
        self.spent: Counter[Subject] = Counter()
        self.calls: set[str] = set()
        # When each began, its input and output tokens.
        self.recent: dict[Subject, list[tuple[float, int, int]]] = {}
        self.away = False
        # Can be read, and takes nothing.
        self.read_only = False


class Journal:
    """Implements ports.policy.Records for one process; writes to the ledger when asked."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.pending: list[tuple[Subject, int, str]] = []
        self.settled = self.saved = 0
        self._tell_saved: Callable[[], None] = lambda: None

    def listen(self, saved: Callable[[], None]) -> None:
        self._tell_saved = saved

    def note(self, subject: Subject, cost: int, call_id: str) -> None:
        self.pending.append((subject, cost, call_id))
        self.settled += 1

    async def flush(self) -> None:
        await asyncio.sleep(0)
        if self.ledger.away or (self.ledger.read_only and self.pending):
            raise OSError("the ledger is away")
        for subject, cost, call_id in self.pending:
            self.ledger.spent[subject] += cost
            self.ledger.calls.add(call_id)
            self.ledger.recent.setdefault(subject, []).append((time.time(), 1, 1))
        self.pending.clear()
        self.saved = self.settled
        self._tell_saved()

    async def load(
        self,
        subject: Subject,
        periods: dict[Window, str],
        install: Callable[[PastUse], None],
        calls: Sequence[str] = (),
    ) -> None:
        await self.flush()
        spent = self.ledger.spent[subject]
        recent = self.ledger.recent.get(subject, ())
        install(PastUse(dict.fromkeys(periods, spent), recent, counted=self.ledger.calls & {*calls}))
