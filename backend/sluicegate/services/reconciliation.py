"""The ledger beside a provider's own account of what was used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from sluicegate.domain.catalog import Provider, undated
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.store import Store
from sluicegate.ports.usage import ProviderDay, UsageReader
from sluicegate.services.provider_exports import COST, FIGURES, INPUT, Export, add_to

_NAMED = 20


class Verdict(StrEnum):
    EQUAL = "equal"
    CLOSE = "within tolerance"
    DIFFERENT = "different"
    ONLY_PROVIDER = "only at the provider"
    ONLY_LEDGER = "only in the ledger"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of one UTC day and model (None: all of them): the provider's and the ledger's."""

    day: date
    model: str | None
    figure: str
    provider: Decimal
    ledger: int
    verdict: Verdict

    @property
    def difference(self) -> Decimal:
        """What the provider counts more."""
        return self.provider - self.ledger


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """`estimated` counts the calls of the span whose usage the provider did not report to us."""

    provider: Provider
    first: date
    last: date
    comparisons: list[Comparison]
    estimated: int

    @property
    def agrees(self) -> bool:
        return all(c.verdict in (Verdict.EQUAL, Verdict.CLOSE) for c in self.comparisons)

    def totals(self) -> list[tuple[str, Decimal, int]]:
        """(figure, the provider's, the ledger's) over all days."""
        found: list[tuple[str, Decimal, int]] = []
        for figure in FIGURES:
            of = [c for c in self.comparisons if c.figure == figure]
            if of:
                found.append((figure, sum((c.provider for c in of), Decimal(0)), sum(c.ledger for c in of)))
        return found


class ReconciliationService:
    """Compares by UTC days, as providers do; calls count on the day on which they began."""

    def __init__(self, store: Store, usage: UsageReader) -> None:
        self._store = store
        self._usage = usage

    async def compare(self, export: Export, provider_name: str | None, tolerance: Decimal) -> Reconciliation:
        """`tolerance` is a part of the greater of two figures, such as 0.005. Raises InvalidInput for a provider that
        there is not, or where none is named and there are several."""
        provider = await self._provider(provider_name)
        first, last = export.days
        since, until = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
        rows = await self._usage.provider_days(provider.id, since, until)
        ledger = _by_key(rows, export)
        comparisons = [
            _compared(day, model, figure, theirs.get(figure, Decimal(0)), ours.get(figure, 0), tolerance)
            for (day, model), theirs, ours in _paired(export, ledger)
            for figure in export.figures
        ]
        return Reconciliation(provider, first, last, comparisons, sum(row.estimated for row in rows))

    async def _provider(self, name: str | None) -> Provider:
        async with self._store.read() as tx:
            if name is not None:
                found = await tx.catalog.provider_by_name(name)
                if found is not None:
                    return found
            page = await tx.catalog.page_providers(None, PageRequest(first=_NAMED))
        known = [provider for provider, _ in page.items]
        if name is None and len(known) == 1:
            return known[0]
        names = ", ".join(repr(provider.name) for provider in known)
        problem = "must be given when there are several" if name is None else f"{name!r} is not known"
        raise InvalidInput("provider", f"{problem}; there is {names or 'none yet'}")


_Key = tuple[date, str | None]


def _by_key(rows: Iterable[ProviderDay], export: Export) -> dict[_Key, dict[str, int]]:
    """By day and by the name that the export has for the model."""
    named = {model for _, model in export.used if model is not None}
    sums: dict[_Key, dict[str, int]] = {}
    for row in rows:
        model = _name_in(named, row.provider_model) if export.by_model else None
        total = sums.setdefault((row.day, model), dict.fromkeys(FIGURES, 0))
        for figure in FIGURES:
            total[figure] += getattr(row, figure)
        if not export.writes_apart:
            total[INPUT] += row.cache_write_5m_tokens + row.cache_write_1h_tokens
    return sums


def _name_in(named: set[str], model: str) -> str:
    """The name that a model goes by: its own, one with or without a snapshot's date, or one as people write it."""
    own = model.lower()
    if own in named:
        return own
    plain = _plain(own)
    return next((name for name in sorted(named) if _plain(name) == plain), own)


def _plain(name: str) -> str:
    return undated(re.sub(r"[ ._]+", "-", name.strip()))


def _paired(
    export: Export, ledger: dict[_Key, dict[str, int]]
) -> Iterable[tuple[_Key, dict[str, Decimal], dict[str, int]]]:
    theirs = export.used
    if not export.by_model:
        theirs = {}
        for (day, _), figures in export.used.items():
            add_to(theirs.setdefault((day, None), {}), figures)
    for key in sorted({*theirs, *ledger}, key=lambda key: (key[0], key[1] or "")):
        yield key, theirs.get(key, {}), ledger.get(key, {})


def _compared(day: date, model: str | None, figure: str, theirs: Decimal, ours: int, tolerance: Decimal) -> Comparison:
    # Providers round costs for each line: less than a nano-dollar is no difference.
    apart = abs(theirs - ours)
    if apart == 0 or (figure == COST and apart < 1):
        verdict = Verdict.EQUAL
    elif apart <= tolerance * max(theirs, ours):
        verdict = Verdict.CLOSE
    elif not ours:
        verdict = Verdict.ONLY_PROVIDER
    elif not theirs:
        verdict = Verdict.ONLY_LEDGER
    else:
        verdict = Verdict.DIFFERENT
    return Comparison(day, model, figure, theirs, ours, verdict)
