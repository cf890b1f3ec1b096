"""Why a call is not let in: the denial that lasts longest, told from what is counted; nothing is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sluicegate.adapters.memory.rates import Rate
from sluicegate.adapters.memory.uses import Use
from sluicegate.domain.policy import Dimension, Subject, Window
from sluicegate.ports.policy import Ask, Denial, LimitSet

_MIN_HELD_WAIT, _MAX_HELD_WAIT = 1.0, 10.0
_DAY, _WEEK, _MONTH = Window.DAY, Window.WEEK, Window.MONTH


def worst_denial(ask: Ask, uses: Sequence[Use], now: float, wall: float) -> Denial | None:
    """The refusal that lasts longest among the rates, else among the budgets. `uses` are as of `now`, in seconds of the
    clock that they count by, without dead leases; `wall` is in seconds since the epoch."""
    worst: Denial | None = None
    for limits, use in zip(ask.limits, uses, strict=True):
        for denial in _rate_denials(ask, limits, use, now):
            worst = _longer(worst, denial)
    if worst is not None or ask.cost <= 0:
        return worst
    for limits, use in zip(ask.limits, uses, strict=True):
        for window, cap in ((_DAY, limits.day), (_WEEK, limits.week), (_MONTH, limits.month)):
            if cap is not None and (denial := _budget_denial(ask, limits.subject, window, cap, use, wall)):
                worst = _longer(worst, denial)
    return worst


def _rate_denials(ask: Ask, limits: LimitSet, use: Use, now: float) -> Iterator[Denial]:
    if (limit := limits.requests) is not None and use.requests.total + 1 > limit:
        yield _rate_denial(limits, Dimension.REQUESTS, limit, use.requests, 1, use, now)
    for dimension, limit, rate, wanted in (
        (Dimension.INPUT_TOKENS, limits.input_tokens, use.input, ask.input_tokens),
        (Dimension.OUTPUT_TOKENS, limits.output_tokens, use.output, ask.output_tokens),
    ):
        if limit is None or not wanted:
            continue
        asked = max(1, min(wanted, limit))
        if rate.total + asked > limit:
            yield _rate_denial(limits, dimension, limit, rate, asked, use, now)
    if (limit := limits.concurrent_requests) is not None and (used := use.concurrent) >= limit:
        wait = 1.0 if limit else None
        yield Denial(limits.subject, Dimension.CONCURRENT_REQUESTS, None, limit, used, 0, 1, wait)


def _rate_denial(
    limits: LimitSet, dimension: Dimension, limit: int, rate: Rate, asked: int, use: Use, now: float
) -> Denial:
    wait = rate.seconds_until(rate.total + asked - limit, now, use.second) if limit else None
    return Denial(limits.subject, dimension, None, limit, rate.total, 0, asked, wait)


def _budget_denial(ask: Ask, subject: Subject, window: Window, cap: int, use: Use, wall: float) -> Denial | None:
    cell = use.cells[window]
    held = cell.spent + cell.reserved
    # A single estimate above the cap must not make the budget unusable from the first call on.
    asked = min(ask.cost, cap)
    if held < cap and held + asked <= cap:
        return None
    if cell.reserved and cell.spent + asked <= cap:
        wait: float | None = min(max(use.lasting, _MIN_HELD_WAIT), _MAX_HELD_WAIT)
    else:
        wait = use.periods[window].end.timestamp() - wall if cap else None
    return Denial(subject, None, window, cap, held, cell.reserved, asked, wait)


def _longer(worst: Denial | None, denial: Denial) -> Denial:
    """The one that lasts longer; waiting for ever, which no figure says, is longest."""
    if worst is None or (denial.retry_after or 1e9) > (worst.retry_after or 1e9):
        return denial
    return worst
