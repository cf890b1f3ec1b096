"""The lists of all limits and caps as files: what the pages show, one row for each value, with every owner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import StreamingResponse

from sluicegate.domain.policy import Dimension, Override, Subject, SubjectKind, Window
from sluicegate.kit.csv_text import csv_lines
from sluicegate.kit.money import Nanos, format_usd
from sluicegate.policy.merge import running
from sluicegate.ports.overview import BudgetOwner, CapUse, LimitOwner, OwnerFilter
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.policy import SubjectUse
from sluicegate.services.caller import Caller
from sluicegate.services.overrides import OverrideService
from sluicegate.services.overview import OverviewService
from sluicegate.web.exports import choice_of, streamed, text_of

_OWNER = ("kind", "id", "name", "email")
_BUDGET_COLUMNS = (*_OWNER, "window", "cap_usd", "spent_usd", "temporary_until")
_LIMIT_COLUMNS = (*_OWNER, "dimension", "limit", "used", "temporary_until")
_CSV = "text/csv; charset=utf-8"
_BATCH = 100
Raises = Mapping[Dimension | Window, Override]


def overview_export_routes(
    overview: OverviewService, overrides: OverrideService, known: Callable[[Request], Awaitable[Caller]]
) -> APIRouter:
    router = APIRouter(prefix="/export")

    @router.get("/budgets.csv")
    async def budgets_csv(request: Request) -> StreamingResponse:
        """An empty cap is one that is lifted for a while."""
        caller, where, use = await known(request), _filter(request), choice_of(request, "use", CapUse)
        # A refusal has to come before the first byte.
        first = await overview.budgets(caller, where, use, PageRequest(_BATCH))

        async def lines() -> AsyncIterator[str]:
            yield csv_lines([_BUDGET_COLUMNS])
            page = first
            while True:
                owners = [owner for owner, _ in page.items]
                raises = await _raises(caller, [owner.subject for owner in owners])
                yield csv_lines([row for owner in owners for row in _caps(owner, raises.get(owner.subject, {}))])
                if not page.has_next:
                    return
                page = await overview.budgets(caller, where, use, PageRequest(_BATCH, page.items[-1][1]))

        return streamed("budgets.csv", _CSV, lines())

    @router.get("/rate-limits.csv")
    async def limits_csv(request: Request) -> StreamingResponse:
        """An empty limit is none; what is used of a group's is empty, since it counts each member's own."""
        caller, where = await known(request), _filter(request)
        first = await overview.limits(caller, where, PageRequest(_BATCH))

        async def lines() -> AsyncIterator[str]:
            yield csv_lines([_LIMIT_COLUMNS])
            page = first
            while True:
                owners = [owner for owner, _ in page.items]
                subjects = [owner.subject for owner in owners]
                raises, uses = await _raises(caller, subjects), await overview.uses(caller, subjects)
                yield csv_lines(
                    [
                        row
                        for owner, use in zip(owners, uses, strict=True)
                        for row in _limits(owner, use, raises.get(owner.subject, {}))
                    ]
                )
                if not page.has_next:
                    return
                page = await overview.limits(caller, where, PageRequest(_BATCH, page.items[-1][1]))

        return streamed("rate-limits.csv", _CSV, lines())

    async def _raises(caller: Caller, subjects: Sequence[Subject]) -> dict[Subject, Raises]:
        """What stands in for users' values now."""
        users = [subject for subject in subjects if subject.kind is SubjectKind.USER]
        made, now = await overrides.of_users(caller, [user.id for user in users]), overrides.now()
        return {user: running(made[user.id], now) for user in users}

    return router


def _filter(request: Request) -> OwnerFilter:
    return OwnerFilter(text_of(request, "search"), choice_of(request, "kind", SubjectKind))


def _caps(owner: BudgetOwner, raises: Raises) -> Iterator[Sequence[Any]]:
    for window in Window:
        raised = raises.get(window)
        cap = owner.budget.get(window) if raised is None else raised.value
        if cap is not None or raised is not None:
            amount = "" if cap is None else format_usd(Nanos(cap))
            yield (*_owner(owner), window.value, amount, format_usd(Nanos(owner.spent[window])), _until(raised))


def _limits(owner: LimitOwner, use: SubjectUse | None, raises: Raises) -> Iterator[Sequence[Any]]:
    for dimension in Dimension:
        raised = raises.get(dimension)
        limit = owner.limits.get(dimension) if raised is None else raised.value
        if limit is not None or raised is not None:
            used = "" if use is None else str(use.used.get(dimension, 0))
            yield (*_owner(owner), dimension.value, "" if limit is None else str(limit), used, _until(raised))


def _owner(owner: BudgetOwner | LimitOwner) -> Sequence[str]:
    return owner.subject.kind.value, owner.subject.id, owner.name, owner.email or ""


def _until(raised: Override | None) -> str:
    return "" if raised is None else raised.ends_at.isoformat()
