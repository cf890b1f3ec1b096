"""CSV in both directions: cells that no spreadsheet runs, and the same text again when they come back."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

# A first line of Excel's.
_TOLD = re.compile(r"\ufeff?sep=([,;\t])(?:\r?\n|\r)", re.I)
_HEAD = re.compile(r"[\ufeff\r\n]*([^\r\n]*)")
# Spreadsheets run what begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(rows: Iterable[Sequence[str]]) -> str:
    """Lines as RFC 4180 wants them, with nothing in them that a spreadsheet would run."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([_defused(value) for value in row] for row in rows)
    return out.getvalue()


def csv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not blank, with the line on which it begins; without a first one that only names the
    separator. Raises csv.Error."""
    told = _TOLD.match(text)
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator_of(text), strict=True)
    begin = 1
    for row in reader:
        if any(cell.strip() for cell in row) and not (told and begin == 1):
            yield begin, [_restored(cell) for cell in row]
        begin = reader.line_num + 1


def separator_of(text: str) -> str:
    """What separates the cells of the first row, be it a comma, a semicolon or a tab, separates all."""
    if told := _TOLD.match(text):
        return told[1]
    head = _HEAD.match(text)
    return max(",;\t", key=head[1].count) if head else ","


def _defused(value: str) -> str:
    # What looks defused already gets one more, so that taking one away always gives the original.
    return f"'{value}" if value.lstrip("'").startswith(_FORMULA) else value


def _restored(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
