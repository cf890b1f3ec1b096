"""What Prometheus scrapes: parsed by its own library, equal to what was settled."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from pathlib import Path

from adapters.samples import Samples, parsed
from sluicegate.adapters.exposition import exposition, families
from sluicegate.adapters.metrics import MAX_SERIES, BackendSample, CallMetrics, Now, RedisSample, SpanSample
from sluicegate.ports.health import BackendHealth, BackendState
from storage.records import call

REPOSITORY = Path(__file__).parents[2]
RESTING = BackendHealth(BackendState.RESTING, refused=2, unreached=1)
NOW = Now("1.2.3", 4, 5, True, False, [BackendSample("OpenAI", "gpt-fast", RESTING)])


def samples(metrics: CallMetrics) -> Samples:
    return parsed(exposition(families(metrics, NOW)))


def labels(**values: str) -> tuple[tuple[str, str], ...]:
    named = {"model": "fast", "provider": "OpenAI", "provider_model": "gpt-fast"} | values
    return tuple(sorted(named.items()))


def test_calls_add_up_by_model_provider_and_outcome() -> None:
    metrics = CallMetrics()
    metrics.settled([call(), call(outcome="aborted", estimated=True), call(first_byte_ms=None)])
    metrics.settled([call(model_slug='odd "\\\n name', endpoint="messages")])
    found = samples(metrics)
    assert found["sluicegate_calls_total", labels(endpoint="chat", outcome="ok")] == 2
    assert found["sluicegate_calls_total", labels(endpoint="chat", outcome="aborted")] == 1
    odd = labels(model='odd "\\\n name', endpoint="messages", outcome="ok")
    assert found["sluicegate_calls_total", odd] == 1
    tokens = {name: found["sluicegate_tokens_total", labels(**{"class": name})] for name in ("input", "output")}
    assert tokens == {"input": 300, "output": 150}
    assert found["sluicegate_tokens_total", labels(**{"class": "cache_read"})] == 120
    assert found["sluicegate_cost_usd_total", labels()] == 3_000 / 1e9
    assert found["sluicegate_estimated_calls_total", labels()] == 1
    assert found["sluicegate_call_duration_seconds_count", labels()] == 3
    assert found["sluicegate_call_duration_seconds_sum", labels()] == 4.5
    assert found["sluicegate_call_duration_seconds_bucket", labels(le="1.0")] == 0
    assert found["sluicegate_call_duration_seconds_bucket", labels(le="2.5")] == 3
    assert found["sluicegate_first_byte_seconds_count", labels()] == 2
    assert found["sluicegate_first_byte_seconds_bucket", labels(le="0.25")] == 2


def test_what_holds_now_is_told_as_it_is() -> None:
    metrics = CallMetrics()
    metrics.refused("rate_limit_exceeded")
    found = samples(metrics)
    assert found["sluicegate_refusals_total", (("reason", "rate_limit_exceeded"),)] == 1
    assert found["sluicegate_build_info", (("version", "1.2.3"),)] == 1
    assert [found[f"sluicegate_{name}", ()] for name in ("calls_in_flight", "journal_waiting_calls")] == [4, 5]
    assert [found[f"sluicegate_{name}", ()] for name in ("journal_accepting", "database_up")] == [1, 0]
    backend = (("provider", "OpenAI"), ("provider_model", "gpt-fast"))
    assert found["sluicegate_backend_resting", backend] == 1
    assert found["sluicegate_backend_failures_total", (("kind", "refused"), *backend)] == 2
    assert found["process_resident_memory_bytes", ()] > 0
    assert not any("redis" in name for name, _ in found)


def test_who_counts_in_redis_tells_how_it_stands_with_it() -> None:
    found = parsed(exposition(families(CallMetrics(), dataclasses.replace(NOW, redis=RedisSample(False, 7, 2)))))
    assert [found[f"sluicegate_redis_{name}", ()] for name in ("up", "waiting_calls", "outages_total")] == [0, 7, 2]


def test_who_sends_traces_tells_how_many_arrive() -> None:
    found = parsed(exposition(families(CallMetrics(), dataclasses.replace(NOW, spans=SpanSample(7, 2)))))
    assert [found[f"sluicegate_spans_{name}_total", ()] for name in ("sent", "dropped")] == [7, 2]


def test_looks_at_the_event_loop_are_told_by_how_late_it_came() -> None:
    metrics = CallMetrics()
    for seconds in (0.25, 0.5, 7.0):
        metrics.looked(seconds)
    found = samples(metrics)
    assert [found[f"sluicegate_loop_lag_seconds_{name}", ()] for name in ("count", "sum")] == [3, 7.75]
    assert [found["sluicegate_loop_lag_seconds_bucket", (("le", le),)] for le in ("0.1", "0.5", "5.0")] == [0, 2, 2]


def test_labels_are_bounded_and_nothing_is_lost() -> None:
    metrics = CallMetrics()
    metrics.settled([call(model_slug=f"model-{number}") for number in range(MAX_SERIES + 50)])
    counts = {key: value for key, value in samples(metrics).items() if key[0] == "sluicegate_calls_total"}
    assert len(counts) == MAX_SERIES + 1
    assert sum(counts.values()) == MAX_SERIES + 50
    other = labels(model="other", provider="other", provider_model="other", endpoint="chat", outcome="ok")
    assert counts["sluicegate_calls_total", other] == 50


def test_threads_that_count_at_once_lose_nothing() -> None:
    metrics = CallMetrics()

    def count() -> None:
        for _ in range(200):
            metrics.settled([call()])
            metrics.refused("budget_exceeded")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        exposition(families(metrics, NOW))
    for thread in threads:
        thread.join()
    found = samples(metrics)
    assert found["sluicegate_calls_total", labels(endpoint="chat", outcome="ok")] == 800
    assert found["sluicegate_refusals_total", (("reason", "budget_exceeded"),)] == 800


def test_the_dashboard_asks_for_nothing_that_is_not_there() -> None:
    """Each name in a panel is one of the samples, and each label in braces one that it has."""
    metrics = CallMetrics()
    metrics.settled([call()])
    metrics.refused("rate_limit_exceeded")
    given: dict[str, set[str]] = {}
    for name, found in samples(metrics):
        given.setdefault(name, {"job", "instance"}).update(label for label, _ in found)
    dashboard = json.loads((REPOSITORY / "deploy/grafana-dashboard.json").read_text())
    asked: set[str] = set()
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            names = set(re.findall(r"\b(?:sluicegate|process)_\w+", target["expr"]))
            assert names <= given.keys(), panel["title"]
            shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            matched = set(re.findall(r"(\w+)=~", target["expr"]))
            grouped = {word for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for word in group.split(", ")}
            assert shown | matched | grouped <= set.union(*(given[name] for name in names)), panel["title"]
            asked |= names
    ours = {name for name in given if name.startswith("sluicegate_") and not name.endswith(("_count", "_sum", "_info"))}
    assert ours - asked == set()
