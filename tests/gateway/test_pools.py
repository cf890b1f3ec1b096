"""What the members of a group share: set through the schema, enforced at the socket, read back after a restart."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from fakes.wire import completion, whole
from gateway.bench import Bench, server_at
from gateway.office import Office
from sluicegate.domain.policy import Subject, SubjectKind, Window

POOL = """query ($id: ID!) { group(id: $id) { pool {
  rateLimit { requestsPerMinute } budget { daily monthly }
  limits { dimension limit used } budgets { window cap spent reserved } } } }"""
SET_BUDGET = """mutation ($id: ID!, $input: BudgetInput!) {
  setGroupPoolBudget(groupId: $id, input: $input) { pool { budget { daily monthly } } } }"""
SET_LIMIT = """mutation ($id: ID!, $input: RateLimitInput!) {
  setGroupPoolRateLimit(groupId: $id, input: $input) { pool { rateLimit { requestsPerMinute } } } }"""
EFFECTIVE = """query ($id: ID!) { effectivePolicy(userId: $id) { pools {
  source { kind name } limits { dimension limit used } budgets { window cap spent } } } }"""


async def test_a_pool_holds_for_the_very_next_call_and_is_shown_with_its_use(office: Office) -> None:
    team = await office.group("Contractors", "ada")
    bob = await office.hire("bob", team)
    assert (await office.call()).status_code == (await office.call(bob)).status_code == 200
    before = (await office.ask(POOL, id=team))["group"]["pool"]
    assert before["rateLimit"] == {"requestsPerMinute": None}
    assert before["limits"][0] == {"dimension": "REQUESTS", "limit": None, "used": 2}

    await office.ask(SET_LIMIT, id=team, input={"requestsPerMinute": 2})
    for credential in (None, bob):
        refused = await (office.call(credential) if credential else office.call())
        assert refused.status_code == 429
        error = refused.json()["error"]
        assert "2 requests per minute, set by group Contractors (shared by all members)" in error["message"]
        assert error["details"]["source"] == {"kind": "pool", "name": "Contractors"}
    (pool,) = (await office.ask(EFFECTIVE, office.ada, id="ada"))["effectivePolicy"]["pools"]
    assert pool["source"] == {"kind": "POOL", "name": "Contractors"}
    assert pool["limits"][0] == {"dimension": "REQUESTS", "limit": 2, "used": 2}

    explained = await office.ask('query { explain(userId: "bob", model: "team-gpt") { status message retryAt } }')
    assert explained["explain"]["status"] == 429
    assert "shared by all members" in explained["explain"]["message"]
    assert explained["explain"]["retryAt"]

    await office.ask(SET_LIMIT, id=team, input={})
    assert (await office.call(bob)).status_code == 200
    assert (await office.ask(EFFECTIVE, office.ada, id="ada"))["effectivePolicy"]["pools"] == []


async def test_a_pooled_cap_counts_what_members_spent_before_it_was_set(office: Office) -> None:
    team = await office.group("Team", "ada")
    bob = await office.hire("bob", team)
    eve = await office.hire("eve")
    for credential in (bob, eve):
        assert (await office.call(credential)).status_code == 200
    spent = sum(r.cost_nanos for r in await office.bench.ledger() if r.user_id == "bob")
    assert spent > 0
    # A budget as large as what Bob alone has spent.
    await office.ask(SET_BUDGET, id=team, input={"monthly": f"{spent / 10**9:.9f}"})
    office.bench.provider.log.clear()
    refused = await office.call()
    assert (refused.status_code, refused.headers["x-should-retry"]) == (402, "false")
    assert "set by group Team (shared by all members): spent" in refused.json()["error"]["message"]
    assert office.bench.provider.log == []
    assert (await office.call(eve)).status_code == 200


async def test_two_hundred_calls_of_ten_members_never_pass_a_pooled_cap(office: Office) -> None:
    team = await office.group("Team")
    keys = [await office.hire(f"m{n}", team) for n in range(10)]
    # No more than is estimated, so that not even the last call goes beyond the cap.
    cost = 20 * 3_000 + 17 * 15_000
    answer = whole(completion(usage={"prompt_tokens": 20, "completion_tokens": 17}))
    office.bench.provider.next(*[answer] * 200)
    await office.ask(SET_BUDGET, id=team, input={"daily": f"{20 * cost / 10**9:.9f}"})

    answers = await asyncio.gather(*(office.call(keys[n % 10], max_tokens=17) for n in range(200)))
    served = Counter(answer.status_code for answer in answers)[200]
    records = await office.bench.ledger()
    use = await office.bench.container.admission.use_of(Subject(SubjectKind.POOL, team))
    assert use.spent[Window.DAY] == sum(r.cost_nanos for r in records) <= 20 * cost
    assert served == len(records) == len(office.bench.provider.log)
    assert 18 <= served <= 20
    assert set(use.reserved.values()) == {0}


async def test_a_restart_forgets_nothing_of_a_pool(office: Office, bench: Bench, tmp_path: Path) -> None:
    team, ops = await office.group("Team", "ada"), await office.group("Ops", "ada")
    bob = await office.hire("bob", team)
    for credential in (None, bob, bob):
        assert (await (office.call(credential) if credential else office.call())).status_code == 200
    await office.ask(SET_LIMIT, id=team, input={"requestsPerMinute": 50})
    expected = await bench.container.admission.use_of(Subject(SubjectKind.POOL, team))
    records = await bench.ledger()
    heir = server_at(tmp_path)
    await heir.start()
    try:
        found = await heir.admission.use_of(Subject(SubjectKind.POOL, team))
        assert (found.used, found.spent, found.reserved) == (expected.used, expected.spent, expected.reserved)
        own = (await heir.admission.use_of(Subject(SubjectKind.POOL, ops))).spent[Window.MONTH]
        assert own == sum(r.cost_nanos for r in records if r.user_id == "ada")
        assert expected.spent[Window.MONTH] == sum(r.cost_nanos for r in records)
    finally:
        await heir.stop()


async def test_a_pool_goes_with_its_group_and_is_not_for_members_to_set(office: Office) -> None:
    team = await office.group("Team", "ada")
    assert (await office.error(SET_LIMIT, office.ada, id=team, input={}))["code"] == "forbidden"
    refused = await office.error(SET_LIMIT, id=team, input={"requestsPerMinute": -1})
    assert (refused["code"], refused["field"]) == ("invalid_input", "requestsPerMinute")
    assert (await office.error(SET_BUDGET, id="ghost", input={}))["code"] == "not_found"
    await office.ask(SET_LIMIT, id=team, input={"requestsPerMinute": 0})
    assert (await office.call()).status_code == 429
    await office.bench.container.services.groups.delete(office.admin, team)
    assert (await office.call()).status_code == 200
    async with office.bench.container.store.read() as tx:
        assert await tx.policy.rate_limits([Subject(SubjectKind.POOL, team)]) == {}
