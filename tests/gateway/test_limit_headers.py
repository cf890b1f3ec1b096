"""What is left of a caller's own limits stands on every answer, in the style of its dialect."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from fakes.wire import completion, message, whole
from gateway.bench import CHAT, EMBEDDINGS, GENERATE, MESSAGES, Bench, chat, contents, embeddings, messages
from sluicegate.domain.catalog import Dialect
from sluicegate.domain.policy import Window
from sluicegate.gateway.asgi import headers_of
from sluicegate.gateway.dialects.limits import limit_lines
from sluicegate.kit.money import Nanos
from sluicegate.ports.policy import CapRoom, RateRoom, Room

UNIFIED = "anthropic-ratelimit-unified-"


def limits_in(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if "ratelimit" in name}


@pytest.mark.parametrize(
    ("path", "body"), [(CHAT, chat()), (CHAT, chat(stream=True)), (EMBEDDINGS, embeddings()), (GENERATE, contents())]
)
async def test_openai_style(bench: Bench, path: str, body: dict[str, Any]) -> None:
    await bench.set_limits(requests=5, input_tokens=1_000, output_tokens=5_000_000)
    found = limits_in(await bench.client.post(path, json=body))
    assert {name: found.pop(f"x-ratelimit-{name}") for name in ("limit-requests", "remaining-requests")} == {
        "limit-requests": "5",
        "remaining-requests": "4",
    }
    # Of both kinds of tokens the one of which less is left, in proportion.
    assert found.pop("x-ratelimit-limit-tokens") == "1000"
    assert 900 < int(found.pop("x-ratelimit-remaining-tokens")) < 1_000
    for kind in ("requests", "tokens"):
        reset = found.pop(f"x-ratelimit-reset-{kind}")
        assert reset.startswith(("1m", "59.", "60"))
        assert reset.endswith("s")
    assert found == {}


@pytest.mark.parametrize("stream", [True, False])
async def test_anthropic_style(bench: Bench, stream: bool) -> None:
    await bench.set_limits(requests=5, input_tokens=1_000, output_tokens=5_000)
    found = limits_in(await bench.client.post(MESSAGES, json=messages(stream=stream)))
    for kind, limit in (("requests", 5), ("input-tokens", 1_000), ("output-tokens", 5_000)):
        assert found.pop(f"anthropic-ratelimit-{kind}-limit") == str(limit)
        assert 0 < int(found.pop(f"anthropic-ratelimit-{kind}-remaining")) < limit
        reset = datetime.fromisoformat(found.pop(f"anthropic-ratelimit-{kind}-reset"))
        assert timedelta(seconds=55) < reset - datetime.now(UTC) < timedelta(seconds=63)
    assert found == {}


async def test_a_whole_answer_tells_what_the_call_really_used(bench: Bench) -> None:
    await bench.set_limits(input_tokens=1_000, output_tokens=5_000)
    bench.provider.next(whole(message()))
    found = limits_in(await bench.client.post(MESSAGES, json=messages()))
    # 11 fresh and 7 written, 17 out; what is read from a cache does not count.
    assert found["anthropic-ratelimit-input-tokens-remaining"] == "982"
    assert found["anthropic-ratelimit-output-tokens-remaining"] == "4983"


async def test_a_provider_has_no_say_in_them(bench: Bench) -> None:
    theirs = {"x-ratelimit-remaining-requests": "999", "anthropic-ratelimit-unified-status": "rejected"}
    await bench.set_limits(requests=5)
    bench.provider.next(whole(completion(), **theirs), whole({"error": {"message": "busy"}}, 429, **theirs))
    for status, remaining in ((200, "4"), (429, "3")):
        answer = await bench.client.post(CHAT, json=chat())
        assert answer.status_code == status
        assert limits_in(answer)["x-ratelimit-remaining-requests"] == remaining
        assert not any(name.startswith(UNIFIED) for name in limits_in(answer))


async def test_nobody_without_limits_is_told_of_any(bench: Bench) -> None:
    for path, body in ((CHAT, chat()), (MESSAGES, messages()), (CHAT, chat(model="team-claude"))):
        assert limits_in(await bench.client.post(path, json=body)) == {}


@pytest.mark.parametrize(("path", "body"), [(CHAT, chat()), (MESSAGES, messages()), (GENERATE, contents())])
async def test_a_refusal_tells_of_all_limits_and_not_only_of_its_own(
    bench: Bench, path: str, body: dict[str, Any]
) -> None:
    await bench.set_limits(requests=0, input_tokens=700)
    refused = await bench.client.post(path, json=body)
    assert refused.status_code == 429
    found = limits_in(refused)
    if path == MESSAGES:
        assert found["anthropic-ratelimit-requests-remaining"] == "0"
        assert found["anthropic-ratelimit-input-tokens-remaining"] == "700"
    else:
        assert found["x-ratelimit-remaining-requests"] == "0"
        assert found["x-ratelimit-remaining-tokens"] == "700"
    await bench.assert_untouched()


# Caps


async def test_the_tightest_cap_is_told_to_anthropic_clients(bench: Bench) -> None:
    # 348,750 nano-dollars a call.
    await bench.set_budget(day=Nanos(1_000_000), month=Nanos(10_000_000))
    now = datetime.now(UTC)
    midnight = str(int((now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)).timestamp()))
    seen: list[tuple[str, str]] = []
    for _ in range(3):
        bench.provider.next(whole(message()))
        found = limits_in(await bench.client.post(MESSAGES, json=messages(max_tokens=1)))
        assert found[f"{UNIFIED}reset"] == found[f"{UNIFIED}overage-reset"] == midnight
        assert found[f"{UNIFIED}representative-claim"] == "overage"
        assert found[f"{UNIFIED}status"] == found[f"{UNIFIED}overage-status"]
        seen.append((found[f"{UNIFIED}status"], found[f"{UNIFIED}overage-utilization"]))
    assert seen == [("allowed", "0.34"), ("allowed", "0.69"), ("rejected", "1.04")]
    refused = await bench.client.post(MESSAGES, json=messages(max_tokens=1))
    assert (refused.status_code, refused.headers["x-should-retry"]) == (402, "false")
    assert limits_in(refused)[f"{UNIFIED}status"] == "rejected"
    assert limits_in(await bench.client.post(CHAT, json=chat(max_tokens=1))) == {}


@pytest.mark.parametrize(
    ("cap", "spent", "status", "used", "passed"),
    [
        (1_000, 0, "allowed", "0.00", None),
        (1_000, 749, "allowed", "0.74", None),
        (1_000, 750, "allowed_warning", "0.75", "0.75"),
        (1_000, 951, "allowed_warning", "0.95", "0.95"),
        (100_000, 99_999, "allowed_warning", "0.99", "0.95"),
        (1_000, 1_000, "rejected", "1.00", "1.0"),
        (0, 0, "rejected", "1.00", "1.0"),
    ],
)
def test_warnings_come_at_three_quarters_and_just_before_the_end(
    cap: int, spent: int, status: str, used: str, passed: str | None
) -> None:
    room = Room(None, None, None, CapRoom(Window.DAY, cap, spent, datetime(2026, 11, 25, tzinfo=UTC)))
    lines = limit_lines(room, Dialect.ANTHROPIC, 0.0)
    found = {name.decode(): value.decode() for name, value in headers_of(lines)}
    assert found[f"{UNIFIED}status"] == status
    assert found[f"{UNIFIED}overage-utilization"] == used
    assert found.get(f"{UNIFIED}overage-surpassed-threshold") == passed


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0ms"), (0.2504, "250ms"), (1.0, "1s"), (59.5, "59.5s"), (60.5, "1m0.5s")]
)
def test_durations_are_written_as_openai_writes_them(seconds: float, text: str) -> None:
    room = Room(RateRoom(9, 1, seconds), None, None, None)
    assert headers_of(limit_lines(room, Dialect.OPENAI, 0.0))[2] == (b"x-ratelimit-reset-requests", text.encode())


# Races


async def test_calls_that_come_together_see_each_other(bench: Bench) -> None:
    await bench.set_limits(requests=12)
    answers = await asyncio.gather(*(bench.client.post(CHAT, json=chat()) for _ in range(20)))
    remaining = [int(limits_in(a)["x-ratelimit-remaining-requests"]) for a in answers if a.status_code == 200]
    assert len(remaining) == 12
    assert min(remaining) == 0
    # A call knows itself and all that were let in before its answer began: never fewer than its own place in the row.
    assert all(left <= 12 - place for place, left in enumerate(sorted(remaining, reverse=True), 1))
    refused = [limits_in(a)["x-ratelimit-remaining-requests"] for a in answers if a.status_code == 429]
    assert refused == ["0"] * 8
