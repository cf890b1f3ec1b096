"""Providers that are down, slow, overloaded or wrong, and the next one that helps out."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fakes.provider import Answer, Provider
from fakes.wire import breaks, completion, events, text_chunk, whole
from gateway.bench import CHAT, MESSAGES, Bench, chat, messages
from gateway.office import Office
from sluicegate.domain.policy import Dimension


@pytest.fixture
async def second(bench: Bench) -> AsyncIterator[Provider]:
    """A second backend of `team-gpt`, after the first in priority."""
    async with Provider() as provider:
        await bench.add_backend("team-gpt", "second", provider.port)
        yield provider


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("first", [breaks, whole({}, 429), whole({}, 500), whole({}, 529)])
async def test_the_next_backend_answers_for_one_that_cannot(bench: Bench, second: Provider, first: Answer) -> None:
    bench.provider.next(first, first)
    second.next(whole(completion()))
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, answer.json()) == (200, completion())
    assert second.log[0].json["model"] == "second-model"
    assert second.log[0].header("authorization") == "Bearer sk-second"
    record = await bench.only_call()
    assert (record.provider_name, record.provider_model, record.outcome) == ("second", "second-model", "ok")
    assert await bench.used(Dimension.REQUESTS) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 422])
async def test_an_answer_about_the_request_itself_is_final(bench: Bench, second: Provider, status: int) -> None:
    bench.provider.next(whole({"error": {"message": "no"}}, status))
    assert (await bench.client.post(CHAT, json=chat())).status_code == status
    assert second.log == []


async def test_nothing_is_tried_again_once_an_answer_has_begun(bench: Bench, second: Provider) -> None:
    bench.provider.next(events(text_chunk("hello"), pause=0.02, ends=False))
    await bench.client.post(CHAT, json=chat(stream=True))
    assert second.log == []


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 529])
async def test_the_last_error_passes_byte_for_byte(bench: Bench, status: int) -> None:
    body = b'{"type":"error",  "error":{"type":"x","message":"as the provider says"}}'
    bench.provider.next(whole(body, status, **{"retry-after": "7", "request-id": "up"}))
    answer = await bench.client.post(MESSAGES, json=messages())
    assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (status, body, "7")
    assert answer.headers["request-id"] == answer.headers["x-request-id"] != "up"
    record = await bench.only_call()
    assert (record.outcome, record.status, record.cost_nanos) == ("upstream_error", status, 0)
    assert await bench.used(Dimension.REQUESTS) == 1
    assert await bench.used(Dimension.INPUT_TOKENS) == 0
    assert await bench.used(Dimension.OUTPUT_TOKENS) == 0


@pytest.mark.parametrize(("path", "body"), [(CHAT, chat()), (MESSAGES, messages(model="team-gpt"))])
@pytest.mark.parametrize("coded", [False, True])
async def test_a_credential_that_an_error_repeats_stays_here(
    bench: Bench, path: str, body: dict[str, Any], *, coded: bool
) -> None:
    said = b'{"error": {"message": "Incorrect API key provided: sk-acme.", "type": "x", "code": "invalid_api_key"}}'
    coding = {"content-encoding": "gzip"} if coded else {}
    bench.provider.next(whole(gzip.compress(said) if coded else said, 401, **coding))
    answer = await bench.client.post(path, json=body)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "Incorrect API key provided: ***."
    assert "sk-acme" not in answer.text


async def test_a_token_count_repeats_no_credential_either(bench: Bench) -> None:
    said = {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key sk-zeta"}}
    bench.provider.next(whole(said, 401))
    answer = await bench.client.post(f"{MESSAGES}/count_tokens", json=messages())
    assert (answer.status_code, answer.json()["error"]["message"]) == (401, "invalid x-api-key ***")


async def test_what_is_no_data_makes_no_page(bench: Bench) -> None:
    page, headers = b"<script>alert(1)</script>", {"access-control-allow-origin": "*", "content-security-policy": ""}
    for kind in ("text/html", "image/svg+xml", "application/json"):
        bench.provider.next(whole(page, 404, **{"content-type": kind}, **headers))
        answer = await bench.client.post(CHAT, json=chat())
        assert (answer.status_code, answer.content) == (404, page)
        assert "access-control-allow-origin" not in answer.headers
        told = (answer.headers.get("x-content-type-options"), answer.headers.get("content-security-policy"))
        plain = kind == "application/json"
        assert told == ((None, None) if plain else ("nosniff", "default-src 'none'; sandbox"))


async def test_a_provider_that_is_not_there_takes_no_quota(bench: Bench) -> None:
    await bench.set_limits(requests=1)
    await bench.move_providers(unused_port())
    for _ in range(2):
        answer = await bench.client.post(CHAT, json=chat())
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
        answer = await bench.client.post(f"{MESSAGES}/count_tokens", json=messages())
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unavailable")
    await bench.assert_untouched()


async def test_a_provider_that_breaks_off_unanswered_leaves_a_line_without_cost(bench: Bench) -> None:
    bench.provider.next(breaks, breaks)
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "server_error")
    record = await bench.only_call()
    assert (record.outcome, record.status, record.cost_nanos, record.output_tokens) == ("unreachable", 502, 0, 0)
    assert await bench.used(Dimension.INPUT_TOKENS) == 0


async def test_a_model_without_a_backend_says_so(bench: Bench) -> None:
    await bench.disable_providers()
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upstream_unavailable")
    await bench.assert_untouched()


async def test_a_backend_that_does_not_answer_rests_and_is_probed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluicegate.gateway.breaker.FIRST_REST_SECONDS", 0.5)
    bench.provider.next(*[breaks] * 5)
    for _ in range(5):
        assert (await bench.client.post(CHAT, json=chat())).status_code == 502
    assert len(bench.provider.log) == 5
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["error"]["code"] == "upstream_unavailable"
    assert len(bench.provider.log) == 5
    await asyncio.sleep(0.6)
    answers = await asyncio.gather(*(bench.client.post(CHAT, json=chat()) for _ in range(8)))
    # Those that came while the probe was out were refused, without a line in the ledger.
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    reached = 6 + sum(answer.status_code == 200 for answer in answers)
    assert len(await bench.ledger()) == reached
    await bench.assert_settled()


async def test_calls_go_past_a_backend_that_asked_for_time(bench: Bench, second: Provider) -> None:
    bench.provider.next(whole({}, 429, **{"retry-after": "30"}))
    for _ in range(3):
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    assert (len(bench.provider.log), len(second.log)) == (1, 3)
    # It is still asked when nobody else answers.
    second.next(whole({}, 500))
    assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    assert (len(bench.provider.log), len(second.log)) == (2, 4)


@pytest.mark.parametrize("asked", [{"retry-after": "0"}, {"retry-after-ms": "40", "retry-after": "60"}])
async def test_a_short_wait_that_a_backend_asks_for_is_waited_for_here(bench: Bench, asked: dict[str, str]) -> None:
    bench.provider.next(whole({}, 429, **asked))
    answer = await bench.client.post(CHAT, json=chat())
    assert answer.status_code == 200
    assert len(bench.provider.log) == 2
    assert (await bench.only_call()).outcome == "ok"
    assert await bench.used(Dimension.REQUESTS) == 1


async def test_a_short_wait_is_waited_for_once(bench: Bench) -> None:
    body = b'{"error": {"message": "slow down"}}'
    bench.provider.next(*[whole(body, 429, **{"retry-after": "0"})] * 2)
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, answer.content) == (429, body)
    assert len(bench.provider.log) == 2
    assert (await bench.only_call()).outcome == "upstream_error"


async def test_a_caller_that_leaves_during_the_wait_leaves_nothing_behind(bench: Bench) -> None:
    bench.provider.next(whole({}, 429, **{"retry-after": "2"}))
    calling = asyncio.create_task(bench.client.post(CHAT, json=chat()))
    async with asyncio.timeout(10):
        while not bench.provider.log:  # noqa: ASYNC110 - the provider signals nobody
            await asyncio.sleep(0.01)
        await bench.provider.log[0].ended()
    await asyncio.sleep(0.1)
    calling.cancel()
    await bench.until_settled()
    assert len(bench.provider.log) == 1
    assert (await bench.only_call()).outcome == "aborted"


async def test_a_session_stays_with_one_of_equal_backends(bench: Bench) -> None:
    async with Provider() as equal:
        await bench.add_backend("team-gpt", "equal", equal.port, priority=0)
        homes: set[str] = set()
        for session in range(12):
            marks = [f"{session}.{turn}" for turn in range(3)]
            for mark in marks:
                headers = {"x-session-id": f"session-{session}"}
                answer = await bench.client.post(CHAT, json=chat(user=mark), headers=headers)
                assert answer.status_code == 200
            at = [
                provider for provider in (bench.provider, equal) for call in provider.log if call.json["user"] in marks
            ]
            assert at in ([bench.provider] * 3, [equal] * 3)
            homes.add("first" if at[0] is bench.provider else "equal")
        assert homes == {"first", "equal"}


async def test_the_health_of_backends_tells_what_happened(bench: Bench, office: Office, second: Provider) -> None:
    bench.provider.next(breaks, whole({}, 503, **{"retry-after": "30"}))
    for _ in range(3):
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    asked = "{ backendHealth { providerName serves { slug alone } state answered refused unreached lastFailure } }"
    acme, *others = (await office.ask(asked))["backendHealth"]
    assert acme == {
        "providerName": "acme",
        "serves": [{"slug": "team-gpt", "alone": False}],
        "state": "RESTING",
        "answered": 0,
        "refused": 1,
        "unreached": 1,
        "lastFailure": "status 503",
    }
    by_name = {backend["providerName"]: backend for backend in others}
    assert (by_name["second"]["state"], by_name["second"]["answered"]) == ("HEALTHY", 3)
    # Its only helper gone, it is what stands between the model and an outage.
    assert by_name["second"]["serves"] == [{"slug": "team-gpt", "alone": True}]
    assert {"slug": "team-claude", "alone": True} in by_name["zeta"]["serves"]
