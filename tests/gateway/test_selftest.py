"""A gateway that does not refuse does not start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import stacks
from gateway.bench import server_at
from sluicegate.container import Container
from sluicegate.gateway.asgi import Reply, Request
from sluicegate.gateway.paths import Endpoint
from sluicegate.gateway.selftest import SelfTestFailed
from sluicegate.policy.effective import EffectivePolicy
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.policy import LimitSet
from sluicegate.ports.usage import CallFilter


@pytest.fixture
def container(tmp_path: Path) -> Container:
    stacks.current().empty(tmp_path)
    return server_at(tmp_path)


async def starts(container: Container) -> str | None:
    """None when it starts, otherwise what was said."""
    try:
        await container.start()
    except SelfTestFailed as failure:
        return str(failure)
    finally:
        await container.stop()
    return None


async def test_a_sound_gateway_starts_and_nothing_of_the_test_is_left(container: Container) -> None:
    await container.start()
    try:
        assert container.policy.catalog.models == {}
        assert container.gateway.calls_in_flight == 0
        await container.journal.flush()
        page = await container.usage_reader.calls(CallFilter(), PageRequest(first=10))
        assert page.items == []
    finally:
        await container.stop()


async def test_a_limiter_that_is_never_asked_stops_the_start(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit = container.admission.admit

    async def blind(ask: Any) -> Any:
        return await admit(type(ask)((), ask.input_tokens, ask.output_tokens, ask.cost))

    monkeypatch.setattr(container.admission, "admit", blind)
    said = await starts(container)
    assert said is not None
    assert "budget_exceeded" in said
    assert "does not start" in said


@pytest.mark.parametrize(("forgotten", "code"), [({"day"}, "budget_exceeded"), ({"requests"}, "rate_limit_exceeded")])
async def test_a_limit_that_is_lost_on_the_way_stops_the_start(
    container: Container, monkeypatch: pytest.MonkeyPatch, forgotten: set[str], code: str
) -> None:
    limit_set = EffectivePolicy.limit_set

    def without(self: EffectivePolicy) -> LimitSet:
        return replace(limit_set(self), **dict.fromkeys(forgotten))

    monkeypatch.setattr(EffectivePolicy, "limit_set", without)
    said = await starts(container)
    assert said is not None
    assert code in said


async def test_a_route_around_the_limits_stops_the_start(container: Container) -> None:
    async def generous(request: Request, named: str) -> None:
        await request.reply(Reply(200, [], b"{}"))

    path = container.gateway.call_paths("self-test")[0]
    fixed = container.gateway._paths._fixed
    fixed[path] = Endpoint("POST", fixed[path].dialect, generous)
    said = await starts(container)
    assert said is not None
    assert path in said


def test_every_route_that_costs_is_tried(container: Container) -> None:
    assert set(container.gateway.call_paths("any")) >= {
        f"{root}{path}"
        for root, path in (
            ("/v1", "/chat/completions"),
            ("/v1", "/messages"),
            ("/gateway/openai/v1", "/chat/completions"),
            ("/gateway/anthropic/v1", "/messages"),
            ("/v1beta", "/models/any:streamGenerateContent"),
            ("/gateway/gemini/v1beta", "/models/any:generateContent"),
        )
    }
