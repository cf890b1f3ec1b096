"""What a batch of call records means for ledger, roll-ups and budget totals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from msgspec.structs import astuple, replace
from sqlalchemy import BigInteger, Integer, String

from sluicegate.domain.policy import SubjectKind, Window
from sluicegate.domain.usage import CallRecord, Outcome
from sluicegate.policy.windows import Period, PeriodClock
from sluicegate.storage.tables.rollups import PENDING
from sluicegate.storage.tables.usage import LEDGER

LEDGER_COLUMNS = CallRecord.__struct_fields__
SUMS = (
    "requests",
    "errors",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "cost_nanos",
)
PENDING_COLUMNS = tuple(column.name for column in PENDING.columns if column.name != "id")
SPEND_COLUMNS = ("subject_kind", "subject_id", "period", "spent_nanos")

_GROUP_IDS = LEDGER_COLUMNS.index("group_ids")
_HOUR_MS = 3_600_000
_FIVE_MINUTES_MS = 300_000
_FINE = (Outcome.OK.value, Outcome.ABORTED.value)
Cell = str | int | bool | None
Line = tuple[Cell, ...]


def ledger_lines(records: Iterable[CallRecord]) -> list[Line]:
    """One line per record, in the order of `LEDGER_COLUMNS`, which are the record's own fields."""
    lines: list[Line] = []
    for record in records:
        cells = list(astuple(record))
        cells[_GROUP_IDS] = _groups_text(record.group_ids)
        lines.append(tuple(cells))
    return lines


# The same groups come again and again.
_groups_text = lru_cache(maxsize=4096)(json.dumps)


class Spans:
    """Where the five minutes, the hour, the day and the month of a call begin, in the deployment's zone."""

    def __init__(self, periods: PeriodClock) -> None:
        self._periods = periods
        self._current: Mapping[Window, Period] | None = None
        self._midnight = self._month = 0
        # Those of the last call, which are the next one's as well until these five minutes or this day are over.
        self._last = (0, 0, 0, 0)
        self._until = 0

    def of(self, ms: int) -> tuple[int, int, int, int]:
        """Hours are counted from local midnight, so that days end between two of them also in zones that are not whole
        hours from UTC, and on days that are not whole hours long."""
        if self._last[0] <= ms < self._until:
            return self._last
        then = self._periods.at_time(ms / 1000)
        if then is not self._current:
            self._current = then
            self._midnight = round(then[Window.DAY].start.timestamp() * 1000)
            self._month = round(then[Window.MONTH].start.timestamp() * 1000)
        into = ms - self._midnight
        begins = ms - into % _FIVE_MINUTES_MS
        self._last = begins, ms - into % _HOUR_MS, self._midnight, self._month
        self._until = min(begins + _FIVE_MINUTES_MS, round(then[Window.DAY].end.timestamp() * 1000))
        return self._last


def pending_lines(records: Iterable[CallRecord], spans: Spans) -> list[Line]:
    """Sums per everything that roll-ups tell apart, in the order of `PENDING_COLUMNS`."""
    of, sums = spans.of, dict[tuple[Any, ...], list[Any]]()
    for r in records:
        key = (
            of(r.started_ms),
            r.user_id,
            r.key_id,
            r.group_ids,
            r.model_slug,
            r.provider_id,
            r.client_app or "",
            r.project or "",
            r.session_id or "",
        )
        total = sums.get(key)
        if total is None:
            total = sums[key] = [r, *[0] * len(SUMS)]
        elif r.started_ms >= total[0].started_ms:
            total[0] = r
        read, written = r.cache_read_tokens, r.cache_write_5m_tokens + r.cache_write_1h_tokens
        total[1] += 1
        if r.outcome not in _FINE:
            total[2] += 1
        total[3] += r.input_tokens + read + written
        total[4] += read
        total[5] += written
        total[6] += r.output_tokens
        total[7] += r.cost_nanos
    return [
        (
            *begins,
            user_id,
            key_id,
            set_of(group_ids),
            *others,
            last.started_ms,
            last.user_label,
            last.key_label,
            last.provider_name,
            *total,
        )
        for (begins, user_id, key_id, group_ids, *others), (last, *total) in sums.items()
    ]


