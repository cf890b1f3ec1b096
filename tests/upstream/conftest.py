from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from loops import ServerLoop
from sluicegate.adapters.upstream import Http11Upstream
from sluicegate.adapters.upstream.httpx_client import HttpxUpstream

AnyUpstream = Http11Upstream | HttpxUpstream
MakeUpstream = Callable[..., AnyUpstream]


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    # Their transports differ in when they close, pause and report errors.
    return {"uvloop": ServerLoop, "asyncio": asyncio.new_event_loop}


@pytest.fixture(params=[Http11Upstream, HttpxUpstream], ids=["own", "httpx"])
def kind(request: pytest.FixtureRequest) -> type[AnyUpstream]:
    return request.param


@pytest.fixture
async def make(kind: type[AnyUpstream]) -> AsyncIterator[MakeUpstream]:
    """Builds clients that may talk to loopback, and closes them; no task may outlive them."""
    made: list[AnyUpstream] = []

    def build(**arguments: Any) -> AnyUpstream:
        arguments.setdefault("allow_private", True)
        client = kind(**arguments)
        made.append(client)
        return client

    yield build
    for client in made:
        await client.aclose()


@pytest.fixture
async def upstream(make: MakeUpstream) -> AnyUpstream:
    return make()
