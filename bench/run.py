"""The benchmark: what a relayed call costs, as a multiple of a bare pass-through measured in the same run.

    .venv/bin/python bench/run.py [--quick] [--peers] [--only NAME] [--load NAME]

Targets take turns within each round, so that a busy moment of the machine hits them alike; figures are medians over
the rounds. Absolute speed is worth little on a shared machine, ratios and processor time per request are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import uvloop

from load import Endpoint, Outcome, closed_loop, fixed_pace, has_wrk, quantile, wrk
from loads import LOADS, MEMORY, SMALL, STREAM, Load
from peers import Litellm, Workers
from processes import LOAD_CORE, cpu_seconds, resident_mb
from provider import BenchProvider, Counts
from report import NOTES, Row, against_goals, compare, median_row, table
from targets import Direct, Nginx, Passthrough, Sluicegate, Target

RESULTS = Path("bench-results.json")
# What a target does after its answers, such as writing calls down, belongs to their cost.
_AFTERMATH = 0.4


class Bench:
    """All targets over one provider, for one run."""

    def __init__(self, targets: list[Target], provider: BenchProvider) -> None:
        self._targets = targets
        self._provider = provider
        self._endpoints: dict[str, Endpoint] = {}
        self._answered: dict[str, Counts] = {}

    def start(self) -> None:
        for target in self._targets:
            say(f"starting {target.name}")
            before = self._provider.counts()
            endpoint = self._endpoints[target.name] = target.start(self._provider.port)
            check(target, endpoint)
            self._answered[target.name] = self._provider.counts() - before

    def stop(self) -> list[str]:
        """What the targets' own books say against them."""
        faults: list[str] = []
        for target in self._targets:
            if target.name in self._endpoints:
                target.stop()
            if target.name in self._answered:
                faults += [f"{target.name}: {fault}" for fault in target.faults(self._answered[target.name])]
        return faults

    def rounds(self, loads: list[Load], count: int, seconds: int) -> list[Row]:
        found: dict[tuple[str, str], list[Row]] = {}
        for number in range(count):
            for load in loads:
                for target in self._targets:
                    if target.slow and not load.quick:
                        continue
                    say(f"round {number + 1} of {count}: {load.name}, {target.name}")
                    found.setdefault((load.name, target.name), []).append(self._measure(target, load, seconds))
        return [{"load": load, "target": target, **median_row(several)} for (load, target), several in found.items()]

    def memory(self) -> list[Row]:
        rows: list[Row] = []
        for target in self._targets:
            pid = target.pid()
            if pid is None or target.slow:
                continue
            say(f"{MEMORY.name}, {target.name}")
            before = resident_mb(pid)
            row = self._measure(target, MEMORY, 60)
            row.update(load=MEMORY.name, target=target.name, memory_before_mb=before, memory_mb=resident_mb(pid))
            rows.append(row)
        return rows

    def _settled_counts(self) -> Counts:
        """Once nothing more comes of calls that the load has given up at its end."""
        counts = self._provider.counts()
        while True:
            time.sleep(0.1)
            previous, counts = counts, self._provider.counts()
            if counts == previous:
                return counts

    def _measure(self, target: Target, load: Load, seconds: int) -> Row:
        self._provider.shape_streams(load.events, load.pace_us)
        answered = self._provider.counts()
        pid, endpoint = target.pid(), self._endpoints[target.name]
        before = cpu_seconds(pid) if pid else 0.0
        if load.rate:
            # Slow as it is, it needs longer for a quantile that means something.
            outcome = uvloop.run(fixed_pace(endpoint, load.body, load.rate, seconds=5 * seconds))
        elif load.stream or not has_wrk():
            outcome = uvloop.run(
                closed_loop(
                    endpoint, load.body, load.connections, seconds=seconds, requests=load.requests, ramp=load.ramp
                )
            )
        else:
            outcome = wrk(endpoint, load.body, load.connections, seconds=seconds)
        time.sleep(_AFTERMATH)
        self._answered[target.name] += self._settled_counts() - answered
        cpu = cpu_seconds(pid) - before if pid else 0.0
        return {
            "requests": outcome.requests,
            "failed": outcome.failed,
            "per_second": None if load.rate else outcome.requests / outcome.seconds,
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
        figures["held_max_ms"] = max(outcome.held, default=None)
    return figures


def check(target: Target, endpoint: Endpoint) -> None:
    """A target that answers wrongly would only be measured as fast."""
    for body, streams in ((SMALL, False), (STREAM, True)):
        request = urllib.request.Request(
            f"http://127.0.0.1:{endpoint.port}{endpoint.path}",
            data=body,
            headers={"Content-Type": "application/json", **dict(endpoint.headers)},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            answer: bytes = response.read()
        if b'"usage"' not in answer or streams != (b"data: [DONE]" in answer):
            raise RuntimeError(f"{target.name} answered wrongly: {answer[:200]!r}")


def say(line: str) -> None:
    sys.stderr.write(line + "\n")


def available(*, peers: bool) -> list[Target]:
    targets: list[Target] = [Direct(), Passthrough(), Sluicegate()]
    if peers:
        targets.append(Litellm())
        database, redis = (os.environ.get(f"SLUICEGATE_TEST_{kind}_URL") for kind in ("DATABASE", "REDIS"))
        if database and redis:
            targets.append(Workers(database, redis))
        else:
            say("SLUICEGATE_TEST_DATABASE_URL and SLUICEGATE_TEST_REDIS_URL are not set; several workers are left out.")
    if Nginx.installed():
        targets.append(Nginx())
    else:
        say("nginx is not installed; it is left out.")
    return targets


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of the loads that tell the most, about 40 s")
    parser.add_argument("--only", action="append", help="measure only the target of this name; may be repeated")
    parser.add_argument("--load", action="append", help="put on only the load of this name; may be repeated")
    parser.add_argument("--peers", action="store_true", help="also LiteLLM, which is installed first, and two workers")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        say("Target and load share one core here, so requests/s mean little; CPU per request still does.")
    os.sched_setaffinity(0, LOAD_CORE)
    if not has_wrk():
        say("wrk is not installed; the load is made in Python, which caps requests/s.")
    targets = [target for target in available(peers=options.peers) if not options.only or target.name in options.only]
    quick: bool = options.quick
    loads = [load for load in LOADS if (load.name in options.load if options.load else load.quick or not quick)]
    with tempfile.TemporaryDirectory() as folder:
        provider = BenchProvider(Path(folder))
        bench = Bench(targets, provider)
        try:
            bench.start()
            rows = bench.rounds(loads, 1 if quick else 3, 1 if quick else 2)
            if not quick and not options.load:
                rows += bench.memory()
        finally:
            faults = bench.stop()
            provider.stop()
    compare(rows)
    busy = os.getloadavg()[0]
    RESULTS.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(table(rows))
    print(NOTES)
    print(against_goals(rows, Sluicegate.name))
    print(f"Load average of the machine at the end: {busy:.1f}; the benchmark itself makes about 2.")
    for fault in faults:
        print(f"WRONG: {fault}")
    # Another gateway may well fail under a load that is too much for it.
    slow = {target.name for target in targets if target.slow}
    return 1 if faults or any(row["failed"] for row in rows if row["target"] not in slow) else 0


if __name__ == "__main__":
    sys.exit(main())
