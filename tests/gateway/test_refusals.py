"""Who is refused, in whose words; and that a refusal costs nothing and reaches nobody."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from fakes.wire import completion, never_answers, whole
from gateway.bench import CHAT, CREDENTIAL, MESSAGES, NOW, SUBJECT, Bench, chat, messages, running_bench
from sluicegate.domain.policy import Dimension
from sluicegate.kit.money import Nanos


def openai_error(answer: httpx.Response) -> dict[str, Any]:
    assert set(answer.json()) == {"error"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    error: dict[str, Any] = answer.json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    return error


def anthropic_error(answer: httpx.Response) -> dict[str, Any]:
    body = answer.json()
    assert body["type"] == "error"
    assert body["request_id"] == answer.headers["request-id"] == answer.headers["x-request-id"]
    error: dict[str, Any] = body["error"]
    return error


def bare(bench: Bench) -> httpx.AsyncClient:
    """A client without a key."""
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{bench.port}", timeout=20)


# The right key but for its last letter.
WRONG = CREDENTIAL.text[:-1] + ("x" if CREDENTIAL.text[-1] != "x" else "y")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Basic abc"},
        {"authorization": f"Bearer {WRONG}"},
        {"x-api-key": "sk-" + "a" * 2_000},
        {"x-api-key": "caf\u00e9".encode("latin-1").decode("latin-1")},
        {"x-api-key": CREDENTIAL.text, "authorization": f"Bearer {WRONG}"},
        {"x-api-key": CREDENTIAL.text, "x-goog-api-key": "other"},
    ],
)
async def test_no_key_no_call(bench: Bench, headers: dict[str, str]) -> None:
    async with bare(bench) as client:
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        answers = [
            await client.post(CHAT, json=chat(), headers=raw),
            await client.post(MESSAGES, json=messages(), headers=raw),
            await client.post(f"{MESSAGES}/count_tokens", json=messages(), headers=raw),
            await client.get("/v1/models", headers=raw),
        ]
    assert [a.status_code for a in answers] == [401] * 4
    error = openai_error(answers[0])
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_api_key")
    assert anthropic_error(answers[1])["type"] == "authentication_error"
    assert all(CREDENTIAL.text not in a.text for a in answers)
    await bench.assert_untouched()


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {CREDENTIAL.text}"},
        {"authorization": f"bearer  {CREDENTIAL.text}"},
        {"x-api-key": CREDENTIAL.text},
        {"x-goog-api-key": CREDENTIAL.text},
        {"authorization": f"Bearer {CREDENTIAL.text}", "x-api-key": CREDENTIAL.text},
    ],
)
async def test_every_form_of_the_key_is_taken(bench: Bench, headers: dict[str, str]) -> None:
    async with bare(bench) as client:
        assert (await client.post(CHAT, json=chat(), headers=headers)).status_code == 200
    assert bench.provider.log[0].header("authorization") == "Bearer sk-acme"


async def test_revoked_and_expired_keys_say_so(bench: Bench) -> None:
    revoked = await bench.add_key(revoked_at=NOW)
    expired = await bench.add_key(expires_at=NOW - timedelta(days=1))
    async with bare(bench) as client:
        for credential, code in ((revoked, "key_revoked"), (expired, "key_expired")):
            answer = await client.post(CHAT, json=chat(), headers={"x-api-key": credential.text})
            assert (answer.status_code, openai_error(answer)["code"]) == (401, code)
    await bench.assert_untouched()


@pytest.mark.parametrize(
    ("model", "status", "code", "kind"),
    [
        ("no-such-model", 404, "model_not_found", "not_found_error"),
        ("secret-model", 403, "model_not_granted", "permission_error"),
    ],
)
async def test_models_that_may_not_be_called(bench: Bench, model: str, status: int, code: str, kind: str) -> None:
    answer = await bench.client.post(CHAT, json=chat(model=model))
    assert answer.status_code == status
    assert (openai_error(answer)["code"], openai_error(answer)["param"]) == (code, "model")
    for path in (MESSAGES, f"{MESSAGES}/count_tokens"):
        answer = await bench.client.post(path, json=messages(model=model))
        assert (answer.status_code, anthropic_error(answer)["type"]) == (status, kind)
        assert anthropic_error(answer)["code"] == code
    await bench.assert_untouched()


async def test_a_rate_limit_tells_everything(bench: Bench) -> None:
    await bench.set_limits(requests=1)
    assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    bench.provider.log.clear()
    refused = await bench.client.post(CHAT, json=chat())
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert "x-should-retry" not in refused.headers
    assert refused.headers["x-ratelimit-limit-requests"] == "1"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert refused.headers["x-ratelimit-reset-requests"].endswith("s")
    error = openai_error(refused)
    assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
    assert error["details"] | {"resets_at": None} == {
        "source": {"kind": "user", "name": "Ada"},
        "dimension": "requests",
        "limit": 1,
        "used": 1,
        "resets_at": None,
    }
    refused = await bench.client.post(MESSAGES, json=messages())
    assert anthropic_error(refused)["type"] == "rate_limit_error"
    assert bench.provider.log == []
    assert await bench.used(Dimension.REQUESTS) == 1


async def test_a_token_limit_is_named_as_one(bench: Bench) -> None:
    await bench.set_limits(output_tokens=17)
    assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    refused = await bench.client.post(CHAT, json=chat())
    assert (refused.status_code, openai_error(refused)["type"]) == (429, "tokens")
    assert refused.headers["x-ratelimit-limit-tokens"] == "17"


async def test_a_limit_of_zero_blocks_without_asking_to_come_back(bench: Bench) -> None:
    await bench.set_limits(requests=0)
    refused = await bench.client.post(MESSAGES, json=messages())
    assert (refused.status_code, refused.headers["x-should-retry"]) == (429, "false")
    assert "retry-after" not in refused.headers
    await bench.assert_untouched()


async def test_a_taken_slot_refuses_and_comes_back(bench: Bench) -> None:
    await bench.set_limits(concurrent_requests=1)
    bench.provider.next(never_answers)
    waiting = asyncio.create_task(bench.client.post(CHAT, json=chat()))
    async with asyncio.timeout(5):
        while not bench.provider.log:  # noqa: ASYNC110 - the provider signals nobody
            await asyncio.sleep(0.01)
    refused = await bench.client.post(CHAT, json=chat())
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert openai_error(refused)["details"]["dimension"] == "concurrent_requests"
    waiting.cancel()
    await bench.until_settled()
    assert (await bench.client.post(CHAT, json=chat())).status_code == 200


async def test_a_spent_budget_stops_for_good(bench: Bench) -> None:
    await bench.set_budget(day=Nanos(300_000))
    assert (await bench.client.post(CHAT, json=chat(max_tokens=1))).status_code == 200
    bench.provider.log.clear()
    refused = await bench.client.post(CHAT, json=chat(max_tokens=1))
    assert (refused.status_code, refused.headers["x-should-retry"]) == (402, "false")
    assert "retry-after" not in refused.headers
    error = openai_error(refused)
    assert (error["type"], error["code"]) == ("insufficient_quota", "budget_exceeded")
    assert error["details"]["window"] == "day"
    assert error["details"]["limit_usd"] == "0.0003"
    assert error["details"]["resets_at"].endswith("Z")
    refused = await bench.client.post(MESSAGES, json=messages(max_tokens=1))
    assert anthropic_error(refused)["type"] == "billing_error"
    assert bench.provider.log == []
    assert len(await bench.ledger()) == 1


async def test_the_status_of_a_spent_budget_is_a_setting(tmp_path: Any) -> None:
    async with running_bench(tmp_path, budget_status=429) as bench:
        await bench.set_budget(month=Nanos(0))
        refused = await bench.client.post(CHAT, json=chat())
        assert (refused.status_code, refused.headers["x-should-retry"]) == (429, "false")
        assert openai_error(refused)["type"] == "insufficient_quota"
        await bench.assert_untouched()


async def test_suspension_stops_the_very_next_call(bench: Bench) -> None:
    assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    bench.provider.log.clear()
    await bench.suspend()
    refused = await bench.client.post(CHAT, json=chat())
    assert (refused.status_code, openai_error(refused)["code"]) == (401, "user_suspended")
    assert bench.provider.log == []


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b'"text"', None),
        (b"\xff\xfe", None),
        (b"[" * 500_000, None),
        (b'{"messages": ' + b"[" * 500_000 + b"}", None),
        (b"{}", "model"),
        (b'{"model": null}', "model"),
        (b'{"model": 7}', "model"),
        (b'{"model": ""}', "model"),
        (b'{"model": ["team-gpt"]}', "model"),
    ],
)
async def test_unreadable_bodies_are_refused(bench: Bench, content: bytes, field: str | None) -> None:
    answer = await bench.client.post(CHAT, content=content)
    assert answer.status_code == 400
    error = openai_error(answer)
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "invalid_request", field)
    answer = await bench.client.post(MESSAGES, content=content)
    assert (answer.status_code, anthropic_error(answer)["type"]) == (400, "invalid_request_error")
    await bench.assert_untouched()


async def test_a_disk_that_takes_no_lines_stops_calls(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(bench.container.journal, "open", full)
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, openai_error(answer)["code"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "5"
    await bench.assert_untouched()


async def test_a_policy_that_cannot_decide_lets_nobody_in(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*args: object) -> None:
        raise ConnectionError("the database is away")

    monkeypatch.setattr(bench.container.policy, "admit", away)
    answer = await bench.client.post(MESSAGES, json=messages())
    assert (answer.status_code, anthropic_error(answer)["type"]) == (503, "api_error")
    assert "database" not in answer.text
    await bench.assert_untouched()


async def test_a_fault_of_our_own_is_answered_in_dialect(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("sluicegate.gateway.pipeline.routes_for", broken)
    answer = await bench.client.post(MESSAGES, json=messages())
    assert (answer.status_code, anthropic_error(answer)["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    await bench.assert_untouched()


async def test_budgets_hold_for_calls_that_come_together_and_use_them_up(bench: Bench) -> None:
    """Whoever is refused only because others hold the money comes back as told, until the money is really spent."""
    # Half of the estimate of 20 tokens in and 16 out.
    bench.provider.next(*[whole(completion(usage={"prompt_tokens": 10, "completion_tokens": 8}))] * 60)
    estimate, cost = 20 * 3_000 + 16 * 15_000, 10 * 3_000 + 8 * 15_000
    cap = 10 * estimate
    await bench.set_budget(day=Nanos(cap))
    waits: list[int] = []

    async def caller() -> int:
        while True:
            answer = await bench.client.post(CHAT, json=chat(max_tokens=16))
            if answer.status_code != 429:
                return answer.status_code
            error = openai_error(answer)
            assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
            assert error["details"]["window"] == "day"
            assert "x-should-retry" not in answer.headers
            waits.append(int(answer.headers["retry-after"]))
            await asyncio.sleep(waits[-1])

    outcomes = await asyncio.gather(*(caller() for _ in range(40)))
    assert set(outcomes) == {200, 402}
    assert all(1 <= wait <= 10 for wait in waits)
    records = await bench.ledger()
    assert len(records) == outcomes.count(200) == len(bench.provider.log)
    use = await bench.container.admission.use_of(SUBJECT)
    assert max(use.spent.values()) == sum(r.cost_nanos for r in records) <= cap
    assert cap - max(use.spent.values()) < cost * 2
    await bench.assert_settled()
