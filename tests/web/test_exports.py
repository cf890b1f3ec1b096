"""Downloads: the whole list, as administrators see it, to nobody else."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from fakes.identity import Site, new_site
from sluicegate.domain.apikey import TokenScope
from sluicegate.ports.pages import PageRequest, UserFilter, UserSort
from sluicegate.services.audit import AuditService
from sluicegate.services.auth import AuthService
from sluicegate.services.bundle import Services
from sluicegate.services.caller import Caller
from sluicegate.services.groups import GroupService
from sluicegate.services.tokens import TokenService
from sluicegate.services.usage import UsageService
from sluicegate.services.users import UserService
from sluicegate.storage.usage_reader import SqlUsageReader
from sluicegate.web.app import create_web_app

PASSWORD = "correct horse battery"


async def _no_graphql(*_: Any) -> dict[str, Any]:
    raise AssertionError("nobody asks")


@dataclass
class Desk:
    site: Site
    http: httpx.AsyncClient
    ada: Caller
    member: str

    async def token(self, *scopes: TokenScope) -> dict[str, str]:
        _, secret = await TokenService(self.site.store, self.site.clock).create(self.ada, "ci", scopes, None)
        return {"authorization": f"Bearer {secret.reveal()}"}

    async def sign_in(self, email: str) -> None:
        answer = await self.http.post("/auth/sign-in", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with new_site(tmp_path) as site:
        auth = AuthService(site.store, site.clock)
        admin = await auth.create_admin("ada@example.com", PASSWORD, "Ada")
        ada = Caller(admin, (await site.person("bob@example.com")).actor)
        (invited,) = await site.invitations().invite(ada, ["eve@example.com"])
        assert invited.url is not None
        await auth.accept(invited.url.rsplit("/", 1)[1], "Eve", PASSWORD)
        some = SimpleNamespace(
            auth=auth,
            recovery=site.recovery(),
            audit=AuditService(site.store),
            users=UserService(site.store),
            usage=UsageService(SqlUsageReader(site.store.engine, UTC), UTC, site.clock),
            overview=None,
            overrides=None,
            scim_tokens=None,
            scim_people=None,
            scim_groups=None,
            sso_sign_in=None,
            device_sign_in=None,
        )
        app = create_web_app(
            cast("Services", some),
            _no_graphql,
            live=cast("Any", None),
            public_url=lambda: "http://test",
            console=tmp_path / "none",
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            yield Desk(site, http, ada, "eve@example.com")


async def test_the_audit_log_downloads_whole_and_filtered(desk: Desk) -> None:
    for n in range(1100):
        async with desk.site.store.write() as tx:
            await tx.audit.record(desk.ada.actor, "group.create", "group", str(n), f"Group {n}", {}, {"n": n})
    headers = await desk.token(TokenScope.READ)
    answer = await desk.http.get("/export/audit-log.csv", headers=headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-log.csv"'
    assert answer.headers["cache-control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["target"] for row in rows if row["action"] == "group.create"] == [
        f"Group {n}" for n in range(1099, -1, -1)
    ]
    assert rows[0]["action"] == "token.create"

    narrow = {"action": "group.create", "search": "group 109"}
    answer = await desk.http.get("/export/audit-log.json", headers=headers, params=narrow)
    assert [event["target"]["label"] for event in answer.json()] == [f"Group {n}" for n in range(1099, 1089, -1)] + [
        "Group 109"
    ]
    assert answer.json()[-1] | {"id": "", "at": "", "actor": {}} == {
        "id": "",
        "at": "",
        "actor": {},
        "action": "group.create",
        "target": {"kind": "group", "id": "109", "label": "Group 109"},
        "before": {},
        "after": {"n": 109},
    }


async def test_an_empty_export_is_well_formed(desk: Desk) -> None:
    headers = await desk.token(TokenScope.READ)
    nothing = {"action": "no.such"}
    assert (await desk.http.get("/export/audit-log.json", headers=headers, params=nothing)).json() == []
    text = (await desk.http.get("/export/audit-log.csv", headers=headers, params=nothing)).text
    assert len(text.splitlines()) == 1


async def test_no_cell_is_a_formula(desk: Desk) -> None:
    async with desk.site.store.write() as tx:
        await tx.audit.record(desk.ada.actor, "group.create", "group", "1", '=HYPERLINK("http://evil","x"),"\n')
    answer = await desk.http.get("/export/audit-log.csv", headers=await desk.token(TokenScope.READ))
    (row,) = [row for row in csv.DictReader(io.StringIO(answer.text)) if row["action"] == "group.create"]
    assert row["target"] == '\'=HYPERLINK("http://evil","x"),"\n'


async def test_people_download_whole_with_their_groups_or_filtered(desk: Desk) -> None:
    groups = GroupService(desk.site.store, desk.site.clock)
    crowd = [await desk.site.person(f"p{n:04d}@example.com") for n in range(1100)]
    for name in ("Platform", "=Ops"):
        group = await groups.create(desk.ada, name)
        await groups.add_members(desk.ada, group.id, [crowd[7].user.id])
    headers = await desk.token(TokenScope.READ)
    answer = await desk.http.get("/export/users.csv", headers=headers, params={"search": "p", "sort": "NAME_DESC"})
    assert answer.headers["content-disposition"] == 'attachment; filename="users.csv"'
    rows = [row for row in csv.DictReader(io.StringIO(answer.text)) if row["email"].startswith("p")]
    assert [row["email"] for row in rows] == [f"p{n:04d}@example.com" for n in range(1099, -1, -1)]
    assert (rows[-8]["role"], rows[-8]["status"], rows[-8]["groups"]) == ("member", "active", "'=Ops; Platform")

    answer = await desk.http.get("/export/users.csv", headers=headers, params={"role": "ADMIN", "status": "active"})
    assert [row["email"] for row in csv.DictReader(io.StringIO(answer.text))] == ["ada@example.com"]


@pytest.mark.parametrize("parameters", [{"role": "king"}, {"status": "gone"}, {"sort": "shoe_size"}])
async def test_a_choice_that_is_none_is_refused_with_those_that_are(desk: Desk, parameters: dict[str, str]) -> None:
    answer = await desk.http.get("/export/users.csv", headers=await desk.token(TokenScope.READ), params=parameters)
    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (400, *parameters)
    assert error["message"].startswith("must be one of ")


@pytest.mark.parametrize("path", ["/export/audit-log.csv", "/export/audit-log.json", "/export/users.csv"])
async def test_only_administrators_download_it(desk: Desk, path: str) -> None:
    assert (await desk.http.get(path)).status_code == 401
    assert (await desk.http.get(path, headers={"authorization": "Bearer sgt_x"})).status_code == 401
    assert (await desk.http.get(path, headers=await desk.token(TokenScope.USERS))).status_code == 403
    await desk.sign_in(desk.member)
    assert (await desk.http.get(path)).status_code == 403
    await desk.sign_in("ada@example.com")
    assert (await desk.http.get(path)).status_code == 200
    answer = await desk.http.get(path, headers={"sec-fetch-site": "cross-site"})
    assert (answer.status_code, "Ada" in answer.text) == (403, False)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [({"from": "yesterday"}, "from"), ({"to": "2026-01-01"}, "to"), ({"search": "a\0b"}, "search")],
)
async def test_a_parameter_that_cannot_be_taken_is_named(desk: Desk, parameters: dict[str, str], field: str) -> None:
    headers = await desk.token(TokenScope.READ)
    answer = await desk.http.get("/export/audit-log.csv", headers=headers, params=parameters)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


@pytest.mark.parametrize("sort", list(UserSort))
async def test_whatever_order_the_list_has_the_export_has_too(desk: Desk, sort: UserSort) -> None:
    """One row for each, and in the order in which the list shows them."""
    headers = await desk.token(TokenScope.READ)
    answer = await desk.http.get("/export/users.csv", headers=headers, params={"sort": sort.name})
    emails = [row["email"] for row in csv.DictReader(io.StringIO(answer.text))]
    async with desk.site.store.read() as tx:
        page = await tx.users.page(UserFilter(), sort.value, PageRequest(100))
    assert emails == [user.email for user, _ in page.items]
    assert len(emails) == 3
