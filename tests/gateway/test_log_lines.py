"""A line about a call names it as its caller does, and as the ledger does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from fakes.script import Step, broken_json, html_page
from gateway.bench import CHAT, Bench, chat, running_bench
from sluicegate.adapters.journal.segments import JournalUnwritable, Segments
from sluicegate.gateway.relay import Relay
from sluicegate.kit.errors import Unavailable


@pytest.mark.parametrize(
    ("step", "values", "event"),
    [
        (Step(hang_up=True), {}, "gateway.backend_failed"),
        (Step(status=503), {}, "gateway.backend_refused"),
        (html_page(), {}, "gateway.answer_unfit"),
        (broken_json(), {}, "gateway.answer_unfit"),
        (Step(cut_after=200), {"stream": True}, "gateway.stream_broken_off"),
    ],
    ids=["hung up", "503", "a page", "cut short", "stream cut short"],
)
async def test_what_goes_wrong_with_a_call_is_logged_with_its_id(
    bench: Bench, step: Step, values: dict[str, Any], event: str
) -> None:
    bench.provider.next(step)
    with capture_logs() as lines:
        answer = await bench.client.post(CHAT, json=chat(**values))
        await bench.until_settled()
    (call,) = await bench.ledger()
    about = [line for line in lines if line["event"] == event]
    assert [line["request_id"] for line in about] == [answer.headers["x-request-id"]]
    assert call.call_id == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("error", "traced"), [(ConnectionError("away"), True), (Unavailable("No database answers.", 5), False)]
)
async def test_a_decision_that_fails_is_logged_with_the_id_of_its_call(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception, traced: bool
) -> None:
    """Without where it failed when a database that is away is all there is to say: many calls meet that."""

    async def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(bench.container.policy, "authenticate", failing)
    with capture_logs() as lines:
        answer = await bench.client.post(CHAT, json=chat())
    assert answer.status_code == 503
    (line,) = [line for line in lines if line["event"] == "gateway.policy_unavailable"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["log_level"] == "error"
    assert ("exc_info" in line) == traced


async def test_a_fault_of_the_gateway_is_logged_with_the_id_of_its_call(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Relay, "relay", failing)
    with capture_logs() as lines:
        answer = await bench.client.post(CHAT, json=chat())
    (call,) = await bench.ledger()
    assert answer.status_code == 500
    (line,) = [line for line in lines if line["event"] == "gateway.failed"]
    assert line["request_id"] == call.call_id == answer.headers["x-request-id"]
    assert call.call_id in answer.json()["error"]["message"]


async def test_a_call_that_cannot_be_written_down_is_logged_with_its_id(tmp_path: Path) -> None:
    async with running_bench(tmp_path, max_unsaved_calls=1) as bench:
        bench.provider.next(Step(endless="events"))
        async with bench.client.stream("POST", CHAT, json=chat(stream=True)):
            with capture_logs() as lines:
                answer = await bench.client.post(CHAT, json=chat())
    assert answer.status_code == 503
    (line,) = [line for line in lines if line["event"] == "gateway.journal_refused"]
    assert line["request_id"] == answer.headers["x-request-id"]


async def test_a_settlement_that_the_disk_does_not_take_is_logged_with_the_id_of_its_call(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Segments.append

    def full(segments: Segments, line: bytes) -> None:
        if line.startswith(b'["e"'):
            raise JournalUnwritable(28, "the disk is full")
        append(segments, line)

    monkeypatch.setattr(Segments, "append", full)
    with capture_logs() as lines:
        answer = await bench.client.post(CHAT, json=chat())
    (call,) = await bench.ledger()
    (line,) = [line for line in lines if line["event"] == "journal.not_written"]
    assert line["request_id"] == call.call_id == answer.headers["x-request-id"]
