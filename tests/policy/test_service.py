"""The policy service over given rows: who is let in, what is refused, and that no stale policy ever decides."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from policy.bench import ADA, CREDENTIAL, NOW, TEAM, Bench
from sluicegate.adapters.memory.uses import MemoryLease
from sluicegate.domain.apikey import new_credential
from sluicegate.domain.policy import Budget, ChangeKind, Dimension, PolicyChange, RateLimits, Window
from sluicegate.domain.usage import Prices, TokenUsage
from sluicegate.domain.user import UserStatus
from sluicegate.kit.errors import NotFound
from sluicegate.kit.money import Nanos
from sluicegate.policy.refusals import Refusal
from sluicegate.ports.policy import Ask, CatalogRows, Denial, UserRows


async def test_a_granted_call_is_admitted_and_costs_what_it_used(bench: Bench) -> None:
    await bench.call()
    use = await bench.admission.use_of(ADA)
    assert use.spent[Window.DAY] == 140_000


async def test_a_key_that_expires_while_a_call_waits_for_its_verdict_lets_nobody_in(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.rows.api_key = replace(bench.rows.api_key, expires_at=NOW + timedelta(seconds=1))
    admit = bench.admission.admit

    async def slowly(ask: Ask) -> MemoryLease | Denial:
        verdict = await admit(ask)
        bench.clock.advance(1)
        return verdict

    monkeypatch.setattr(bench.admission, "admit", slowly)
    assert (await bench.refusal()).code == "key_expired"
    use = await bench.admission.use_of(ADA)
    assert (use.used[Dimension.REQUESTS], use.used[Dimension.CONCURRENT_REQUESTS]) == (0, 0)


async def test_a_key_is_verified_once_and_then_known(bench: Bench) -> None:
    for _ in range(5):
        await bench.call()
    assert bench.rows.key_reads == 1


async def test_a_flood_of_one_wrong_key_costs_one_look_up(bench: Bench) -> None:
    wrong = new_credential().text
    for _ in range(5):
        assert (await bench.refusal(credential=wrong)).code == "invalid_api_key"
    assert bench.rows.key_reads == 1


async def test_many_wrong_keys_from_one_address_are_slowed_without_look_ups(bench: Bench) -> None:
    for _ in range(40):
        await bench.refusal(credential=new_credential().text)
    assert bench.rows.key_reads == 30
    bench.clock.advance(61)
    await bench.call()


async def test_a_typo_is_refused_before_any_look_up(bench: Bench) -> None:
    typo = CREDENTIAL.text[:-1] + ("a" if CREDENTIAL.text[-1] != "a" else "b")
    assert (await bench.refusal(credential=typo)).code == "invalid_api_key"
    assert bench.rows.key_reads == 0


async def test_revocation_and_suspension_and_deletion_bite_at_once(bench: Bench) -> None:
    await bench.call()
    bench.rows.set_user(status=UserStatus.SUSPENDED)
    await bench.policy.apply([PolicyChange(ChangeKind.USER, "ada")])
    assert (await bench.refusal()).code == "user_suspended"
    bench.rows.set_user(status=UserStatus.ACTIVE)
    await bench.policy.apply([PolicyChange(ChangeKind.USER, "ada")])
    await bench.call()
    assert bench.rows.api_key
    bench.rows.api_key = replace(bench.rows.api_key, revoked_at=NOW)
    await bench.policy.apply([PolicyChange(ChangeKind.KEY, "k1")])
    assert (await bench.refusal()).code == "key_revoked"
    bench.rows.user_rows = bench.rows.api_key = None
    await bench.policy.apply([PolicyChange(ChangeKind.USER, "ada")])
    assert (await bench.refusal()).code == "invalid_api_key"


async def test_a_key_expires_without_any_change(bench: Bench) -> None:
    assert bench.rows.api_key
    bench.rows.api_key = replace(bench.rows.api_key, expires_at=NOW + timedelta(minutes=1))
    await bench.call()
    bench.clock.advance(61)
    refusal = await bench.refusal()
    assert (refusal.code, refusal.status) == ("key_expired", 401)


async def test_unknown_and_ungranted_models_are_told_apart(bench: Bench) -> None:
    assert (await bench.refusal("nope")).code == "model_not_found"
    assert bench.rows.user_rows
    bench.rows.user_rows = replace(bench.rows.user_rows, grants=[])
    await bench.policy.apply([PolicyChange(ChangeKind.GROUP, "team")])
    refusal = await bench.refusal()
    assert (refusal.code, refusal.status) == ("model_not_granted", 403)
    assert set((await bench.admission.use_of(ADA)).used.values()) == {0}


async def test_refusals_name_who_set_the_value(bench: Bench) -> None:
    assert bench.rows.user_rows
    bench.rows.user_rows = replace(bench.rows.user_rows, limits={TEAM: RateLimits(requests=1)})
    await bench.call()
    refusal = await bench.refusal()
    assert refusal.status == 429
    assert refusal.retry_after == 61
    assert "1 requests per minute, set by group Team" in refusal.message
    bench.rows.user_rows = replace(bench.rows.user_rows, limits={}, budgets={ADA: Budget(month=Nanos(100_000))})
    await bench.policy.apply([PolicyChange(ChangeKind.USER, "ada")])
    refusal = await bench.refusal()
    assert (refusal.code, refusal.status) == ("budget_exceeded", 402)
    assert "Monthly budget of $0.0001 reached" in refusal.message
    assert "Resets 2026-12-01 00:00 UTC" in refusal.message


async def test_explain_says_what_admission_says(bench: Bench) -> None:
    allowed = await bench.policy.explain("ada", "fast")
    assert allowed.allowed
    assert [c.name for c in allowed.checks][-1] == "backend"
    assert bench.rows.user_rows
    bench.rows.user_rows = replace(bench.rows.user_rows, limits={TEAM: RateLimits(requests=0)})
    await bench.policy.apply([PolicyChange(ChangeKind.GROUP, "team")])
    denied, refusal = await bench.policy.explain("ada", "fast"), await bench.refusal()
    assert (denied.status, denied.code, denied.message) == (refusal.status, refusal.code, refusal.message)
    assert denied.checks[-1].passed is False
    with pytest.raises(NotFound):
        await bench.policy.explain("nobody", "fast")


async def test_a_model_without_a_price_is_not_served(bench: Bench) -> None:
    rows = bench.rows.catalog_rows
    unpriced = rows.provider_models["pm1"].costing(Prices(input=5), list_id="pl2")
    bench.rows.catalog_rows = replace(rows, provider_models={"pm1": unpriced})
    await bench.policy.apply([PolicyChange(ChangeKind.CATALOG)])
    principal = await bench.policy.authenticate(CREDENTIAL.text, "10.0.0.1")
    assert bench.policy.models_of(principal) == []
    assert (await bench.policy.check_access(principal, "fast")).routes == ()


async def test_prices_change_on_time_without_a_word_from_the_database(bench: Bench) -> None:
    rows = bench.rows.catalog_rows
    offer = rows.provider_models["pm1"]
    (first,) = offer.price_lists
    starts = [bench.clock.now() + timedelta(seconds=seconds) for seconds in (10, 20)]
    dearer = replace(first, id="pl2", starts_at=starts[0], prices=Prices(input=9_000_000_000, output=9_000_000_000))
    gift = replace(first, id="pl3", starts_at=starts[1], free=True)
    lists = (first, dearer, gift)
    bench.rows.catalog_rows = replace(rows, provider_models={"pm1": replace(offer, price_lists=lists)})
    await bench.policy.apply([PolicyChange(ChangeKind.CATALOG)])

    async def gone(_at: object) -> CatalogRows:
        raise AssertionError("nobody is to ask")

    bench.rows.catalog = gone  # type: ignore[method-assign, assignment]
    seen: list[tuple[str, int]] = []
    for seconds in (0, 9, 1, 10, 100):
        bench.clock.advance(seconds)
        admitted = await bench.policy.admit(CREDENTIAL.text, "10.0.0.1", "fast", 1_000, 1_000)
        seen.append((admitted.model.routes[0].price_list_id, admitted.cost_estimate))
        bench.policy.cancel(admitted)
    assert seen == [("pl1", 3_000_000), ("pl1", 3_000_000), ("pl2", 18_000_000), ("pl3", 0), ("pl3", 0)]


async def test_a_catalogue_is_priced_anew_only_when_a_price_starts(bench: Bench) -> None:
    rows = bench.rows.catalog_rows
    offer = rows.provider_models["pm1"]
    coming = replace(offer.price_lists[0], id="pl2", starts_at=bench.clock.now() + timedelta(seconds=10))
    bench.rows.catalog_rows = replace(
        rows, provider_models={"pm1": replace(offer, price_lists=(*offer.price_lists, coming))}
    )
    await bench.policy.apply([PolicyChange(ChangeKind.CATALOG)])
    made: list[object] = []
    for seconds in (0, 9, 1, 0, 10):
        bench.clock.advance(seconds)
        await bench.call()
        made.append(bench.policy.catalog)
    assert [a is b for a, b in pairwise(made)] == [True, False, True, True]


async def test_who_is_looked_at_together_is_compiled_together_and_never_from_old_rows(bench: Bench) -> None:
    bench.rows.add_colleague("eve")
    read, reads = bench.rows.users, list[list[str]]()

    async def users(ids: Sequence[str]) -> dict[str, UserRows]:
        reads.append(list(ids))
        rows = await read(ids)
        if len(reads) == 1:
            bench.rows.set_policy(limits={TEAM: RateLimits(requests=7)})
            await bench.policy.apply([PolicyChange(ChangeKind.USER, "eve")])
        return rows

    bench.rows.users = users  # type: ignore[method-assign]
    found = await bench.policy.effective(["ada", "eve", "ghost"])
    limits = {user_id: policy.limits[Dimension.REQUESTS].value for user_id, (policy, _) in found.items()}
    assert limits == {"ada": 1000, "eve": 7}
    assert reads == [["ada", "eve", "ghost"], ["eve"], ["ghost"]]


async def test_no_call_is_decided_by_a_policy_older_than_the_answer_to_a_change(bench: Bench) -> None:
    """64 callers hammer while the grant is given and taken; after `apply` returned, what was taken must be refused."""
    rows = bench.rows.user_rows
    assert rows
    state = {"granted": True, "settled": True, "turn": -1}
    wrong: list[str] = []
    stop = False

    async def caller() -> None:
        while not stop:
            before = dict(state)
            try:
                admitted = await bench.policy.admit(CREDENTIAL.text, "10.0.0.1", "fast", 1, 1)
                bench.policy.cancel(admitted)
                outcome = True
            except Refusal as refusal:
                outcome = False
                if refusal.code != "model_not_granted":
                    wrong.append(refusal.code)
            if before == state and before["settled"] and outcome is not before["granted"]:
                wrong.append(f"granted={before['granted']} but admitted={outcome}")
            await asyncio.sleep(0)

    callers = [asyncio.create_task(caller()) for _ in range(64)]
    for turn in range(200):
        granted = turn % 2 == 1
        state["settled"] = False
        bench.rows.user_rows = rows if granted else replace(rows, grants=[])
        await bench.policy.apply([PolicyChange(ChangeKind.GROUP, "team")])
        state.update(granted=granted, settled=True, turn=turn)
        await asyncio.sleep(0.001)
    stop = True
    await asyncio.gather(*callers)
    assert wrong == []


async def test_one_step_decides_what_is_known_and_leaves_the_rest_to_those_who_can_wait(bench: Bench) -> None:
    assert bench.policy.known(CREDENTIAL.text) is None
    await bench.call()
    principal = bench.policy.known(CREDENTIAL.text)
    assert principal is not None
    admitted = bench.policy.admit_now(principal, "fast", 100, 50)
    assert admitted is not None
    bench.policy.settle(admitted, TokenUsage(input=100, output=20), Nanos(140_000))
    assert (await bench.admission.use_of(ADA)).spent[Window.DAY] == 280_000
    bench.rows.set_policy(limits={TEAM: RateLimits(requests=0)})
    await bench.policy.apply([PolicyChange(ChangeKind.USER, "ada")])
    assert bench.policy.admit_now(principal, "fast", 100, 50) is None
    assert (await bench.refusal()).code == "rate_limit_exceeded"
    changed = bench.policy.known(CREDENTIAL.text)
    assert changed is not None
    with pytest.raises(Refusal, match="the limit is 0 requests per minute"):
        bench.policy.admit_now(changed, "fast", 100, 50)


async def test_a_key_that_was_forgotten_to_make_room_is_valid_nowhere(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluicegate.policy.known._MAX_CACHED", 1)
    await bench.call()
    held = bench.policy.known(CREDENTIAL.text)
    assert held is not None
    assert held.valid
    await bench.call(credential=bench.rows.add_colleague("bob"))
    assert not held.valid
    assert bench.policy.admit_now(held, "fast", 100, 50) is None
