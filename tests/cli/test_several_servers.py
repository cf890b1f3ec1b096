"""Servers that share PostgreSQL and Redis: one policy and one set of limits, whichever of them is asked."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest
from redis import Redis

from adapters.samples import parsed
from cli.program import PATIENCE, Server, graphql, run, serving, sign_in

T = TypeVar("T")
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


def test_no_caller_need_stay_with_one_server(servers: tuple[Server, Server, dict[str, Any]]) -> None:
    """Stored answers, tries to sign in, and what an administrator sees live."""
    one, two, facts = servers
    first = _respond(one, facts)
    assert first.status_code == 200, first.text
    for server in (two, one, two):
        # The provider of the demo stores nothing; that it was asked is what counts.
        own = _respond(server, facts, previous_response_id=first.json()["id"])
        assert _code(own) == "previous_response_not_found"
        assert _code(_respond(server, facts, previous_response_id="resp_of_somebody")) == "invalid_request"
    tries = [sign_in(server.url, "mia@example.com", "a guess of somebody").status_code for server in (one, two) * 7]
    assert tries == [401] * 10 + [429] * 4
    assert _code(_call(one, facts, "no-such-model")) == "model_not_found"
    headers = {"authorization": f"Bearer {facts['admin_token']}"}
    with httpx.stream("GET", f"{two.url}/events/live?everyone=true", headers=headers, timeout=PATIENCE) as events:
        pictures = (json.loads(line[6:]) for line in events.iter_lines() if line.startswith("data: {"))
        refused = next(picture["refused"] for picture in pictures if len(picture.get("refused", ())) > 1)
    assert {(call["code"], call["model"]) for call in refused} >= {("model_not_found", "no-such-model")}


def test_the_set_up_is_examined_beside_servers_that_run(
    servers: tuple[Server, Server, dict[str, Any]], shared: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "three").mkdir(mode=0o700)
    fine = run("doctor", DATA_DIR=str(tmp_path / "three"), **shared)
    assert fine.status == 0, fine.out
    assert "ok    redis:" in fine.out
    assert "ok    limits:" in fine.out
    nowhere = run("doctor", DATA_DIR=str(tmp_path / "three"), **shared | {"REDIS_URL": "redis://127.0.0.1:1/0"})
    assert (nowhere.status, "wrong redis: Redis is not there" in nowhere.out, "limits:" in nowhere.out) == (
        1,
        True,
        False,
    )
    assert _call(servers[0], servers[2]).status_code == 200


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


def test_a_scrape_of_whichever_worker_tells_what_all_of_them_counted(tmp_path: Path, shared: dict[str, str]) -> None:
    with serving(tmp_path / "one", "demo", WORKERS="3", **shared) as server:
        facts = json.loads((tmp_path / "one" / "demo.json").read_text())
        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(lambda _: _code(_call(server, facts)), range(24))) == {"ok"}
            _until(lambda: _scraped(server, facts), lambda found: found["calls"] == 24)
            for _ in range(3):
                # Each over a connection of its own, so that any worker may take it.
                for found in pool.map(lambda _: _scraped(server, facts), range(8)):
                    assert (found["calls"], found["in_flight"], found["up"]) == (24, 0, 1)
                    assert found["memory"] > 2 * _memory(server)
            # One that dies takes nothing of that with it, and its successor begins with nothing.
            dead = _workers(server)[0]
            os.kill(dead, signal.SIGKILL)
            _until(lambda: _workers(server), lambda pids: dead not in pids)
            for found in pool.map(lambda _: _scraped(server, facts), range(8)):
                assert found["calls"] == 24
            assert set(pool.map(lambda _: _code(_call(server, facts)), range(6))) == {"ok"}
            _until(lambda: _scraped(server, facts), lambda found: found["calls"] == 30)
        assert server.stop() == 0


def _workers(server: Server) -> list[int]:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


def _memory(server: Server) -> int:
    """Resident bytes of one worker."""
    pages = int(Path(f"/proc/{_workers(server)[0]}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _scraped(server: Server, facts: dict[str, Any]) -> dict[str, float]:
    headers = {"authorization": f"Bearer {facts['admin_token']}"}
    found = parsed(httpx.get(f"{server.url}/metrics", headers=headers, timeout=60).content)

    def total(name: str) -> float:
        return sum(value for (sample, _), value in found.items() if sample == name)

    return {
        "calls": total("sluicegate_calls_total"),
        "in_flight": total("sluicegate_calls_in_flight"),
        "up": total("sluicegate_database_up"),
        "memory": total("process_resident_memory_bytes"),
    }


def _until(look: Callable[[], T], wanted: Callable[[T], bool]) -> T:
    deadline = time.monotonic() + PATIENCE
    while not wanted(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def _ask(server: Server, token: str, query: str) -> Any:
    answer = graphql(server.url, token, query)
    assert "errors" not in answer, answer
    return answer["data"]


def _call(server: Server, facts: dict[str, Any], model: str | None = None) -> httpx.Response:
    return _post(server, facts, "/v1/chat/completions", {"model": model or facts["models"][0], **FAST})


def _respond(server: Server, facts: dict[str, Any], **values: str) -> httpx.Response:
    return _post(server, facts, "/v1/responses", {"model": facts["models"][0], "input": "Hello.", **values})


def _post(server: Server, facts: dict[str, Any], path: str, body: dict[str, Any]) -> httpx.Response:
    headers = {"authorization": f"Bearer {facts['member']['key']}"}
    return httpx.post(f"{server.url}{path}", json=body, headers=headers, timeout=60)


def _code(answer: httpx.Response) -> str:
    return "ok" if answer.is_success else answer.json()["error"]["code"]
