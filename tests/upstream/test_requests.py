"""What goes out on the wire, and what is refused before anything does."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.raw_server import Peer, RawServer
from sluicegate.ports.upstream import Origin, UpstreamError, UpstreamRequest
from upstream.calls import PATIENT, call, read_all
from upstream.conftest import AnyUpstream


async def echo(peer: Peer) -> None:
    while True:
        _, body = await peer.request()
        await peer.answer(body)


@pytest.mark.parametrize(
    "request_part",
    [
        {"target": "/x HTTP/1.1\r\nHost: evil\r\n\r\n"},
        {"target": "/with space"},
        {"target": "no-slash"},
        {"target": "/\u00e9"},
        {"method": "GET / HTTP/1.1\r\nX:"},
        {"method": ""},
        {"headers": [(b"x-a", b"1\r\nx-b: 2")]},
        {"headers": [(b"x-a", b"1\nx-b: 2")]},
        {"headers": [(b"x-a", b"1\0")]},
        {"headers": [(b"x-a\r\nx-b", b"1")]},
        {"headers": [(b"x a", b"1")]},
        {"headers": [(b"x-a:", b"1")]},
        {"headers": [(b"", b"1")]},
        {"headers": [(b"Host", b"evil")]},
        {"headers": [(b"Content-Length", b"0")]},
        {"headers": [(b"transfer-encoding", b"chunked")]},
    ],
    ids=repr,
)
async def test_nothing_in_a_request_can_add_to_its_head(upstream: AnyUpstream, request_part: dict[str, Any]) -> None:
    async with RawServer(echo) as server:
        parts: dict[str, Any] = {"method": "POST", "target": "/", "headers": [], **request_part}
        request = UpstreamRequest(
            origin=Origin("http", "127.0.0.1", server.port),
            body=b"",
            timeouts=PATIENT,
            **parts,
        )
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(request)
        assert (caught.value.kind, caught.value.sent) == ("protocol", False)
        assert server.accepted == 0


@pytest.mark.parametrize("host", ["a b", "a\r\nb", "a/b", "user@a", ""])
async def test_a_host_that_is_no_host_is_refused(upstream: AnyUpstream, host: str) -> None:
    async with RawServer(echo) as server:
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(call(server, host=host))
        assert not caught.value.sent


async def test_the_head_on_the_wire_is_what_was_asked_for(upstream: AnyUpstream) -> None:
    async def script(peer: Peer) -> None:
        while True:
            seen.append(await peer.request())
            await peer.answer()

    seen: list[tuple[bytes, bytes]] = []
    async with RawServer(script) as server:
        headers = [(b"Authorization", b"Bearer k"), (b"X-Twice", b"1"), (b"X-Twice", b"2")]
        await read_all(await upstream.send(call(server, target="/v1/a?b=c%20d", headers=headers, body=b"{1}")))
        await read_all(await upstream.send(call(server, "GET", headers=headers)))
        await read_all(await upstream.send(call(server, body=b"")))
    lines = seen[0][0].split(b"\r\n")
    assert lines[0] == b"POST /v1/a?b=c%20d HTTP/1.1"
    host = b"Host: 127.0.0.1:%d" % server.port
    wanted = [b"Authorization: Bearer k", b"Content-Length: 3", host, b"X-Twice: 1", b"X-Twice: 2"]
    assert sorted(line for line in lines[1:] if line) == wanted
    assert seen[0][1] == b"{1}"
    assert b"content-length" not in seen[1][0].lower()
    assert b"Content-Length: 0\r\n" in seen[2][0]
