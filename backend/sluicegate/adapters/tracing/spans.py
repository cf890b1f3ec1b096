"""Spans of calls, in the words of OpenTelemetry's conventions for HTTP servers and for generative AI.

The call is a span of kind SERVER, each try at a backend one of kind CLIENT below it. They say who, when, how much and
how it ended, and never what was asked or answered.
"""

# The libraries are an extra that may be absent.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.usage import CallRecord, Outcome
from sluicegate.ports.tracing import Tried
from sluicegate.ports.upstream import Origin, RawHeaders

_CONTEXT = (b"traceparent", b"tracestate")
_MS = 1_000_000
# Those for which the model that was named is known to exist; anything else that callers write there is their secret.
_ABOUT_A_MODEL = frozenset(
    {"model_not_granted", "rate_limit_exceeded", "budget_exceeded", "secret_blocked", "upstream_unavailable"}
)
_PROVIDERS = {
    ProviderKind.OPENAI: "openai",
    ProviderKind.ANTHROPIC: "anthropic",
    ProviderKind.AZURE_OPENAI: "azure.ai.openai",
    ProviderKind.GEMINI: "gcp.gemini",
    ProviderKind.BEDROCK: "aws.bedrock",
    ProviderKind.MOONSHOT: "moonshot_ai",
    ProviderKind.OPENROUTER: "openrouter",
    # As the conventions have it: whose protocol it is.
    ProviderKind.CUSTOM_OPENAI: "openai",
    ProviderKind.CUSTOM_ANTHROPIC: "anthropic",
    ProviderKind.DEMO: "sluicegate.demo",
}
# By the end of an endpoint, or of a path with dots.
_OPERATIONS = (
    ("chat.completions", "chat"),
    (".completions", "text_completion"),
    (".embeddings", "embeddings"),
    (".responses", "chat"),
    (".messages", "chat"),
    (".generate_content", "generate_content"),
    ("generateContent", "generate_content"),
    ("GenerateContent", "generate_content"),
)
_FAILED = (Outcome.UPSTREAM_ERROR.value, Outcome.UNREACHABLE.value)
Attributes = dict[str, str | int | float | bool]


@dataclass(slots=True)
class Attempt:
    """A try at a backend. Times are nanoseconds since the epoch; an attempt that has not failed ends with its call.
    `answered_by` is the model as the provider names it."""

    began_ns: int
    span_id: int
    backend: Tried
    origin: Origin
    answered_ns: int | None = None
    ended_ns: int | None = None
    status: int | None = None
    error: str | None = None
    answered_by: str | None = None

    @property
    def open(self) -> bool:
        return self.answered_ns is None and self.ended_ns is None


@dataclass(frozen=True, slots=True)
class Refused:
    path: str
    model: str | None
    code: str
    status: int
    at_ns: int


@dataclass(slots=True)
class Trace:
    """What is known of a call so far. `parent` holds what its caller told of its own trace."""

    parent: Context
    trace_id: int
    span_id: int
    sampled: bool
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    record: CallRecord | None = None
    refused: Refused | None = None

    def traceparent(self, attempt: Attempt) -> bytes:
        return f"00-{self.trace_id:032x}-{attempt.span_id:016x}-01".encode()


