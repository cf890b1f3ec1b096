"""What the pages about usage show, as files: the same questions to the same service, with every row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import StreamingResponse

from sluicegate.domain.usage import CallRecord, Outcome
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import format_usd
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.usage import CallFilter, UsageTotals
from sluicegate.services.caller import Caller
from sluicegate.services.usage import Interval, UsageDimension, UsageQuery, UsageService
from sluicegate.web.exports import choice_of, csv_lines, instant_of, streamed, text_of

_FIGURES = (
    "requests",
    "errors",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "cost_usd",
)
_CALL_COLUMNS = (
    "at", "id", "user_id", "user", "key", "model", "provider", "provider_model", "endpoint", "status", "outcome",
    "stream", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "cost_usd", "estimated",
    "latency_ms", "first_byte_ms", "client_app", "project", "session",
)  # fmt: skip
_CSV = "text/csv; charset=utf-8"
_BATCH = 500


def usage_export_routes(usage: UsageService, caller_of: Callable[[Request], Awaitable[Caller]]) -> APIRouter:
    router = APIRouter(prefix="/export")

    @router.get("/usage.csv")
    async def series_csv(request: Request) -> StreamingResponse:
        report = await usage.report(await caller_of(request), _query(request))
        rows = [(usage.local(start).isoformat(), *_figures(totals)) for start, totals in report.series]
        return streamed("usage.csv", _CSV, _once(csv_lines([("start", *_FIGURES), *rows])))

    @router.get("/usage-breakdown.csv")
    async def breakdown_csv(request: Request) -> StreamingResponse:
        by = choice_of(request, "by", UsageDimension) or UsageDimension.MODEL
        slices = await usage.whole_breakdown(await caller_of(request), _query(request), by)
        rows = [(s.key, s.label, *_figures(s.totals)) for s in slices]
        head = ("id", by.value, *_FIGURES)
        return streamed(f"usage-by-{by.value}.csv", _CSV, _once(csv_lines([head, *rows])))

    @router.get("/refusals.csv")
    async def refusals_csv(request: Request) -> StreamingResponse:
        found = await usage.refusals(await caller_of(request), _query(request))
        rows = [(refusal.reason, str(refusal.calls)) for refusal in found]
        return streamed("refusals.csv", _CSV, _once(csv_lines([("reason", "calls"), *rows])))

    @router.get("/calls.csv")
    async def calls_csv(request: Request) -> StreamingResponse:
        caller, everyone = await caller_of(request), _flag(request, "everyone")
        where = CallFilter(
            user_id=text_of(request, "userId"),
            model_slug=text_of(request, "model"),
            outcome=choice_of(request, "outcome", Outcome),
            status=_number(request, "status"),
            since=instant_of(request, "from"),
            until=instant_of(request, "to"),
            key=text_of(request, "key"),
            provider=text_of(request, "provider"),
        )
        # A refusal has to come before the first byte.
        first = await usage.calls(caller, where, everyone, PageRequest(_BATCH))

        async def lines() -> AsyncIterator[str]:
            yield csv_lines([_CALL_COLUMNS])
            page = first
            while True:
                yield csv_lines([_call_cells(record) for record, _ in page.items])
                if not page.has_next:
                    return
                page = await usage.calls(caller, where, everyone, PageRequest(_BATCH, page.items[-1][1]))

        return streamed("calls.csv", _CSV, lines())

    return router


async def _once(text: str) -> AsyncIterator[str]:
    yield text


def _figures(totals: UsageTotals) -> Sequence[str]:
    counts = (
        totals.requests,
        totals.errors,
        totals.input_tokens,
        totals.cache_read_tokens,
        totals.cache_write_tokens,
        totals.output_tokens,
    )
    return (*map(str, counts), format_usd(totals.cost_nanos))


def _call_cells(r: CallRecord) -> Sequence[str]:
    written = r.cache_write_5m_tokens + r.cache_write_1h_tokens
    return (
        datetime.fromtimestamp(r.started_ms / 1000, UTC).isoformat(),
        r.call_id,
        r.user_id,
        r.user_label,
        r.key_label,
        r.model_slug,
        r.provider_name,
        r.provider_model,
        r.endpoint,
        str(r.status),
        r.outcome,
        "yes" if r.stream else "no",
        str(r.input_tokens + r.cache_read_tokens + written),
        str(r.cache_read_tokens),
        str(written),
        str(r.output_tokens),
        format_usd(r.cost_nanos),
        "yes" if r.estimated else "no",
        str(max(0, r.finished_ms - r.started_ms)),
        "" if r.first_byte_ms is None else str(r.first_byte_ms),
        r.client_app or "",
        r.project or "",
        r.session_id or "",
    )


def _query(request: Request) -> UsageQuery:
    return UsageQuery(
        _day(request, "from"),
        _day(request, "to"),
        choice_of(request, "interval", Interval) or Interval.DAY,
        text_of(request, "userId"),
        text_of(request, "groupId"),
        _flag(request, "everyone"),
    )


def _day(request: Request, name: str) -> date:
    try:
        return date.fromisoformat(request.query_params.get(name, ""))
    except ValueError:
        raise InvalidInput(name, "must be a day like 2026-11-24") from None


def _flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise InvalidInput(name, "must be true or false")
    return value == "true"


def _number(request: Request, name: str) -> int | None:
    value = request.query_params.get(name)
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 3):
        raise InvalidInput(name, "must be an HTTP status like 200")
    return int(value)
