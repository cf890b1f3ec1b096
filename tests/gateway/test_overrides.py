"""Temporary raises: in force at once, shown with their reason, over by themselves."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.office import Office
from sluicegate.domain.policy import Budget, RateLimits, Subject, SubjectKind
from sluicegate.kit.money import Nanos

FIELDS = "id dimension window limit cap unlimited reason createdBy endsAt endedAt endedBy running"
CREATE = f"mutation ($input: CreateOverrideInput!) {{ createOverride(input: $input) {{ override {{ {FIELDS} }} }} }}"
END = f"mutation ($id: ID!) {{ endOverride(id: $id) {{ override {{ {FIELDS} }} }} }}"
LIST = f'query ($past: Boolean!) {{ user(id: "ada") {{ overrides(past: $past) {{ {FIELDS} }} }} }}'
EFFECTIVE = """{ effectivePolicy(userId: "ada") {
  limits { dimension limit source { kind name } override { reason limit } candidates { value } }
  budgets { window cap override { reason cap endsAt } } } }"""
OWNERS = """{
  budgetOwners(kind: USER) { edges { node { budget { daily } uses { window cap } overrides { window cap reason } } } }
  rateLimitOwners(kind: USER) { edges { node {
    rateLimit { requestsPerMinute } uses { dimension limit } overrides { dimension limit unlimited } } } } }"""
EXPLAIN = '{ explain(userId: "ada", model: "team-gpt") { allowed status message retryAt } }'


def later(office: Office, seconds: float) -> str:
    return (office.bench.container.clock.now() + timedelta(seconds=seconds)).isoformat()


async def create(office: Office, seconds: float = 600, **values: Any) -> dict[str, Any]:
    values = {"userId": "ada", "reason": "release week", "endsAt": later(office, seconds), **values}
    made: dict[str, Any] = (await office.ask(CREATE, input=values))["createOverride"]["override"]
    return made


async def test_a_raise_loosens_what_groups_set_and_ends_by_itself(office: Office) -> None:
    team = await office.group("Contractors", "ada")
    limits = office.bench.container.services.limits
    await limits.set(office.admin, Subject(SubjectKind.GROUP, team), RateLimits(requests=1))
    assert [(await office.call()).status_code for _ in range(2)] == [200, 429]

    made = await create(office, seconds=2.5, dimension="REQUESTS", limit=2)
    assert made | {"id": "", "endsAt": ""} == {
        "id": "",
        "dimension": "REQUESTS",
        "window": None,
        "limit": 2,
        "cap": None,
        "unlimited": False,
        "reason": "release week",
        "createdBy": "Root <root@example.com>",
        "endsAt": "",
        "endedAt": None,
        "endedBy": None,
        "running": True,
    }
    first, second = await office.call(), await office.call()
    assert (first.status_code, second.status_code) == (200, 429)
    assert "2 requests per minute, set for this user until 20" in second.json()["error"]["message"]
    assert "UTC (release week);" in second.json()["error"]["message"]
    shown = (await office.ask(EFFECTIVE, office.ada))["effectivePolicy"]["limits"][0]
    assert shown == {
        "dimension": "REQUESTS",
        "limit": 2,
        "source": {"kind": "USER", "name": "Ada"},
        "override": {"reason": "release week", "limit": 2},
        "candidates": [{"value": 1}],
    }

    await asyncio.sleep(2.6)
    refused = await office.call()
    assert "1 requests per minute, set by group Contractors" in refused.json()["error"]["message"]
    assert (await office.ask(EFFECTIVE, office.ada))["effectivePolicy"]["limits"][0]["override"] is None
    assert (await office.ask(LIST, office.ada, past=False))["user"]["overrides"] == []
    (past,) = (await office.ask(LIST, office.ada, past=True))["user"]["overrides"]
    assert (past["running"], past["endedAt"], past["endedBy"]) == (False, None, None)


async def test_the_lists_of_all_limits_and_caps_show_what_stands_in_for_one(office: Office) -> None:
    ada = Subject(SubjectKind.USER, "ada")
    services = office.bench.container.services
    await services.limits.set(office.admin, ada, RateLimits(requests=5))
    await services.budgets.set(office.admin, ada, Budget(day=Nanos(10**9)))
    await create(office, window="DAY", cap="3")
    await create(office, window="WEEK", unlimited=True)
    await create(office, dimension="REQUESTS", limit=50)
    shown = await office.ask(OWNERS)
    (budget,), (limits,) = ([edge["node"] for edge in shown[of]["edges"]] for of in ("budgetOwners", "rateLimitOwners"))
    assert budget == {
        "budget": {"daily": "1"},
        "uses": [{"window": "DAY", "cap": "3"}, {"window": "WEEK", "cap": None}],
        "overrides": [
            {"window": "DAY", "cap": "3", "reason": "release week"},
            {"window": "WEEK", "cap": None, "reason": "release week"},
        ],
    }
    assert limits["rateLimit"] == {"requestsPerMinute": 5}
    assert limits["uses"][0] == {"dimension": "REQUESTS", "limit": 50}
    assert limits["overrides"] == [{"dimension": "REQUESTS", "limit": 50, "unlimited": False}]


async def test_the_lists_show_those_who_have_nothing_but_what_stands_in_for_a_while(office: Office) -> None:
    await create(office, window="DAY", cap="3")
    await create(office, dimension="REQUESTS", limit=50)
    shown = await office.ask(OWNERS)
    (budget,), (limits,) = ([edge["node"] for edge in shown[of]["edges"]] for of in ("budgetOwners", "rateLimitOwners"))
    assert budget == {
        "budget": {"daily": None},
        "uses": [{"window": "DAY", "cap": "3"}],
        "overrides": [{"window": "DAY", "cap": "3", "reason": "release week"}],
    }
    assert limits["rateLimit"] == {"requestsPerMinute": None}
    assert limits["uses"][0] == {"dimension": "REQUESTS", "limit": 50}
    assert limits["overrides"] == [{"dimension": "REQUESTS", "limit": 50, "unlimited": False}]


async def test_a_cap_is_raised_or_lifted_and_the_raise_can_be_ended(office: Office) -> None:
    await office.bench.set_budget(day=Nanos(200_000), month=Nanos(10**12))
    assert [(await office.call(max_tokens=1)).status_code for _ in range(2)] == [200, 402]
    made = await create(office, window="DAY", unlimited=True)
    assert (made["cap"], made["unlimited"]) == (None, True)
    assert (await office.call(max_tokens=1)).status_code == 200
    budgets = (await office.ask(EFFECTIVE, office.ada))["effectivePolicy"]["budgets"]
    assert [b["cap"] for b in budgets] == [None, None, "1000"]
    assert [b["override"] is None for b in budgets] == [False, True, True]

    # A newer one takes its place: nobody has two values.
    await create(office, window="DAY", cap="0.0001", reason="too much")
    refused = await office.call(max_tokens=1)
    assert refused.status_code == 402
    assert "(too much): spent" in refused.json()["error"]["message"]
    newest, older = (await office.ask(LIST, past=True))["user"]["overrides"]
    assert (newest["running"], older["running"], older["endedBy"]) == (True, False, "Root <root@example.com>")
    ended = (await office.ask(END, id=newest["id"]))["endOverride"]["override"]
    assert (ended["running"], ended["endedBy"]) == (False, "Root <root@example.com>")
    refused = await office.call(max_tokens=1)
    assert "Daily budget of $0.0002 reached, set for this user:" in refused.json()["error"]["message"]
    again = await office.error(END, id=newest["id"])
    assert (again["code"], again["field"]) == ("conflict", "id")


async def test_a_block_for_a_while_tells_when_it_is_over(office: Office) -> None:
    made = await create(office, dimension="CONCURRENT_REQUESTS", limit=0, reason="under review")
    explained = (await office.ask(EXPLAIN))["explain"]
    assert (explained["allowed"], explained["status"]) == (False, 429)
    assert "(under review)" in explained["message"]
    assert explained["retryAt"] == made["endsAt"]
    assert (await office.call()).headers["x-should-retry"] == "false"
    await office.bench.assert_untouched()


async def test_a_raise_loosens_neither_pools_nor_keys(office: Office) -> None:
    team = await office.group("Team", "ada")
    services = office.bench.container.services
    await services.budgets.set(office.admin, Subject(SubjectKind.POOL, team), Budget(day=Nanos(0)))
    await create(office, window="DAY", unlimited=True)
    refused = await office.call()
    assert "set by group Team (shared by all members)" in refused.json()["error"]["message"]


async def test_a_preview_tells_whom_a_groups_cap_would_stop(office: Office) -> None:
    team = await office.group("Team", "ada")
    await office.hire("bob", team)
    assert (await office.call()).status_code == 200
    await office.bench.ledger()
    query = """query ($id: ID!) { previewGroupPolicy(groupId: $id, budget: { daily: "0.0001" }) {
      people stricter blocked affected { user { email } blocked limits { dimension }
        budgets { window before after spent } } } }"""
    found = (await office.ask(query, id=team))["previewGroupPolicy"]
    assert (found["people"], found["stricter"], found["blocked"]) == (2, 2, 1)
    first = found["affected"][0]
    assert (first["user"]["email"], first["blocked"], first["limits"]) == ("ada@example.com", True, [])
    assert first["budgets"][0] | {"spent": ""} == {"window": "DAY", "before": None, "after": "0.0001", "spent": ""}
    assert float(first["budgets"][0]["spent"]) > 0.0001
    assert (await office.call()).status_code == 200
    one = '{ previewUserPolicy(userId: "ada", rateLimit: { requestsPerMinute: 0 }) { people blocked } }'
    assert (await office.ask(one))["previewUserPolicy"] == {"people": 1, "blocked": 1}


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"limit": 1}, "invalid_input", "dimension"),
        ({"dimension": "REQUESTS", "window": "DAY", "limit": 1}, "invalid_input", "dimension"),
        ({"dimension": "REQUESTS"}, "invalid_input", "limit"),
        ({"dimension": "REQUESTS", "limit": 1, "unlimited": True}, "invalid_input", "limit"),
        ({"dimension": "REQUESTS", "limit": -1}, "invalid_input", "limit"),
        ({"dimension": "REQUESTS", "cap": "1"}, "invalid_input", "cap"),
        ({"window": "DAY"}, "invalid_input", "cap"),
        ({"window": "DAY", "limit": 5}, "invalid_input", "limit"),
        ({"dimension": "REQUESTS", "limit": 1, "reason": "  "}, "invalid_input", "reason"),
        ({"dimension": "REQUESTS", "limit": 1, "reason": "x" * 501}, "invalid_input", "reason"),
        ({"dimension": "REQUESTS", "limit": 1, "endsAt": "2020-01-01T00:00:00Z"}, "invalid_input", "endsAt"),
        ({"dimension": "REQUESTS", "limit": 1, "endsAt": "2999-01-01T00:00:00Z"}, "invalid_input", "endsAt"),
        ({"dimension": "REQUESTS", "limit": 1, "userId": "ghost"}, "not_found", "userId"),
    ],
)
async def test_what_an_override_cannot_be_is_refused_by_name(
    office: Office, values: dict[str, Any], code: str, field: str
) -> None:
    values = {"userId": "ada", "reason": "release", "endsAt": later(office, 60), **values}
    refused = await office.error(CREATE, input=values)
    assert (refused["code"], refused["field"]) == (code, field)
    assert (await office.ask(LIST, past=True))["user"]["overrides"] == []


async def test_members_see_their_own_and_make_none_and_all_is_written_down(office: Office) -> None:
    values = {"userId": "ada", "reason": "mine", "endsAt": later(office, 60), "dimension": "REQUESTS", "limit": 9}
    assert (await office.error(CREATE, office.ada, input=values))["code"] == "forbidden"
    made = await create(office, window="MONTH", cap="12.5")
    assert len((await office.ask(LIST, office.ada, past=False))["user"]["overrides"]) == 1
    assert (await office.error(END, office.ada, id=made["id"]))["code"] == "forbidden"
    await office.ask(END, id=made["id"])
    made_event, ended_event = await office.written()
    assert [(e.action, e.target_id) for e in (made_event, ended_event)] == [
        ("override.create", "ada"),
        ("override.end", "ada"),
    ]
    assert (made_event.after["value"], made_event.after["reason"]) == ("12.5", "release week")
    assert ended_event.before["of"] == "month"
    assert datetime.fromisoformat(made["endsAt"]) > office.bench.container.clock.now()
