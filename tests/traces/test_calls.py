"""Calls as a collector of traces sees them, against what the ledger says."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from fakes.provider import Provider
from fakes.script import Step
from gateway.bench import (
    CHAT,
    CREDENTIAL,
    EMBEDDINGS,
    MESSAGES,
    RESPONSES,
    Bench,
    chat,
    embeddings,
    messages,
    responses,
    running_bench,
)
from gateway.test_direct_streams import noted_streams
from sluicegate.container import Container
from sluicegate.domain.usage import CallRecord
from sluicegate.settings import ConfigurationError, load
from traces.collector import Collector, collecting, plain

_TRACE, _CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
_TRACEPARENT = f"00-{_TRACE}-{_CALLER}-01"
_SERVER, _CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        yield collector


@pytest.fixture
async def bench(tmp_path: Path, collector: Collector) -> AsyncIterator[Bench]:
    async with running_bench(tmp_path, traces=True) as bench:
        yield bench


async def _spans(collector: Collector, number: int) -> list[Span]:
    """All that came, once there are so many; by when they began, callers before those that they call."""
    async with asyncio.timeout(30):
        while len(collector.spans) < number:  # noqa: ASYNC110 - the collector signals nobody
            await asyncio.sleep(0.02)
    assert len(collector.spans) == number
    return sorted(collector.spans, key=lambda span: (span.kind != _SERVER, span.start_time_unix_nano))


def _assert_tells(found: dict[str, Any], record: CallRecord) -> None:
    usage = record.usage
    assert found["gen_ai.usage.input_tokens"] == usage.total_input
    assert found["gen_ai.usage.cache_read.input_tokens"] == usage.cache_read
    assert found["gen_ai.usage.cache_creation.input_tokens"] == usage.cache_write_5m + usage.cache_write_1h
    assert found["gen_ai.usage.output_tokens"] == usage.output > 0
    assert found["gen_ai.usage.reasoning.output_tokens"] == usage.reasoning
    assert found["gen_ai.request.stream"] is record.stream
    assert found["http.response.status_code"] == record.status


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", ["chat", "messages", "responses", "embeddings", "translated"])
async def test_the_model_that_answered_is_told_as_its_provider_names_it(
    bench: Bench, collector: Collector, kind: str, stream: bool
) -> None:
    said = 'a string of theirs: {"model":"no model"}'
    path, body = {
        "chat": (CHAT, chat(stream=stream, messages=[{"role": "user", "content": said}])),
        "messages": (MESSAGES, messages(stream=stream)),
        "responses": (RESPONSES, responses(stream=stream, instructions=said)),
        "embeddings": (EMBEDDINGS, embeddings()),
        "translated": (MESSAGES, chat(stream=stream, max_tokens=5)),
    }[kind]
    # In pieces, so that a name is cut in two.
    bench.provider.next(Step(split=7))
    answer = await bench.client.post(path, json=body)
    assert answer.status_code == 200
    call, attempt = await _spans(collector, 2)
    found = plain(attempt.attributes)
    # Not what callers name it.
    assert found["gen_ai.response.model"] == found["gen_ai.request.model"] == bench.provider.log[0].json["model"]
    assert plain(call.attributes)["gen_ai.response.model"] == found["gen_ai.response.model"]


async def test_a_stream_that_is_followed_needs_no_task(
    bench: Bench, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = noted_streams(monkeypatch)
    await bench.warm()
    for step in (Step(), Step(split=7), Step(cut_after=400)):
        bench.provider.next(step)
        assert (await bench.client.post(CHAT, json=chat(stream=True))).status_code == 200
    found = [plain(span.attributes) for span in (await _spans(collector, 6))[3:]]
    assert len(begun) == 3
    assert {attributes["gen_ai.response.model"] for attributes in found} == {"acme-model"}
    assert [attributes.get("error.type") for attributes in found] == [None, None, "upstream_error"]


async def test_another_model_than_was_asked_for_is_told(bench: Bench, collector: Collector) -> None:
    body = b'{"id": "1", "model": "acme-model-2026-11-30", "choices": [], "usage": {"prompt_tokens": 1}}'
    bench.provider.next(Step(body=body))
    assert (await bench.client.post(CHAT, json=chat())).content == body
    _, attempt = await _spans(collector, 2)
    assert plain(attempt.attributes)["gen_ai.response.model"] == "acme-model-2026-11-30"


async def test_an_answer_that_names_no_model_is_passed_on_whole(bench: Bench, collector: Collector) -> None:
    said = b'{"message":{"content":"\\"model\\":\\"x\\""}}'
    body = b'{"id":"1","choices":[%s],"usage":null,"pad":"%s"}' % (said, b"x" * 400_000)
    bench.provider.next(Step(body=body, split=50_000))
    assert (await bench.client.post(CHAT, json=chat())).content == body
    _, attempt = await _spans(collector, 2)
    assert "gen_ai.response.model" not in plain(attempt.attributes)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_is_a_span_of_its_callers_trace_and_the_provider_goes_on_with_it(
    bench: Bench, collector: Collector, stream: bool
) -> None:
    headers = {"traceparent": _TRACEPARENT, "tracestate": "a=b", "x-session-id": "s-1"}
    answer = await bench.client.post(MESSAGES, json=messages(stream=stream), headers=headers)
    assert answer.status_code == 200
    record = await bench.only_call()
    call, attempt = await _spans(collector, 2)

    assert (call.kind, call.name) == (_SERVER, "chat team-claude")
    assert (call.trace_id.hex(), call.parent_span_id.hex()) == (_TRACE, _CALLER)
    found = plain(call.attributes)
    _assert_tells(found, record)
    expected = {
        "sluicegate.call.id": record.call_id,
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "team-claude",
        "gen_ai.conversation.id": "s-1",
        "http.request.method": "POST",
        "user.id": record.user_id,
        "sluicegate.key.id": record.key_id,
        "sluicegate.outcome": "ok",
        "sluicegate.cost.nano_usd": record.cost_nanos,
        "sluicegate.usage.estimated": False,
    }
    assert expected.items() <= found.items()
    assert "error.type" not in found
    assert call.status.code == Status.STATUS_CODE_UNSET
    assert record.call_id == answer.headers["x-request-id"]
    assert call.end_time_unix_nano // 1_000_000 >= record.finished_ms
    assert call.start_time_unix_nano // 1_000_000 <= record.started_ms
    assert [(event.name, event.time_unix_nano // 1_000_000) for event in call.events] == [
        ("sluicegate.admitted", record.started_ms)
    ]

    assert (attempt.kind, attempt.name) == (_CLIENT, "chat zeta-model")
    assert (attempt.trace_id, attempt.parent_span_id) == (call.trace_id, call.span_id)
    found = plain(attempt.attributes)
    _assert_tells(found, record)
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "zeta-model",
        "sluicegate.provider": "zeta",
        "server.address": "127.0.0.1",
        "server.port": bench.provider.port,
    }
    assert expected.items() <= found.items()
    assert call.start_time_unix_nano <= attempt.start_time_unix_nano <= attempt.end_time_unix_nano
    assert attempt.end_time_unix_nano <= call.end_time_unix_nano

    (asked,) = bench.provider.log
    assert asked.header("traceparent") == f"00-{_TRACE}-{attempt.span_id.hex()}-01"
    assert [name for name, _ in asked.headers].count(b"traceparent") == 1
    assert asked.header("tracestate") == "a=b"
    assert collector.resources[0]["service.name"] == "sluicegate"


async def test_without_a_trace_of_the_callers_each_call_begins_one(bench: Bench, collector: Collector) -> None:
    for path, body in ((CHAT, chat()), (CHAT, chat()), (EMBEDDINGS, embeddings()), (MESSAGES, chat(max_tokens=5))):
        assert (await bench.client.post(path, json=body)).status_code == 200
    *calls, one, two, three, four = await _spans(collector, 8)
    assert [call.name for call in calls] == ["chat team-gpt", "chat team-gpt", "embeddings team-embed", "chat team-gpt"]
    assert len({call.trace_id for call in calls}) == 4
    assert {call.parent_span_id for call in calls} == {b""}
    assert [one.trace_id, two.trace_id, three.trace_id, four.trace_id] == [call.trace_id for call in calls]
    # The last one was translated, and still is followed.
    assert bench.provider.log[3].header("traceparent") == f"00-{calls[3].trace_id.hex()}-{four.span_id.hex()}-01"


async def test_a_refusal_says_why_and_has_nothing_below_it(bench: Bench, collector: Collector) -> None:
    await bench.set_limits(requests=0)
    refused = await bench.client.post(CHAT, json=chat(), headers={"traceparent": _TRACEPARENT})
    unknown = await bench.client.post(CHAT, json=chat(), headers={"authorization": "Bearer sg_nobody"})
    # Neither is a call.
    assert (await bench.client.post("/v1/nowhere", json={})).status_code == 404
    assert (await bench.client.get("/v1/models")).status_code == 200
    assert (refused.status_code, unknown.status_code) == (429, 401)
    first, second = await _spans(collector, 2)
    assert (first.name, first.trace_id.hex(), first.parent_span_id.hex()) == ("chat team-gpt", _TRACE, _CALLER)
    found = plain(first.attributes)
    assert (found["error.type"], found["http.response.status_code"]) == ("rate_limit_exceeded", 429)
    assert found["sluicegate.call.id"] == refused.headers["x-request-id"]
    # The caller's doing, and no failure of the server's.
    assert first.status.code == Status.STATUS_CODE_UNSET
    assert plain(second.attributes)["error.type"] == unknown.json()["error"]["code"]
    assert bench.provider.log == []


async def test_each_backend_that_is_tried_is_a_span(bench: Bench, collector: Collector) -> None:
    async with Provider() as second:
        await bench.add_backend("team-gpt", "spare", second.port)
        bench.provider.next(Step(status=500))
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200
        call, one, two = await _spans(collector, 3)
        assert {one.parent_span_id, two.parent_span_id} == {call.span_id}
        failed, answered = plain(one.attributes), plain(two.attributes)
        assert (failed["sluicegate.provider"], failed["error.type"]) == ("acme", "500")
        assert one.status.code == Status.STATUS_CODE_ERROR
        assert "gen_ai.usage.input_tokens" not in failed
        assert (answered["sluicegate.provider"], answered["server.port"]) == ("spare", second.port)
        assert two.status.code == call.status.code == Status.STATUS_CODE_UNSET
        assert one.end_time_unix_nano <= two.start_time_unix_nano
        _assert_tells(answered, await bench.only_call())
        asked = [provider.log[0].header("traceparent") for provider in (bench.provider, second)]
        assert asked == [f"00-{call.trace_id.hex()}-{span.span_id.hex()}-01" for span in (one, two)]


async def test_a_call_that_no_backend_takes_has_one_span_with_both_its_ends(bench: Bench, collector: Collector) -> None:
    bench.provider.next(Step(hang_up=True, times=2))
    answer = await bench.client.post(CHAT, json=chat())
    assert answer.status_code == 502
    record = await bench.only_call()
    call, attempt = await _spans(collector, 2)
    found = plain(call.attributes)
    assert (found["error.type"], found["sluicegate.outcome"]) == (answer.json()["error"]["code"], record.outcome)
    assert (call.status.code, call.status.message) == (Status.STATUS_CODE_ERROR, found["error.type"])
    assert plain(attempt.attributes)["error.type"] == "closed"


async def test_a_provider_that_cannot_be_reached_at_all_is_told_of_though_it_is_no_call(
    bench: Bench, collector: Collector
) -> None:
    await bench.provider.stop()
    answer = await bench.client.post(CHAT, json=chat())
    assert (answer.status_code, await bench.ledger()) == (502, [])
    call, attempt = await _spans(collector, 2)
    assert plain(call.attributes)["error.type"] == answer.json()["error"]["code"]
    assert (plain(attempt.attributes)["error.type"], attempt.parent_span_id) == ("connect", call.span_id)


async def test_neither_prompts_nor_answers_nor_keys_are_sent(bench: Bench, collector: Collector) -> None:
    prompt = "the quick brown fox"
    body = chat(messages=[{"role": "user", "content": prompt}])
    answer = await bench.client.post(CHAT, json=body)
    refused = await bench.client.post(CHAT, json=chat(model=prompt, user=prompt))
    assert refused.status_code == 404
    *calls, _ = await _spans(collector, 3)
    assert [call.name for call in calls] == ["chat team-gpt", "chat"]
    sent = b"".join(collector.bodies)
    said = answer.json()["choices"][0]["message"]["content"]
    assert said
    for secret in (prompt, said, CREDENTIAL.secret, CREDENTIAL.text, "sk-acme", "Ada", "ada@example.com"):
        assert secret.encode() not in sent


async def test_what_is_not_sampled_is_not_sent_and_goes_on_untouched(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    async with running_bench(tmp_path, traces=True) as bench:
        untraced = f"00-{'a' * 32}-{'b' * 16}-00"
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200
        assert (await bench.client.post(CHAT, json=chat(), headers={"traceparent": untraced})).status_code == 200
        assert (await bench.client.post(CHAT, json=chat(), headers={"traceparent": _TRACEPARENT})).status_code == 200
        assert [asked.header("traceparent") for asked in bench.provider.log[:2]] == [None, untraced]
        spans = await _spans(collector, 2)
        assert {span.trace_id.hex() for span in spans} == {_TRACE}


async def test_a_collector_that_is_away_costs_no_call_and_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as collector:
        away = collector.url
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", away)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    async with running_bench(tmp_path, traces=True) as bench:
        for _ in range(3):
            assert (await bench.client.post(CHAT, json=chat())).status_code == 200
        traces = bench.container.traces
        assert traces is not None
        async with asyncio.timeout(60):
            while traces.dropped < 6:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.05)
        assert (traces.sent, traces.dropped) == (0, 6)
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200


async def test_never_more_wait_than_the_queue_takes_and_all_others_are_counted(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5")
    collector.open.clear()
    async with running_bench(tmp_path, traces=True) as bench:
        traces = bench.container.traces
        assert traces is not None

        async def call() -> None:
            assert (await bench.client.post(CHAT, json=chat())).status_code == 200

        for _ in range(4):
            await asyncio.gather(*(call() for _ in range(10)))
        async with asyncio.timeout(30):
            while traces.dropped < 80 - 15:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.05)
        collector.open.set()
        async with asyncio.timeout(30):
            while traces.sent + traces.dropped < 80:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.05)
        assert len(collector.spans) == traces.sent <= 15
        assert traces.sent + traces.dropped == 80


async def test_what_is_left_is_sent_when_the_server_stops(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    async with running_bench(tmp_path, traces=True) as bench:
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200
    assert len(collector.spans) == 2


async def test_without_the_setting_headers_pass_as_they_are(tmp_path: Path) -> None:
    async with running_bench(tmp_path) as bench:
        headers = {"traceparent": _TRACEPARENT}
        assert (await bench.client.post(CHAT, json=chat(), headers=headers)).status_code == 200
        assert (await bench.client.post(CHAT, json=chat())).status_code == 200
        assert [asked.header("traceparent") for asked in bench.provider.log] == [_TRACEPARENT, None]
        assert bench.container.traces is None


def test_without_the_setting_no_library_is_loaded() -> None:
    """But for the interfaces, which FastAPI brings."""
    program = "import sys, sluicegate.app, sluicegate.cli.server; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "sluicegate.container" in loaded
    assert not {"opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto", "requests"} & loaded


def test_without_the_extra_packages_the_start_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sluicegate.adapters.tracing", None)
    with pytest.raises(ConfigurationError, match=r"SLUICEGATE_TRACES: .*sluicegate\[otel\]"):
        Container(load({}, data_dir=tmp_path, traces=True), "http://127.0.0.1")