@lru_cache(maxsize=4096)
def set_of(group_ids: tuple[str, ...]) -> str:
    """A short name for these groups in whatever order; empty for none."""
    if not group_ids:
        return ""
    return blake2b(json.dumps(sorted(set(group_ids))).encode(), digest_size=16).hexdigest()


def set_lines(records: Iterable[CallRecord]) -> dict[str, list[Line]]:
    """By the name of each set of groups its rows of `usage_group_sets`."""
    sets = {record.group_ids for record in records if record.group_ids}
    return {set_of(ids): [(set_of(ids), group_id) for group_id in sorted(set(ids))] for ids in sorted(sets)}


def spend_lines(records: Iterable[CallRecord], periods: PeriodClock) -> list[Line]:
    """Sums per subject and period, sorted as above: what the user spent, what was spent through the key, and what was
    drawn from the pool of every group that the user was in."""
    spans: list[tuple[Mapping[Window, Period], dict[tuple[str, str, tuple[str, ...]], int]]] = []
    current: Mapping[Window, Period] | None = None
    by_caller: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for r in records:
        if r.cost_nanos == 0:
            continue
        then = periods.at_time(r.started_ms / 1000)
        if then is not current:
            current, by_caller = then, {}
            spans.append((then, by_caller))
        who = (r.user_id, r.key_id, r.group_ids)
        by_caller[who] = by_caller.get(who, 0) + r.cost_nanos
    sums: dict[tuple[str, str, str], int] = {}
    for then, spent in spans:
        for (user_id, key_id, group_ids), cost in spent.items():
            pools = [(SubjectKind.POOL, group_id) for group_id in set(group_ids)]
            for kind, subject_id in [(SubjectKind.USER, user_id), (SubjectKind.KEY, key_id), *pools]:
                for period in then.values():
                    key = (kind.value, subject_id, period.key)
                    sums[key] = sums.get(key, 0) + cost
    return [(*key, sums[key]) for key in sorted(sums)]


def distinct(records: Sequence[CallRecord]) -> list[CallRecord]:
    """Sorted by call id, the first of each."""
    by_id: dict[str, CallRecord] = {}
    for record in records:
        by_id.setdefault(record.call_id, record)
    return [by_id[call_id] for call_id in sorted(by_id)]


def fitted(records: Iterable[CallRecord]) -> list[CallRecord]:
    """The records cut to what the columns hold.

    Clients choose some texts and providers the token counts: an absurd one must not block the queue for ever.
    """
    return [replace(record, **{name: fit(getattr(record, name)) for name, fit in _FIT.items()}) for record in records]


def _fit_text(length: int | None) -> Callable[[str | None], str | None]:
    def fit(text: str | None) -> str | None:
        if text is None:
            return None
        # PostgreSQL holds neither NUL nor half a surrogate pair.
        return text.replace("\x00", "").encode(errors="replace").decode()[:length]

    return fit


def _fit_number(limit: int) -> Callable[[int | None], int | None]:
    return lambda number: None if number is None else max(0, min(number, limit))


def _fits() -> dict[str, Callable[[Any], Any]]:
    fits: dict[str, Callable[[Any], Any]] = {}
    for column in LEDGER.columns:
        if isinstance(column.type, String):
            fits[column.name] = _fit_text(column.type.length)
        elif isinstance(column.type, BigInteger):
            fits[column.name] = _fit_number(2**53)
        elif isinstance(column.type, Integer):
            fits[column.name] = _fit_number(2**31 - 1)
        else:
            fits[column.name] = lambda value: value
    return fits


_FIT = _fits()
