"""The lists of budgets and rate limits as files, as administrators get them."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from fakes.identity import Site, new_site
from sluicegate.domain.policy import Budget, Dimension, Override, RateLimits, Subject, SubjectKind, Window
from sluicegate.domain.user import Group, Role
from sluicegate.kit.errors import AppError, Forbidden
from sluicegate.kit.money import NANOS_PER_USD, Nanos
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import SubjectUse
from sluicegate.services.caller import Caller
from sluicegate.services.overrides import OverrideService
from sluicegate.services.overview import OverviewService
from sluicegate.storage.usage_writer import make_usage_writer
from sluicegate.web.overview_exports import overview_export_routes
from storage.records import call

PEOPLE = 120


def dollars(amount: float) -> Nanos:
    return Nanos(round(amount * NANOS_PER_USD))


class Desk:
    def __init__(self, site: Site, admin: Caller) -> None:
        self.site, self.caller = site, admin
        self.http: httpx.AsyncClient

    async def known(self, _request: Request) -> Caller:
        return self.caller

    async def use_of(self, subject: Subject, *, limited: bool) -> SubjectUse:
        return SubjectUse(used={Dimension.REQUESTS: 7})

    async def rows(self, path: str) -> list[dict[str, str]]:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(io.StringIO(answer.text)))


async def _refuse(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"code": cast("AppError", error).code}, 403 if isinstance(error, Forbidden) else 400)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with new_site(tmp_path) as site:
        made = Desk(site, await site.person("ada@example.com", Role.ADMIN))
        policy = cast("Any", SimpleNamespace(use_of=made.use_of))
        overview = OverviewService(site.store, policy, PeriodClock(UTC), site.clock)
        app = FastAPI()
        app.add_exception_handler(AppError, _refuse)
        app.include_router(overview_export_routes(overview, OverrideService(site.store, site.clock), made.known))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as made.http:
            yield made


async def test_budgets_come_with_what_is_spent_and_what_stands_in_for_them(desk: Desk) -> None:
    site = desk.site
    mia, zoe, now = await site.person("mia@example.com"), await site.person("zoe@example.com"), site.clock.now()
    ends_at = now + timedelta(hours=2)
    async with site.store.write() as tx:
        await tx.groups.add(Group("team", '=Team "A"', "", now))
        await tx.policy.set_budget(Subject(SubjectKind.USER, mia.user.id), Budget(day=dollars(10), month=dollars(40)))
        await tx.policy.set_budget(Subject(SubjectKind.POOL, "team"), Budget(week=dollars(0)))
        for name, target, value in (("a", Window.DAY, dollars(25)), ("b", Window.WEEK, None)):
            await tx.overrides.add(Override(name, mia.user.id, target, value, "Launch", "Ada", now, ends_at))
        await tx.overrides.add(Override("c", zoe.user.id, Window.DAY, dollars(3), "Launch", "Ada", now, ends_at))
    writer = make_usage_writer(site.store.engine.url, UTC)
    writer.write([call(now, user_id=mia.user.id, cost_nanos=12_345_678_901, group_ids=("team",))])
    writer.close()
    rows = await desk.rows("/export/budgets.csv")
    shown = [(r["kind"], r["email"], r["window"], r["cap_usd"], r["spent_usd"], r["temporary_until"]) for r in rows]
    assert sorted(shown) == [
        ("pool", "", "week", "0", "12.345678901", ""),
        ("user", "mia@example.com", "day", "25", "12.345678901", ends_at.isoformat()),
        ("user", "mia@example.com", "month", "40", "12.345678901", ""),
        ("user", "mia@example.com", "week", "", "12.345678901", ends_at.isoformat()),
        ("user", "zoe@example.com", "day", "3", "0", ends_at.isoformat()),
    ]
    # Spreadsheets take what begins so for a formula.
    assert {row["name"] for row in rows if row["kind"] == "pool"} == {'\'=Team "A"'}
    assert {row["kind"] for row in await desk.rows("/export/budgets.csv?kind=POOL&search=team")} == {"pool"}
    assert {row["kind"] for row in await desk.rows("/export/budgets.csv?use=REACHED")} == {"pool"}


async def test_limits_of_more_people_than_fit_on_a_page_all_come(desk: Desk) -> None:
    site, ends_at = desk.site, desk.site.clock.now() + timedelta(hours=2)
    people = [await site.person(f"p{number:03}@example.com") for number in range(PEOPLE)]
    async with site.store.write() as tx:
        await tx.groups.add(Group("team", "Team", "", site.clock.now()))
        limits = RateLimits(requests=9, concurrent_requests=0)
        for number, person in enumerate(people):
            if number % 10:
                await tx.policy.set_rate_limits(Subject(SubjectKind.USER, person.user.id), limits)
                continue
            for target, value in ((Dimension.REQUESTS, 9), (Dimension.CONCURRENT_REQUESTS, 0)):
                raised = Override(f"{target}{number}", person.user.id, target, value, "Launch", "Ada", ends_at, ends_at)
                await tx.overrides.add(raised)
        await tx.policy.set_rate_limits(Subject(SubjectKind.GROUP, "team"), RateLimits(output_tokens=5))
    rows = await desk.rows("/export/rate-limits.csv")
    shown = [(row["email"], row["dimension"], row["limit"], row["used"]) for row in rows]
    assert sorted(shown) == sorted(
        [
            ("", "output_tokens", "5", ""),
            *((p.user.email, "requests", "9", "7") for p in people),
            *((p.user.email, "concurrent_requests", "0", "0") for p in people),
        ]
    )


@pytest.mark.parametrize("path", ["budgets.csv", "rate-limits.csv"])
async def test_members_and_faulty_questions_get_nothing(desk: Desk, path: str) -> None:
    for kind in ("key", "nobody"):
        assert (await desk.http.get(f"/export/{path}?kind={kind}")).status_code == 400
    desk.caller = await desk.site.person("mia@example.com")
    assert (await desk.http.get(f"/export/{path}")).status_code == 403
