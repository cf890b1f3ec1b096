"""What providers say was used, as the CSV files that their own consoles hand out.

The columns are those of OpenAI's usage and cost exports and of Anthropic's, and names that others use for the same.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from sluicegate.kit.csv_text import csv_rows, separator_of
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import NANOS_PER_USD

REQUESTS, INPUT, OUTPUT, COST = "requests", "input_tokens", "output_tokens", "cost_nanos"
CACHE_READ, WRITE_5M, WRITE_1H = "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"
FIGURES = (REQUESTS, INPUT, CACHE_READ, WRITE_5M, WRITE_1H, OUTPUT, COST)

_DAY = ("usage_date_utc", "start_time_iso", "start_time", "date", "day", "timestamp")
_MODEL = ("model_version", "model", "model_id")
_CURRENCY = ("amount_currency", "currency")
_ALL_INPUT = "all input"
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    REQUESTS: ("num_model_requests", "requests", "num_requests", "request_count"),
    INPUT: ("usage_input_tokens_no_cache", "input_uncached_tokens", "uncached_input_tokens"),
    _ALL_INPUT: ("input_tokens", "prompt_tokens"),
    CACHE_READ: ("usage_input_tokens_cache_read", "input_cached_tokens", "cache_read_input_tokens"),
    WRITE_5M: ("usage_input_tokens_cache_write_5m", "ephemeral_5m_input_tokens"),
    WRITE_1H: ("usage_input_tokens_cache_write_1h", "ephemeral_1h_input_tokens"),
    OUTPUT: ("usage_output_tokens", "output_tokens", "completion_tokens"),
    COST: ("cost_usd", "amount_value", "cost", "amount"),
}
_EPOCH_DIGITS = 9
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+),\d+", re.ASCII)
# No organisation's use of a day comes near it, in tokens or in dollars.
_ABSURD = 10**15


@dataclass(frozen=True, slots=True)
class Export:
    """`used` holds by UTC day and model, in lower case, or None where the file tells none, the sum of each of
    `figures`; costs are nano-dollars and may be fractions of one. `writes_apart` is False where fresh input includes
    what was written to a cache."""

    figures: tuple[str, ...]
    used: dict[tuple[date, str | None], dict[str, Decimal]]
    writes_apart: bool

    @property
    def by_model(self) -> bool:
        return all(model is not None for _, model in self.used)

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last."""
        days = [day for day, _ in self.used]
        return min(days), max(days)


def read_export(text: str) -> Export:
    """Raises InvalidInput, naming the line and the column, for a file that cannot be read as a whole."""
    try:
        rows = list(csv_rows(text))
    except csv.Error as error:
        raise InvalidInput("file", f"is not valid CSV: {error}") from None
    if not rows:
        raise InvalidInput("file", "is empty")
    header = [cell.strip().lower() for cell in rows[0][1]]
    day_at = _place(header, _DAY)
    places = {figure: _place(header, names) for figure, names in _COLUMNS.items()}
    found = {figure: at for figure, at in places.items() if at is not None}
    if day_at is None or not found:
        wanted = "a day, as one of " + ", ".join(_DAY) if day_at is None else "any figures, such as " + _examples()
        raise InvalidInput("file", f"has no column for {wanted}; its columns are: {', '.join(header)[:400]}")
    model_at, currency_at = _place(header, _MODEL), _place(header, _CURRENCY)
    decimal_comma = separator_of(text) == ";"
    used: dict[tuple[date, str | None], dict[str, Decimal]] = {}
    for line, cells in rows[1:]:
        row = _Row(line, header, cells, decimal_comma)
        figures = {figure: row.number(at) if figure == COST else row.tokens(at) for figure, at in found.items()}
        if not any(figures.values()):
            continue
        currency = row.text(currency_at)
        if currency and currency.lower() != "usd":
            raise row.fault(currency_at, f"is {currency!r}; amounts must be in US dollars")
        key = row.day(day_at), row.text(model_at).lower() or None
        add_to(used.setdefault(key, {}), _disjoint(figures))
    if not used:
        raise InvalidInput("file", "has no line with a figure above zero")
    known = {figure for total in used.values() for figure in total}
    return Export(tuple(f for f in FIGURES if f in known), used, WRITE_5M in found or WRITE_1H in found)


def add_to(total: dict[str, Decimal], figures: Mapping[str, Decimal]) -> None:
    for figure, value in figures.items():
        total[figure] = total.get(figure, Decimal(0)) + value


def _disjoint(figures: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """As the ledger has them: fresh input apart from what came from a cache; money in nano-dollars."""
    told = dict(figures)
    whole = told.pop(_ALL_INPUT, None)
    if whole is not None and INPUT not in told:
        told[INPUT] = whole - told.get(CACHE_READ, Decimal(0))
    if COST in told:
        told[COST] *= NANOS_PER_USD
    return told


def _place(header: Sequence[str], names: Iterable[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _examples() -> str:
    return ", ".join(names[0] for names in _COLUMNS.values())


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    header: Sequence[str]
    cells: Sequence[str]
    decimal_comma: bool

    def text(self, at: int | None) -> str:
        return self.cells[at].strip() if at is not None and at < len(self.cells) else ""

    def fault(self, at: int | None, message: str) -> InvalidInput:
        column = self.header[at] if at is not None else ""
        return InvalidInput("file", f"line {self.line}, {column} {message}")

    def number(self, at: int) -> Decimal:
        """Commas stand before thousands, and in files of semicolons before the decimals."""
        text = self.text(at)
        digits = text.removeprefix("$")
        if self.decimal_comma and _DECIMAL_COMMA.fullmatch(digits):
            digits = digits.replace(".", "").replace(",", ".")
        elif _THOUSANDS.fullmatch(digits):
            digits = digits.replace(",", "")
        try:
            value = Decimal(digits or 0)
        except InvalidOperation:
            value = Decimal("nan")
        if not value.is_finite() or not 0 <= value < _ABSURD:
            raise self.fault(at, f"is {text[:40]!r}, which is no number from 0 on such as 1234.5")
        return value

    def tokens(self, at: int) -> Decimal:
        value = self.number(at)
        if value % 1:
            raise self.fault(at, f"is {self.text(at)[:40]!r}, which is no whole number such as 1234")
        return value

    def day(self, at: int) -> date:
        text = self.text(at)
        try:
            if text.isdigit() and len(text) >= _EPOCH_DIGITS:
                return datetime.fromtimestamp(int(text), UTC).date()
            if len(text) <= len("2026-11-29"):
                return date.fromisoformat(text)
            then = datetime.fromisoformat(text)
            return then.astimezone(UTC).date() if then.tzinfo else then.date()
        except (ValueError, OverflowError, OSError):
            raise self.fault(at, f"is {text[:40]!r}; it must be a day such as 2026-11-29") from None
