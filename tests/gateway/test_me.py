"""What a key tells about itself: whose it is, what it may call, what is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fakes.wire import message, whole
from gateway.bench import MESSAGES, NOW, SUBJECT, Bench, messages
from gateway.office import Office, open_office
from gateway.test_refusals import bare, openai_error
from sluicegate.domain.policy import Budget, ChangeKind, PolicyChange, RateLimits, Subject, SubjectKind
from sluicegate.kit.money import Nanos

ME = "/gateway/v1/me"
SPENDING = "/api/oauth/usage"


@pytest.fixture
async def office(bench: Bench) -> Office:
    return await open_office(bench)


async def me(bench: Bench, key: str | None = None) -> Any:
    answer = await bench.client.get(ME, headers={"authorization": f"Bearer {key}"} if key else {})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_it_tells_whose_key_it_is_and_what_may_be_called(bench: Bench) -> None:
    body = await me(bench)
    assert body["key"]["name"] == "laptop"
    assert body["key"]["expires_at"] is None
    assert body["user"] == {"name": "Ada", "email": "ada@example.com", "role": "member"}
    assert (body["groups"], body["limits"], body["budgets"]) == ([], [], [])
    assert body["spent_usd"] == {"day": "0", "week": "0", "month": "0"}
    assert [m["id"] for m in body["models"]] == ["team-claude", "team-embed", "team-gemini", "team-gpt"]
    assert body["models"][0] == {
        "id": "team-claude",
        "alias": "claude-team-claude",
        "display_name": "Team-Claude",
        "kind": "chat",
        "context_length": 200_000,
        "max_output_tokens": 8_000,
        "capabilities": [],
    }
    assert body["models"][1]["alias"] is None
    assert abs(datetime.fromisoformat(body["at"]) - datetime.now(UTC)) < timedelta(minutes=1)


async def test_it_uses_up_nothing_and_still_answers_when_nothing_is_left(bench: Bench) -> None:
    await bench.set_limits(requests=0)
    await bench.set_budget(day=Nanos(0))
    for _ in range(3):
        body = await me(bench)
    assert [(e["dimension"], e["limit"], e["remaining"]) for e in body["limits"]] == [("requests", 0, 0)]
    assert [(e["window"], e["cap_usd"], e["remaining_usd"]) for e in body["budgets"]] == [("day", "0", "0")]
    await bench.assert_untouched()


async def test_every_limit_is_told_with_who_set_it_and_what_is_left(office: Office) -> None:
    bench, services = office.bench, office.bench.container.services
    team = await office.group("Team", SUBJECT.id)
    await bench.set_limits(input_tokens=1_000, concurrent_requests=3)
    await services.limits.set(office.admin, Subject(SubjectKind.GROUP, team), RateLimits(requests=30))
    await services.budgets.set(office.admin, Subject(SubjectKind.POOL, team), Budget(month=Nanos(5_000_000)))
    credential = await bench.add_key()
    async with bench.container.store.read() as tx:
        key = await tx.keys.by_public_id(credential.public_id)
    assert key is not None
    async with bench.container.store.write() as tx:
        await tx.policy.set_budget(Subject(SubjectKind.KEY, key.id), Budget(day=Nanos(2_000_000)))
        tx.changed(PolicyChange(ChangeKind.KEY, key.id))
    bench.provider.next(whole(message()))
    headers = {"authorization": f"Bearer {credential.text}"}
    assert (await bench.client.post(MESSAGES, json=messages(), headers=headers)).status_code == 200

    body = await me(bench, credential.text)
    assert body["groups"] == ["Team"]
    limits = {entry["dimension"]: entry for entry in body["limits"]}
    assert {name: (e["limit"], e["used"], e["remaining"]) for name, e in limits.items()} == {
        "requests": (30, 1, 29),
        "input_tokens": (1_000, 18, 982),
        "concurrent_requests": (3, 0, 3),
    }
    assert limits["requests"]["set_by"] == {"kind": "group", "name": "Team"}
    assert limits["input_tokens"]["set_by"] == {"kind": "user", "name": "Ada"}
    assert limits["concurrent_requests"]["resets_at"] is None
    reset = datetime.fromisoformat(limits["requests"]["resets_at"])
    assert timedelta(seconds=50) < reset - datetime.now(UTC) < timedelta(seconds=62)

    pool, own = body["budgets"]
    assert (pool["window"], pool["counts"], pool["set_by"]) == ("month", "pool", {"kind": "pool", "name": "Team"})
    assert (own["window"], own["counts"], own["set_by"]) == ("day", "key", {"kind": "key", "name": "extra"})
    spent = 11 * 3_000 + 100 * 300 + 5 * 3_750 + 2 * 6_000 + 17 * 15_000
    assert spent == 348_750
    for entry, cap in ((pool, 0.005), (own, 0.002)):
        assert entry["spent_usd"] == "0.00034875"
        assert entry["held_usd"] == "0"
        assert float(entry["remaining_usd"]) == pytest.approx(cap - 0.00034875)
        assert datetime.fromisoformat(entry["resets_at"]) > datetime.now(UTC)
    assert body["spent_usd"]["day"] == "0.00034875"
    # The other key has no cap of its own.
    assert [entry["counts"] for entry in (await me(bench))["budgets"]] == ["pool"]


async def test_an_exception_says_until_when(office: Office) -> None:
    await office.bench.set_limits(requests=1)
    ends = datetime.now(UTC) + timedelta(hours=2)
    mutation = """mutation ($ends: DateTime!) { createOverride(input: {
        userId: "ada", dimension: REQUESTS, limit: 500, reason: "release", endsAt: $ends }) { override { id } } }"""
    await office.ask(mutation, ends=ends.isoformat())
    (entry,) = (await me(office.bench))["limits"]
    assert (entry["limit"], entry["set_by"]["kind"]) == (500, "user")
    assert abs(datetime.fromisoformat(entry["set_by"]["override_until"]) - ends) < timedelta(seconds=2)


async def test_it_is_for_those_who_may_call(bench: Bench) -> None:
    expired = await bench.add_key(expires_at=NOW - timedelta(days=1))
    for key, code in (("wrong", "invalid_api_key"), (expired.text, "key_expired")):
        async with bare(bench) as client:
            answer = await client.get(ME, headers={"x-api-key": key})
        assert (answer.status_code, openai_error(answer)["code"]) == (401, code)
    assert (await bench.client.post(ME)).status_code == 405
    await bench.suspend()
    answer = await bench.client.get(ME)
    assert (answer.status_code, openai_error(answer)["code"]) == (401, "user_suspended")


async def test_claude_code_finds_the_dollars_of_the_cap_that_headers_tell_of(bench: Bench) -> None:
    await bench.set_budget(day=Nanos(40_000_000_000), month=Nanos(2_000_000_000))
    bench.provider.next(whole(message(usage={"input_tokens": 100_000, "output_tokens": 100_000})))
    answer = await bench.client.post(MESSAGES, json=messages())
    assert answer.status_code == 200
    told = (await bench.client.get(SPENDING)).json()
    # 1.80 of 2 dollars, and of 40: 0.30 for what was read, 1.50 for what was written.
    assert told["extra_usage"] == {
        "is_enabled": True,
        "monthly_limit": 200,
        "used_credits": 180,
        "utilization": 90,
        "currency": "USD",
    }
    rows = {row["group"]: row for row in told["limits"]}
    assert {name: (row["percent"], row["is_active"]) for name, row in rows.items()} == {
        "daily": (4, False),
        "monthly": (90, True),
    }
    again = await bench.client.post(MESSAGES, json=messages())
    reset = int(again.headers["anthropic-ratelimit-unified-overage-reset"])
    assert datetime.fromisoformat(rows["monthly"]["resets_at"]).timestamp() == reset


async def test_without_a_cap_it_tells_what_was_spent(bench: Bench) -> None:
    bench.provider.next(whole(message(usage={"input_tokens": 100_000, "output_tokens": 100_000})))
    await bench.client.post(MESSAGES, json=messages())
    told = (await bench.client.get(SPENDING)).json()
    assert told["limits"] == []
    assert [told["extra_usage"][name] for name in ("monthly_limit", "used_credits", "utilization")] == [None, 180, None]
    assert told["extra_usage"]["daily"] == {"limit": None, "used_credits": 180, "utilization": None}
    refused = await bench.client.get(SPENDING, headers={"authorization": "Bearer sg_wrong"})
    assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")
