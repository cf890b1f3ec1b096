"""Asking the demo provider, and reading what it streams."""

from __future__ import annotations

import json
from typing import Any

from sluicegate.adapters.demo import DemoUpstream
from sluicegate.ports.upstream import Origin, RawHeaders, Timeouts, UpstreamRequest

_NOWHERE = Origin("http", "demo.invalid", 80)


def request(
    target: str,
    body: object = None,
    *,
    method: str = "POST",
    headers: RawHeaders | None = None,
    timeouts: Timeouts | None = None,
) -> UpstreamRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return UpstreamRequest(_NOWHERE, method, target, headers or [], raw, timeouts or Timeouts())


async def ask(demo: DemoUpstream, target: str, body: object = None, **rest: Any) -> tuple[int, bytes]:
    """Status and whole body."""
    response = await demo.send(request(target, body, **rest))
    parts: list[bytes] = []
    while part := await response.read():
        parts.append(part)
    await response.aclose()
    return response.status, b"".join(parts)


async def answer(demo: DemoUpstream, target: str, body: object) -> Any:
    status, raw = await ask(demo, target, body)
    assert status == 200, raw
    return json.loads(raw)


async def events(demo: DemoUpstream, target: str, body: dict[str, Any]) -> list[Any]:
    """The data of a stream's events; `[DONE]` as text."""
    status, raw = await ask(demo, target, {**body, "stream": True})
    assert status == 200, raw
    found: list[Any] = []
    for block in raw.decode().removesuffix("\n\n").split("\n\n"):
        name, _, data = block.rpartition("data: ")
        decoded = data if data == "[DONE]" else json.loads(data)
        assert name in ("", f"event: {decoded['type'] if name else ''}\n")
        found.append(decoded)
    return found


def kinds(found: list[Any]) -> list[str]:
    """Event types in order, runs of the same type written once."""
    names: list[str] = [event["type"] for event in found]
    return [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]
