"""Who may see samples."""

from __future__ import annotations

from pathlib import Path

import httpx

from fakes.identity import new_site
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role
from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller
from sluicegate.services.tokens import TokenService
from sluicegate.web.metrics import create_metrics_app
from sluicegate.web.plain import METRICS

PASSWORD = "correct horse battery"


async def _samples(caller: Caller) -> bytes:
    caller.require_admin(TokenScope.READ)
    return b"sluicegate_calls_total 1\n"


async def test_metrics_are_for_administrators_and_their_tokens(tmp_path: Path) -> None:
    async with new_site(tmp_path) as site:
        auth = AuthService(site.store, site.clock)
        admin = await auth.create_admin("ada@example.com", PASSWORD, "Ada")
        ada = Caller(admin, (await site.person("bob@example.com", Role.MEMBER)).actor)
        (invited,) = await site.invitations().invite(ada, ["eve@example.com"])
        assert invited.url is not None
        session = await auth.accept(invited.url.rsplit("/", 1)[1], "Eve", PASSWORD)
        app = create_metrics_app(_samples, auth, lambda: "http://test")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
            nobody = await http.get(METRICS)
            assert (nobody.status_code, nobody.json()["error"]["code"]) == (401, "unauthenticated")
            assert "frame-ancestors 'none'" in nobody.headers["content-security-policy"]
            http.cookies.set("sluicegate", session.reveal())
            assert (await http.get(METRICS)).status_code == 403
            http.cookies.clear()
            tokens = TokenService(site.store, site.clock)
            for scope, status in ((TokenScope.USERS, 403), (TokenScope.READ, 200)):
                _, text = await tokens.create(ada, "Prometheus", [scope], None)
                answer = await http.get(METRICS, headers={"authorization": f"Bearer {text.reveal()}"})
                assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text == "sluicegate_calls_total 1\n"
