"""What Prometheus scrapes of a server, beside its ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.samples import parsed
from fakes.script import Step
from gateway.bench import CHAT, Bench, chat
from gateway.office import Office
from sluicegate.gateway.breaker import FAILURES
from sluicegate.kit.errors import Forbidden
from sluicegate.services.usage import RefusalCount, UsageQuery


def labels(**values: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(values.items()))


async def test_samples_say_what_the_ledger_says(bench: Bench, office: Office) -> None:
    for _ in range(3):
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    await bench.set_limits(requests=3)
    for _ in range(2):
        assert (await bench.client.post(CHAT, json=chat())).status_code == 429
    assert (await bench.client.post(CHAT, json=chat(model="nobody-has-it"))).status_code == 404
    calls = await bench.ledger()
    assert len(calls) == 3
    found = parsed(await bench.container.samples(office.admin))
    of = {"model": "team-gpt", "provider": calls[0].provider_name, "provider_model": calls[0].provider_model}
    assert found["sluicegate_calls_total", labels(**of, endpoint=calls[0].endpoint, outcome="ok")] == 3
    assert found["sluicegate_cost_usd_total", labels(**of)] == sum(call.cost_nanos for call in calls) / 1e9
    output = labels(**of, **{"class": "output"})
    assert found["sluicegate_tokens_total", output] == sum(call.output_tokens for call in calls)
    refusals = {key[1][0][1]: value for key, value in found.items() if key[0] == "sluicegate_refusals_total"}
    assert refusals == {"rate_limit_exceeded": 2, "model_not_found": 1}
    assert [found[f"sluicegate_{name}", ()] for name in ("calls_in_flight", "journal_waiting_calls")] == [0, 0]
    assert [found[f"sluicegate_{name}", ()] for name in ("journal_accepting", "database_up")] == [1, 1]


async def test_every_refused_call_is_counted_for_everybody_and_for_whoever_it_was_of(
    bench: Bench, office: Office
) -> None:
    """Also one that a task carries, since its body is long."""
    await bench.set_limits(requests=0)
    long = chat(messages=[{"role": "user", "content": "x" * 120_000}])
    for body in (chat(), long, chat(), long):
        assert (await bench.client.post(CHAT, json=body)).status_code == 429
    assert (await bench.client.post(CHAT, json=chat(model="nobody-has-it"))).status_code == 404
    unknown = {"authorization": "Bearer sg_nobody"}
    assert (await bench.client.post(CHAT, json=chat(), headers=unknown)).status_code == 401
    assert (await bench.client.get("/v1/nothing")).status_code == 404
    await bench.container.refused_calls.settle()
    today, usage = bench.container.clock.now().date(), bench.container.services.usage
    span = UsageQuery(today - timedelta(days=1), today + timedelta(days=1))
    known = [RefusalCount("rate_limit_exceeded", 4), RefusalCount("model_not_found", 1)]
    assert await usage.refusals(office.ada, span) == known
    of_everyone = await usage.refusals(office.admin, replace(span, everyone=True))
    assert of_everyone == [known[0], RefusalCount("invalid_api_key", 1), known[1]]


async def test_a_backend_that_fails_shows(bench: Bench, office: Office) -> None:
    bench.provider.next(Step(status=503, times=FAILURES))
    for _ in range(FAILURES):
        assert (await bench.client.post(CHAT, json=chat())).status_code >= 500
    found = parsed(await bench.container.samples(office.admin))
    resting = {key[1]: value for key, value in found.items() if key[0] == "sluicegate_backend_resting" and value}
    failures = {
        key[1]: value for key, value in found.items() if key[0] == "sluicegate_backend_failures_total" and value
    }
    assert len(resting) == 1
    assert sum(failures.values()) >= 3


async def test_members_see_no_samples(bench: Bench, office: Office) -> None:
    with pytest.raises(Forbidden):
        await bench.container.samples(office.ada)
