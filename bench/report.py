"""Medians over the rounds, and the table with what they mean beside the pass-through and beside no gateway at all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from typing import NamedTuple

Row = dict[str, float | int | str | None]

_COLUMNS: list[tuple[str, str, int]] = [
    ("per_second", "req/s", 0),
    ("throughput_share", "share", 2),
    ("p50_ms", "p50 ms", 2),
    ("p99_ms", "p99 ms", 2),
    ("added_p50_ms", "added p50", 2),
    ("added_p99_ms", "added p99", 2),
    ("cpu_ms", "CPU ms", 4),
    ("cpu_ratio", "CPU ratio", 2),
    ("held_first_p50_ms", "1st held", 3),
    ("held_max_ms", "held max", 1),
    ("memory_before_mb", "MB before", 1),
    ("memory_mb", "MB after", 1),
    ("failed", "failed", 0),
]
NOTES = (
    "share: of the pass-through's req/s; CPU ratio: to the pass-through's; added: to what the same load takes without "
    "a gateway; held: ms from a stream event's sending to its arrival."
)


class Goal(NamedTuple):
    """What a figure of Sluicegate should reach, or where `at_most` must not pass."""

    load: str
    column: str
    bound: float
    at_most: bool = True


GOALS = [
    Goal("json c16", "throughput_share", 0.5, at_most=False),
    Goal("json c16", "per_second", 8_000, at_most=False),
    Goal("json c16", "cpu_ratio", 2.0),
    Goal("json c16", "cpu_ms", 0.12),
    Goal("json c1", "added_p50_ms", 0.4),
    Goal("json 100/s", "added_p99_ms", 2.0),
    Goal("json 200 KB c16", "cpu_ratio", 2.0),
    Goal("stream c16", "cpu_ms", 0.15),
    Goal("paced stream c1000", "held_max_ms", 50.0),
    Goal("10,000 streams", "memory_mb", 60.0),
]


def against_goals(rows: Iterable[Row], target: str) -> str:
    """A line for each goal whose load was put on."""
    found = {str(row["load"]): row for row in rows if row["target"] == target}
    shown = {name: (title, digits) for name, title, digits in _COLUMNS}
    lines: list[str] = []
    for goal in GOALS:
        value = found.get(goal.load, {}).get(goal.column)
        if not isinstance(value, int | float):
            continue
        title, digits = shown[goal.column]
        met = value <= goal.bound if goal.at_most else value >= goal.bound
        bound = f"{'at most' if goal.at_most else 'at least'} {goal.bound:,.{digits}f}"
        lines.append(f"{'met   ' if met else 'MISSED'}  {goal.load}: {title} {value:,.{digits}f}, goal {bound}")
    return "\n".join(lines)


def median_row(rows: list[Row]) -> Row:
    merged: Row = {}
    for name in rows[0]:
        values = [value for row in rows if isinstance(value := row[name], int | float)]
        # A single failed request must show, however the other rounds went.
        merged[name] = (sum(values) if name == "failed" else statistics.median(values)) if values else None
    return merged


def compare(rows: list[Row]) -> None:
    """Adds to each row how it stands to the other targets under the same load."""
    by_target = {(row["load"], row["target"]): row for row in rows}
    for row in rows:
        direct = by_target.get((row["load"], "direct"))
        least = by_target.get((row["load"], "passthrough"))
        if least is not None:
            row["throughput_share"] = _combined(row, least, "per_second", lambda own, other: own / other)
            row["cpu_ratio"] = _combined(row, least, "cpu_ms", lambda own, other: own / other)
        if direct is not None and row is not direct:
            row["added_p50_ms"] = _combined(row, direct, "p50_ms", lambda own, other: own - other)
            row["added_p99_ms"] = _combined(row, direct, "p99_ms", lambda own, other: own - other)


def _combined(row: Row, other: Row, name: str, how: Callable[[float, float], float]) -> float | None:
    own, theirs = row.get(name), other.get(name)
    if not isinstance(own, int | float) or not isinstance(theirs, int | float) or not theirs:
        return None
    return how(own, theirs)


def table(rows: Iterable[Row]) -> str:
    lines = [["load", "target", *(title for _, title, _ in _COLUMNS)]]
    for row in rows:
        cells = [str(row["load"]), str(row["target"])]
        for name, _, digits in _COLUMNS:
            value = row.get(name)
            cells.append(f"{value:,.{digits}f}" if isinstance(value, int | float) else "-")
        lines.append(cells)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned: list[Callable[[str, int], str]] = [str.ljust, str.ljust, *[str.rjust] * (len(widths) - 2)]
    return "\n".join(
        "  ".join(align(cell, width) for align, cell, width in zip(aligned, line, widths, strict=True)).rstrip()
        for line in lines
    )
