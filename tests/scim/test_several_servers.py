"""Off-boarding where several servers share PostgreSQL and Redis: what is answered by one holds in all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cli.program import Server, graphql, serving
from gateway.bench import CHAT

pytestmark = [pytest.mark.slow, pytest.mark.embedded]


@pytest.fixture
def servers(tmp_path: Path, fresh_postgres_url: str, redis_url: str) -> Iterator[tuple[Server, Server, dict[str, Any]]]:
    shared = {
        "DATABASE_URL": fresh_postgres_url,
        "REDIS_URL": redis_url,
        "REDIS_PREFIX": f"test-{uuid4().hex}",
        "KEK_PRIMARY": "ab" * 32,
    }
    with serving(tmp_path / "one", "demo", **shared) as one, serving(tmp_path / "two", **shared) as two:
        yield one, two, json.loads((tmp_path / "one" / "demo.json").read_text())


def test_who_leaves_is_out_everywhere_with_the_answer(servers: tuple[Server, Server, dict[str, Any]]) -> None:
    one, two, facts = servers

    def called(server: Server) -> tuple[int, str]:
        answer = httpx.post(
            server.url + CHAT,
            json={"model": facts["models"][0], "max_tokens": 1, "messages": [{"role": "user", "content": "Hello."}]},
            headers={"authorization": f"Bearer {facts['member']['key']}"},
        )
        return answer.status_code, answer.json().get("error", {}).get("code", "ok")

    made = graphql(one.url, facts["admin_token"], 'mutation { createScimToken(name: "Okta") { secret token { id } } }')
    token = made["data"]["createScimToken"]
    provider = httpx.Client(headers={"authorization": f"Bearer {token['secret']}"}, timeout=60)

    def scim(server: Server, method: str, path: str, body: Any = None) -> httpx.Response:
        return provider.request(method, f"{server.url}/scim/v2{path}", json=body)

    with provider:
        mia = scim(two, "GET", f'/Users?filter=userName eq "{facts["member"]["email"]}"').json()["Resources"][0]["id"]
        for first, second in ((one, two), (two, one)) * 3:
            assert called(first) == called(second) == (200, "ok")
            off = {"Operations": [{"op": "Replace", "path": "active", "value": "False"}]}
            assert scim(first, "PATCH", f"/Users/{mia}", off).json()["active"] is False
            assert called(second) == called(first) == (401, "user_suspended")
            on = {"Operations": [{"op": "replace", "value": {"active": True}}]}
            assert scim(second, "PATCH", f"/Users/{mia}", on).json()["active"] is True
        group = scim(one, "POST", "/Groups", {"displayName": "Blocked", "members": [{"value": mia}]}).json()["id"]
        limit = f'subject: {{groupId: "{group}"}}, input: {{requestsPerMinute: 0}}'
        change = f"mutation {{ setRateLimit({limit}) {{ rateLimit {{ version }} }} }}"
        assert "errors" not in graphql(two.url, facts["admin_token"], change)
        assert called(one)[1] == called(two)[1] == "rate_limit_exceeded"
        out = {"Operations": [{"op": "remove", "path": f'members[value eq "{mia}"]'}]}
        assert scim(two, "PATCH", f"/Groups/{group}", out).status_code == 204
        assert called(one) == called(two) == (200, "ok")
        assert scim(one, "DELETE", f"/Users/{mia}").status_code == 204
        assert called(two)[0] == called(one)[0] == 401
        # Who guesses at one server has guessed at the other, and a revoked token opens neither.
        statuses = [
            httpx.get(f"{server.url}/scim/v2/Users", headers={"authorization": f"Bearer guess-{number}"}).status_code
            for number in range(16)
            for server in (one, two)
        ]
        assert statuses == [401] * 30 + [429] * 2
        revoke = f'mutation {{ revokeScimToken(id: "{token["token"]["id"]}") {{ token {{ id }} }} }}'
        assert "errors" not in graphql(two.url, facts["admin_token"], revoke)
        assert scim(two, "GET", "/Users").status_code == 401
        assert scim(one, "GET", "/Users").status_code == 401
