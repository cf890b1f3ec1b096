"""The benchmark: what a relayed call costs, as a multiple of a bare pass-through measured in the same run.

    .venv/bin/python bench/run.py [--quick] [--only NAME]

Targets take turns within each round, so that a busy moment of the machine hits them alike; figures are medians over
the rounds. Absolute speed is worth little on a shared machine, ratios and processor time per request are.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from load import Endpoint, Outcome, closed_loop, has_wrk, quantile, wrk
from targets import LOAD_CORE, Direct, Passthrough, Target, start_upstream

RESULTS = Path("bench-results.json")
_TICKS = os.sysconf("SC_CLK_TCK")

Row = dict[str, float | int | str | None]

_FILLER = "You are a careful assistant who reads before writing. "
_SMALL = json.dumps({"model": "bench-model", "messages": [{"role": "user", "content": _FILLER * 4}]}).encode()
_STREAM = json.dumps(
    {
        "model": "bench-model",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": _FILLER * 4}],
    },
    separators=(",", ":"),
).encode()
_LARGE = json.dumps(
    {
        "model": "bench-model",
        "messages": [{"role": "user", "content": f"{number}: " + _FILLER * 36} for number in range(100)],
    }
).encode()


@dataclass(frozen=True, slots=True)
class Load:
    """`pace_us` between the events of a stream, of which there are `events`; `requests` bounds it besides the time."""

    name: str
    body: bytes
    connections: int
    stream: bool = False
    events: int = 50
    pace_us: int = 0
    requests: int = 1_000_000_000
    quick: bool = True


LOADS = [
    Load("json c1", _SMALL, 1),
    Load("json c16", _SMALL, 16),
    Load("json c64", _SMALL, 64, quick=False),
    Load("json c256", _SMALL, 256, quick=False),
    Load("json 200 KB c16", _LARGE, 16),
    Load("stream c16", _STREAM, 16, stream=True),
    Load("paced stream c16", _STREAM, 16, stream=True, events=20, pace_us=10_000),
]
_MEMORY_STREAMS = Load("10,000 streams", _STREAM, 16, stream=True, requests=10_000)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its living descendants."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS + sum(map(cpu_seconds, _children(pid)))


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024 + sum(map(resident_mb, _children(pid)))
    return 0.0


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def measure(target: Target, endpoint: Endpoint, load: Load, seconds: int) -> Row:
    pid = target.pid()
    before = cpu_seconds(pid) if pid else 0.0
    if load.stream or not has_wrk():
        outcome = uvloop.run(
            closed_loop(endpoint, load.body, load.connections, seconds=seconds, requests=load.requests)
        )
    else:
        outcome = wrk(endpoint, load.body, load.connections, seconds=seconds)
    cpu = cpu_seconds(pid) - before if pid else 0.0
    return {
        "requests": outcome.requests,
        "failed": outcome.failed,
        "per_second": outcome.requests / outcome.seconds,
        "p50_ms": quantile(outcome.latencies, 0.5),
        "p99_ms": quantile(outcome.latencies, 0.99),
        "cpu_ms": cpu * 1000 / outcome.requests if pid and outcome.requests else None,
        **_stream_figures(outcome, load),
    }


def _stream_figures(outcome: Outcome, load: Load) -> Row:
    figures: Row = {"first_byte_p50_ms": quantile(outcome.first_bytes, 0.5)}
    if load.pace_us:
        figures["held_first_p50_ms"] = quantile(outcome.held_first, 0.5)
        figures["held_p50_ms"] = quantile(outcome.held, 0.5)
        figures["held_p99_ms"] = quantile(outcome.held, 0.99)
    return figures


def median_row(rows: list[Row]) -> Row:
    merged: Row = {}
    for name in rows[0]:
        values = [value for row in rows if isinstance(value := row[name], int | float)]
        # A single failed request must show, however the other rounds went.
        merged[name] = (sum(values) if name == "failed" else statistics.median(values)) if values else None
    return merged


def run(targets: list[Target], *, rounds: int, seconds: int, quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        upstream, upstream_port = start_upstream(Path(folder))
        started: list[Target] = []
        try:
            endpoints: dict[str, Endpoint] = {}
            for target in targets:
                endpoints[target.name] = target.start(upstream_port)
                started.append(target)
                check(target, endpoints[target.name])
            return measure_all(targets, endpoints, upstream_port, rounds=rounds, seconds=seconds, quick=quick)
        finally:
            for target in started:
                target.stop()
            upstream.terminate()
            upstream.wait()


def check(target: Target, endpoint: Endpoint) -> None:
    """A target that answers wrongly would only be measured as fast."""
    for body, streams in ((_SMALL, False), (_STREAM, True)):
        request = urllib.request.Request(
            f"http://127.0.0.1:{endpoint.port}{endpoint.path}",
            data=body,
            headers={"Content-Type": "application/json", **dict(endpoint.headers)},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            answer: bytes = response.read()
        if b'"usage"' not in answer or streams != (b"data: [DONE]" in answer):
            raise RuntimeError(f"{target.name} answered wrongly: {answer[:200]!r}")


def measure_all(
    targets: list[Target],
    endpoints: dict[str, Endpoint],
    upstream_port: int,
    *,
    rounds: int,
    seconds: int,
    quick: bool,
) -> list[Row]:
    found: dict[tuple[str, str], list[Row]] = {}
    loads = [load for load in LOADS if load.quick or not quick]
    for number in range(rounds):
        for load in loads:
            shape_streams(upstream_port, load)
            for target in targets:
                say(f"round {number + 1} of {rounds}: {load.name}, {target.name}")
                row = measure(target, endpoints[target.name], load, seconds)
                found.setdefault((load.name, target.name), []).append(row)
    rows: list[Row] = [
        {"load": load, "target": target, **median_row(several)} for (load, target), several in found.items()
    ]
    if not quick:
        shape_streams(upstream_port, _MEMORY_STREAMS)
        for target in targets:
            pid = target.pid()
            if pid is not None:
                rows.append(measure_memory(target, pid, endpoints[target.name]))
    return rows


def measure_memory(target: Target, pid: int, endpoint: Endpoint) -> Row:
    say(f"{_MEMORY_STREAMS.name}, {target.name}")
    before = resident_mb(pid)
    row = measure(target, endpoint, _MEMORY_STREAMS, 30)
    row.update(load=_MEMORY_STREAMS.name, target=target.name, memory_before_mb=before, memory_mb=resident_mb(pid))
    return row


def shape_streams(upstream_port: int, load: Load) -> None:
    address = f"http://127.0.0.1:{upstream_port}/control?events={load.events}&pace_us={load.pace_us}"
    urllib.request.urlopen(address, timeout=5).close()


COLUMNS: list[tuple[str, str, int]] = [
    ("per_second", "req/s", 0),
    ("p50_ms", "p50 ms", 2),
    ("p99_ms", "p99 ms", 2),
    ("cpu_ms", "CPU ms", 4),
    ("held_first_p50_ms", "1st held ms", 3),
    ("held_p99_ms", "held p99 ms", 3),
    ("memory_before_mb", "MB before", 1),
    ("memory_mb", "MB after", 1),
    ("failed", "failed", 0),
]


def table(rows: Iterable[Row]) -> str:
    rows = list(rows)
    base = {row["load"]: row for row in rows if row["target"] == "passthrough"}
    lines = [["load", "target", *(title for _, title, _ in COLUMNS), "CPU ratio"]]
    for row in rows:
        cells = [str(row["load"]), str(row["target"])]
        for name, _, digits in COLUMNS:
            value = row.get(name)
            cells.append(f"{value:,.{digits}f}" if isinstance(value, int | float) else "-")
        cells.append(_ratio(row, base.get(row["load"])))
        lines.append(cells)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned: list[Callable[[str, int], str]] = [str.ljust, str.ljust, *[str.rjust] * (len(widths) - 2)]
    return "\n".join(
        "  ".join(align(cell, width) for align, cell, width in zip(aligned, line, widths, strict=True)).rstrip()
        for line in lines
    )


def _ratio(row: Row, base: Row | None) -> str:
    own, least = row.get("cpu_ms"), base.get("cpu_ms") if base else None
    if not isinstance(own, float) or not isinstance(least, float) or not least:
        return "-"
    return f"{own / least:.2f}"


def say(line: str) -> None:
    sys.stderr.write(line + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of the loads that tell the most, about 40 s")
    parser.add_argument("--only", action="append", help="measure only the target of this name; may be repeated")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        say("Target and load share one core here, so requests/s mean little; CPU per request still does.")
    os.sched_setaffinity(0, LOAD_CORE)
    if not has_wrk():
        say("wrk is not installed; the load is made in Python, which caps requests/s.")
    targets: list[Target] = [Direct(), Passthrough()]
    if options.only:
        targets = [target for target in targets if target.name in options.only]
    rows = run(targets, rounds=1 if options.quick else 3, seconds=1 if options.quick else 2, quick=options.quick)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    sys.stdout.write(table(rows) + "\n")
    return 1 if any(row["failed"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
