"""The records of several processes: one ledger, and the calls of each process that are not in it yet."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from sluicegate.domain.policy import Subject, Window
from sluicegate.ports.policy import PastUse


class Ledger:
    """What was spent, by subject; every window is the same."""

    def __init__(self) -> None:
        self.spent: Counter[Subject] = Counter()
        self.away = False


class Journal:
    """Implements ports.policy.Records for one process; writes to the ledger when asked."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.pending: list[tuple[Subject, int]] = []
        self.settled = self.saved = 0

    def note(self, subject: Subject, cost: int) -> None:
        self.pending.append((subject, cost))
        self.settled += 1

    async def flush(self) -> None:
        await asyncio.sleep(0)
        if self.ledger.away:
            raise OSError("the ledger is away")
        for subject, cost in self.pending:
            self.ledger.spent[subject] += cost
        self.pending.clear()
        self.saved = self.settled

    async def load(self, subject: Subject, periods: dict[Window, str], install: Callable[[PastUse], None]) -> None:
        await self.flush()
        spent = self.ledger.spent[subject]
        install(PastUse(dict.fromkeys(periods, spent)))
