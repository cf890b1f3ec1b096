"""What is counted, as Prometheus scrapes it of one process: in the text format of its version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sluicegate.adapters.metrics import BOUNDS, CLASSES, CallMetrics, Counts, Now, RedisSample, Times
from sluicegate.ports.health import BackendState

_BACKEND = ("model", "provider", "provider_model")
_LABELS = (*map(str, BOUNDS), "+Inf")


def families(metrics: CallMetrics, now: Now) -> list[Metric]:
    """All samples; takes a few milliseconds with many models."""
    counted = metrics.tell(lambda counts: list(_counted(counts)))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Shown([*_present(now), *counted]))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return list(registry.collect())


def exposition(families: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Shown(families))
    return generate_latest(registry)


def _counted(counts: Counts) -> Iterator[Metric]:
    calls = CounterMetricFamily(
        "sluicegate_calls", "Calls that were let in, by how they ended.", labels=(*_BACKEND, "endpoint", "outcome")
    )
    tokens = CounterMetricFamily("sluicegate_tokens", "Tokens used, by class.", labels=(*_BACKEND, "class"))
    cost = CounterMetricFamily("sluicegate_cost_usd", "What calls cost, in US dollars.", labels=_BACKEND)
    estimated = CounterMetricFamily(
        "sluicegate_estimated_calls", "Calls whose tokens the provider did not tell.", labels=_BACKEND
    )
    durations = HistogramMetricFamily(
        "sluicegate_call_duration_seconds", "From the admission of a call to its end.", labels=_BACKEND
    )
    first_bytes = HistogramMetricFamily(
        "sluicegate_first_byte_seconds",
        "From the admission of a call to its first byte.",
        labels=_BACKEND,
    )
    refusals = CounterMetricFamily("sluicegate_refusals", "Calls not let in, by reason.", labels=("reason",))
    lags = HistogramMetricFamily(
        "sluicegate_loop_lag_seconds", "How long the event loop took to come to a look at it, once a second."
    )
    for names, sums in counts.sums.items():
        for ended, count in sums.outcomes.items():
            calls.add_metric((*names, *ended), count)
        for name, count in zip(CLASSES, sums.tokens, strict=True):
            tokens.add_metric((*names, name), count)
        cost.add_metric(names, sums.cost_nanos / 1e9)
        estimated.add_metric(names, sums.estimated)
        durations.add_metric(names, _buckets(sums.durations), sums.durations.total)
        first_bytes.add_metric(names, _buckets(sums.first_bytes), sums.first_bytes.total)
    for code, count in counts.refusals.items():
        refusals.add_metric((code,), count)
    lags.add_metric((), _buckets(counts.looks), counts.looks.total)
    yield from (calls, tokens, cost, estimated, durations, first_bytes, refusals, lags)


class _Shown(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _buckets(times: Times) -> list[tuple[str, float]]:
    return list(zip(_LABELS, accumulate(times.counts), strict=True))


def _counting(redis: RedisSample) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "sluicegate_redis_up", "Whether calls are counted together with those of other processes.", float(redis.shared)
    )
    yield GaugeMetricFamily(
        "sluicegate_redis_waiting_calls", "Ended calls that Redis has not heard of.", float(redis.waiting)
    )
    yield CounterMetricFamily("sluicegate_redis_outages", "How often Redis went away or was emptied.", redis.outages)


def _present(now: Now) -> Iterator[Metric]:
    info = GaugeMetricFamily("sluicegate_build_info", "The release; always 1.", labels=("version",))
    info.add_metric((now.release,), 1)
    yield info
    for name, said, value in (
        ("calls_in_flight", "Calls that were let in and have not ended.", now.in_flight),
        ("journal_waiting_calls", "Ended calls that are not in the database yet.", now.waiting),
        ("journal_accepting", "Whether the journal takes further calls; without, they are refused.", now.accepting),
        ("database_up", "Whether the database answers.", now.database),
    ):
        yield GaugeMetricFamily(f"sluicegate_{name}", said, float(value))
    if now.redis is not None:
        yield from _counting(now.redis)
    if now.spans is not None:
        yield CounterMetricFamily("sluicegate_spans_sent", "Spans that the collector took.", now.spans.sent)
        yield CounterMetricFamily("sluicegate_spans_dropped", "Spans that no collector took.", now.spans.dropped)
    resting = GaugeMetricFamily(
        "sluicegate_backend_resting", "Whether a backend gets no calls after failures.", labels=_BACKEND[1:]
    )
    failures = CounterMetricFamily(
        "sluicegate_backend_failures", "Attempts at a backend that failed, by how.", labels=(*_BACKEND[1:], "kind")
    )
    for backend in now.backends:
        names, health = (backend.provider, backend.provider_model), backend.health
        resting.add_metric(names, float(health.state is BackendState.RESTING))
        for kind in ("refused", "unreached", "broke_off"):
            failures.add_metric((*names, kind), getattr(health, kind))
    yield from (resting, failures)
