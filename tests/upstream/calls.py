"""Short ways to say what the tests send and read."""

from __future__ import annotations

from fakes.raw_server import RawServer
from sluicegate.ports.upstream import (
    Origin,
    RawHeaders,
    Timeouts,
    UpstreamRequest,
    UpstreamResponse,
)

PATIENT = Timeouts(connect=10, first_byte=20, idle=20)


def call(
    server: RawServer,
    method: str = "POST",
    *,
    target: str = "/v1/chat",
    headers: RawHeaders | None = None,
    body: bytes = b"{}",
    timeouts: Timeouts = PATIENT,
    host: str = "127.0.0.1",
    scheme: str = "http",
) -> UpstreamRequest:
    return UpstreamRequest(
        origin=Origin(scheme, host, server.port),
        method=method,
        target=target,
        headers=headers or [],
        body=b"" if method in {"GET", "HEAD"} else body,
        timeouts=timeouts,
    )


async def read_all(response: UpstreamResponse) -> bytes:
    parts: list[bytes] = []
    while part := await response.read():
        parts.append(part)
    await response.aclose()
    return b"".join(parts)
