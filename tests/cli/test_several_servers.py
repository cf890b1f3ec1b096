"""Servers that share PostgreSQL and Redis: one policy and one set of limits, whichever of them is asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from redis import Redis

from cli.program import Server, graphql, run, serving

FAST = {"max_tokens": 1, "messages": [{"role": "user", "content": "Hello."}]}


@pytest.fixture
def shared(fresh_postgres_url: str, redis_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": fresh_postgres_url,
        "REDIS_URL": redis_url,
        "REDIS_PREFIX": f"test-{uuid4().hex}",
        "KEK_PRIMARY": "ab" * 32,
    }


@pytest.fixture
def servers(tmp_path: Path, shared: dict[str, str]) -> Iterator[tuple[Server, Server, dict[str, Any]]]:
    with serving(tmp_path / "one", "demo", **shared) as one, serving(tmp_path / "two", **shared) as two:
        yield one, two, json.loads((tmp_path / "one" / "demo.json").read_text())


def test_a_change_through_one_server_holds_on_the_other_at_once(servers: tuple[Server, Server, dict[str, Any]]) -> None:
    one, two, facts = servers
    token = facts["admin_token"]
    (member,) = _ask(one, token, '{ users(search: "mia", first: 1) { edges { node { id } } } }')["users"]["edges"]
    user_id = member["node"]["id"]
    for first, second in ((one, two), (two, one)):
        assert _call(first, facts).status_code == _call(second, facts).status_code == 200
        _ask(first, token, f'mutation {{ suspendUser(id: "{user_id}") {{ user {{ id }} }} }}')
        assert _code(_call(second, facts)) == _code(_call(first, facts)) == "user_suspended"
        _ask(first, token, f'mutation {{ reactivateUser(id: "{user_id}") {{ user {{ id }} }} }}')
    limit = f'subject: {{userId: "{user_id}"}}, input: {{requestsPerMinute: 12}}'
    _ask(two, token, f"mutation {{ setRateLimit({limit}) {{ rateLimit {{ requestsPerMinute }} }} }}")
    # Four calls were let in before, in the last minute or not.
    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(lambda server: _code(_call(server, facts)), [one, two] * 15))
    assert 8 <= answers["ok"] <= 12
    assert answers == {"ok": answers["ok"], "rate_limit_exceeded": 30 - answers["ok"]}


def test_servers_that_count_apart_are_kept_away(
    servers: tuple[Server, Server, dict[str, Any]], shared: dict[str, str], tmp_path: Path
) -> None:
    one, two, facts = servers
    alone = {name: value for name, value in shared.items() if not name.startswith("REDIS")}
    refused = run("serve", "--port", "0", DATA_DIR=str(tmp_path / "three"), **alone)
    assert (refused.status, "Another Sluicegate server" in refused.errors) == (2, True)
    # One may go, and the other serves on.
    assert one.stop() == 0
    assert _call(two, facts).status_code == 200
    assert two.stop() == 0
    with serving(tmp_path / "three", **alone):
        refused = run("serve", "--port", "0", DATA_DIR=str(tmp_path / "two"), **shared)
        assert (refused.status, "counts limits and budgets by itself" in refused.errors) == (2, True)


def test_a_server_with_another_redis_is_kept_away_until_the_others_are_gone(
    servers: tuple[Server, Server, dict[str, Any]], shared: dict[str, str], tmp_path: Path
) -> None:
    one, two, facts = servers
    elsewhere = shared | {"REDIS_PREFIX": f"test-{uuid4().hex}"}
    refused = run("serve", "--port", "0", DATA_DIR=str(tmp_path / "three"), **elsewhere)
    assert (refused.status, "count limits and budgets in another Redis" in refused.errors) == (3, True)
    # One that was emptied is no other one: all that run find out, and a further one may come.
    with Redis.from_url(shared["REDIS_URL"]) as client:
        client.delete(*client.scan_iter(f"{{{shared['REDIS_PREFIX']}}}:*"))
    with serving(tmp_path / "three", **shared) as three:
        assert [_code(_call(server, facts)) for server in (one, two, three)] == ["ok"] * 3
        assert [server.stop() for server in (one, two, three)] == [0] * 3
    with serving(tmp_path / "two", **elsewhere) as moved:
        assert _code(_call(moved, facts)) == "ok"


def _ask(server: Server, token: str, query: str) -> Any:
    answer = graphql(server.url, token, query)
    assert "errors" not in answer, answer
    return answer["data"]


def _call(server: Server, facts: dict[str, Any]) -> httpx.Response:
    headers = {"authorization": f"Bearer {facts['member']['key']}"}
    body = {"model": facts["models"][0], **FAST}
    return httpx.post(f"{server.url}/v1/chat/completions", json=body, headers=headers, timeout=60)


def _code(answer: httpx.Response) -> str:
    return "ok" if answer.is_success else answer.json()["error"]["code"]