class _Ids(RandomIdGenerator):
    """Gives out those ids next that were promised already."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id or super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self.span_id or super().generate_span_id()


class _Exporter(OTLPSpanExporter):
    """Counts what becomes of spans. Only the thread of the SDK asks it to send."""

    taken = sent = failed = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += len(spans)
        result = super().export(spans)
        if result is SpanExportResult.SUCCESS:
            self.sent += len(spans)
        else:
            self.failed += len(spans)
        return result


class _Queue(BatchSpanProcessor):
    """Leaves out what comes while too many wait, and counts it; by itself it would log each."""

    def __init__(self, exporter: _Exporter) -> None:
        super().__init__(exporter)
        self._most = self._default_max_queue_size()
        self._counting = exporter
        self._given = 0
        self.left_out = 0

    def on_end(self, span: ReadableSpan) -> None:
        if self._given - self._counting.taken >= self._most:
            self.left_out += 1
            return
        self._given += 1
        super().on_end(span)


class Spans:
    """Made by `make`, one call at a time, and sent by a thread of the SDK. What is sampled, where it goes and under
    which name is told by the SDK's own variables, `OTEL_…`."""

    def __init__(self, release: str) -> None:
        self._ids = _Ids()
        self._provider = TracerProvider(id_generator=self._ids, resource=_resource(release), shutdown_on_exit=False)
        self._exporter = _Exporter()
        self._queue = _Queue(self._exporter)
        self._provider.add_span_processor(self._queue)
        self._tracer = self._provider.get_tracer("sluicegate", release)
        self._propagator = TraceContextTextMapPropagator()
        self._random = RandomIdGenerator()

    @property
    def sent(self) -> int:
        return self._exporter.sent

    @property
    def dropped(self) -> int:
        return self._exporter.failed + self._queue.left_out

    def close(self) -> None:
        """Sends all that waits."""
        self._provider.shutdown()

    def new_span_id(self) -> int:
        return self._random.generate_span_id()

    def begun(self, call_id: str, headers: RawHeaders) -> Trace:
        """For a call that goes on: its ids, and whether it is sampled."""
        carrier = {name.decode(): value.decode("latin-1") for name, value in headers if name in _CONTEXT}
        parent = self._propagator.extract(carrier, Context()) if carrier else Context()
        trace_id = get_current_span(parent).get_span_context().trace_id or self._random.generate_trace_id()
        decision = self._provider.sampler.should_sample(parent, trace_id, "call", SpanKind.SERVER).decision
        return Trace(parent, trace_id, self.new_span_id(), decision.is_sampled())

    def make(self, call_id: str, trace: Trace) -> None:
        """Spans of a call that has ended; none of one that was neither sent nor answered, and of no other request."""
        record, refused = trace.record, trace.refused
        operation, model = _named(record, refused)
        if not operation:
            return
        ended = max(
            record.finished_ms * _MS if record is not None else 0,
            refused.at_ns if refused is not None else 0,
            *(max(a.began_ns, a.answered_ns or 0, a.ended_ns or 0) for a in trace.attempts),
            0,
        )
        self._ids.trace_id, self._ids.span_id = trace.trace_id, trace.span_id
        call = self._tracer.start_span(
            f"{operation} {model}".strip(),
            trace.parent,
            SpanKind.SERVER,
            _of_call(call_id, operation, model, trace),
            start_time=_arrived_ns(call_id),
        )
        if record is not None:
            call.add_event("sluicegate.admitted", timestamp=record.started_ms * _MS)
        code = refused.code if refused is not None else record.outcome if record is not None else ""
        status = refused.status if refused is not None else record.status if record is not None else 0
        if status >= 500 or (record is not None and record.outcome in _FAILED):
            call.set_status(Status(StatusCode.ERROR, code))
        below = set_span_in_context(call, trace.parent)
        for attempt in trace.attempts:
            self._make_attempt(below, operation, attempt, record if attempt is trace.attempts[-1] else None, ended)
        call.end(ended)

    def _make_attempt(
        self, below: Context, operation: str, attempt: Attempt, record: CallRecord | None, ended: int
    ) -> None:
        """`record` is that of the call where this attempt settled it."""
        backend = attempt.backend
        self._ids.span_id = attempt.span_id
        span = self._tracer.start_span(
            f"{operation} {backend.provider_model}",
            below,
            SpanKind.CLIENT,
            _of_attempt(operation, attempt),
            start_time=attempt.began_ns,
        )
        error = attempt.error
        if error is None and attempt.status is not None and attempt.status >= 400:
            error = str(attempt.status)
        if error is None and record is not None and record.outcome != Outcome.OK:
            error = record.outcome
        if error is not None:
            span.set_attribute("error.type", error)
            span.set_status(Status(StatusCode.ERROR, error))
        if record is not None and attempt.ended_ns is None:
            span.set_attributes(_of_usage(record))
        span.end(attempt.ended_ns or ended)


def _resource(release: str) -> Resource:
    resource = Resource.create({SERVICE_VERSION: release})
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "sluicegate"}))
    return resource


def _arrived_ns(call_id: str) -> int:
    """Its id says when it came: it is a UUID of version 7."""
    return int(call_id[:8] + call_id[9:13], 16) * _MS


def _named(record: CallRecord | None, refused: Refused | None) -> tuple[str, str]:
    """Operation and model; empty where they are not known, as for requests that are no calls."""
    if record is not None:
        return _operation(f".{record.endpoint}"), record.model_slug
    if refused is None:
        return "", ""
    model = refused.model if refused.code in _ABOUT_A_MODEL else None
    return _operation(refused.path.replace("/", ".")), model or ""


def _operation(text: str) -> str:
    return next((name for end, name in _OPERATIONS if text.endswith(end)), "")


def _of_call(call_id: str, operation: str, model: str, trace: Trace) -> Attributes:
    record, refused = trace.record, trace.refused
    found: Attributes = {
        "http.request.method": "POST",
        "gen_ai.operation.name": operation,
        "sluicegate.call.id": call_id,
    }
    if model:
        found["gen_ai.request.model"] = model
    if trace.attempts:
        found |= _answering(trace.attempts[-1])
    if record is not None:
        found |= {
            "http.response.status_code": record.status,
            "user.id": record.user_id,
            "sluicegate.key.id": record.key_id,
            "sluicegate.outcome": record.outcome,
            "sluicegate.cost.nano_usd": record.cost_nanos,
            "sluicegate.usage.estimated": record.estimated,
            **_of_usage(record),
        }
        if record.session_id is not None:
            found["gen_ai.conversation.id"] = record.session_id
        if record.outcome != Outcome.OK:
            found["error.type"] = record.outcome
    if refused is not None:
        found |= {"http.response.status_code": refused.status, "error.type": refused.code}
    return found


def _of_attempt(operation: str, attempt: Attempt) -> Attributes:
    backend, origin = attempt.backend, attempt.origin
    found: Attributes = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": _PROVIDERS[backend.kind],
        "gen_ai.request.model": backend.provider_model,
        "sluicegate.provider": backend.provider_name,
    }
    if backend.kind is not ProviderKind.DEMO:
        found |= {"server.address": origin.host, "server.port": origin.port}
    if attempt.status is not None:
        found["http.response.status_code"] = attempt.status
    return found | _answering(attempt)


def _answering(attempt: Attempt) -> Attributes:
    return {} if attempt.answered_by is None else {"gen_ai.response.model": attempt.answered_by}


def _of_usage(record: CallRecord) -> Attributes:
    usage = record.usage
    found: Attributes = {
        "gen_ai.request.stream": record.stream,
        # All of it, as the conventions have it; the classes below are parts.
        "gen_ai.usage.input_tokens": usage.total_input,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "gen_ai.usage.output_tokens": usage.output,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
    }
    if record.first_byte_ms is not None:
        found["gen_ai.response.time_to_first_chunk"] = record.first_byte_ms / 1000
    return found
