"""A line about a call names it as its caller does, and as the ledger does."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from fakes.script import Step, broken_json, html_page
from gateway.bench import CHAT, Bench, chat


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


async def test_a_decision_that_fails_is_logged_with_the_id_of_its_call(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: object) -> None:
        raise ConnectionError("away")

    monkeypatch.setattr(bench.container.policy, "authenticate", failing)
    with capture_logs() as lines:
        answer = await bench.client.post(CHAT, json=chat())
    assert answer.status_code == 503
    (line,) = [line for line in lines if line["event"] == "gateway.policy_unavailable"]
    assert line["request_id"] == answer.headers["x-request-id"]
