"""How answers are framed, bounded and handed on."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.raw_server import Peer, RawServer
from sluicegate.adapters.upstream import Http11Upstream
from sluicegate.adapters.upstream.httpx_client import HttpxUpstream
from sluicegate.ports.upstream import UpstreamError
from upstream.calls import call, read_all
from upstream.conftest import AnyUpstream

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Two: 2\r\n\r\n"
    b"4\r\nWiki\r\n6;note=1\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nX-Trailer: late\r\n\r\n"
)
CHUNKED_BODY = b"Wikipedia in \r\n\r\nchunks."
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello"


def always(data: bytes, *, close: bool = False):
    """A script that answers every request on a connection with the same bytes."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(data)
            if close:
                return

    return script


async def test_a_sized_body_and_its_head_arrive_as_sent(upstream: AnyUpstream) -> None:
    async with RawServer(always(SIZED)) as server:
        response = await upstream.send(call(server))
        assert response.status == 200
        assert response.headers == [(b"content-length", b"5"), (b"content-type", b"text/plain")]
        assert await read_all(response) == b"hello"
        assert await response.read() == b""
        assert response.buffered() == b""


async def test_repeated_headers_keep_their_order(upstream: AnyUpstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nX: \r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n"
    async with RawServer(always(head)) as server:
        response = await upstream.send(call(server))
        assert response.headers[:3] == [(b"set-cookie", b"a"), (b"x", b""), (b"set-cookie", b"b")]
        assert await read_all(response) == b""


async def test_chunks_and_trailers_are_unwrapped_and_the_connection_is_used_again(
    upstream: AnyUpstream,
) -> None:
    async with RawServer(always(CHUNKED)) as server:
        for _ in range(3):
            response = await upstream.send(call(server))
            assert response.headers == [(b"transfer-encoding", b"chunked"), (b"x-two", b"2")]
            assert await read_all(response) == CHUNKED_BODY
        assert server.accepted == 1


async def test_a_body_may_end_with_the_connection(upstream: AnyUpstream) -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end"
    async with RawServer(always(data, close=True)) as server:
        assert await read_all(await upstream.send(call(server))) == b"until the end"
        assert await read_all(await upstream.send(call(server))) == b"until the end"
        assert server.accepted == 2


async def test_interim_answers_are_skipped(upstream: AnyUpstream) -> None:
    async with RawServer(always(INTERIM + SIZED)) as server:
        for _ in range(2):
            response = await upstream.send(call(server))
            assert response.status == 200
            assert (b"link", b"</a>") not in response.headers
            assert await read_all(response) == b"hello"


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_statuses_without_a_body_end_with_their_head(upstream: AnyUpstream, status: bytes) -> None:
    async with RawServer(always(b"HTTP/1.1 " + status + b"\r\nETag: x\r\n\r\n")) as server:
        for _ in range(2):
            response = await upstream.send(call(server, "GET"))
            assert response.status == int(status[:3])
            assert await read_all(response) == b""
        assert server.accepted == 1


@pytest.mark.parametrize("framing", [b"Content-Length: 999", b"Transfer-Encoding: chunked"])
async def test_an_answer_to_head_has_no_body(upstream: AnyUpstream, framing: bytes) -> None:
    async with RawServer(always(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")) as server:
        for _ in range(2):
            assert await read_all(await upstream.send(call(server, "HEAD"))) == b""


@pytest.mark.parametrize("status", [301, 429, 500, 599])
async def test_every_final_status_is_handed_on_and_no_redirect_is_followed(upstream: AnyUpstream, status: int) -> None:
    data = b"HTTP/1.1 %d X\r\nLocation: /elsewhere\r\nContent-Length: 2\r\n\r\nno" % status
    async with RawServer(always(data)) as server:
        response = await upstream.send(call(server))
        assert (response.status, await read_all(response)) == (status, b"no")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01 this is not HTTP\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad Name: 1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Big: " + b"x" * 300_000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: y\r\n" * 30_000,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 30_000,
    ],
    ids=lambda data: data[:32].decode("latin-1").strip(),
)
async def test_a_lying_head_is_a_protocol_error(upstream: AnyUpstream, data: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(data)
        await peer.gone()

    async with RawServer(script) as server:
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(call(server))
        assert caught.value.kind == "protocol"
        assert caught.value.sent
        assert not caught.value.before_first_byte
        await server.all_closed()
        assert server.accepted == 1


async def test_a_lying_chunk_size_is_a_protocol_error_after_what_came_before_it(
    upstream: AnyUpstream,
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        await go_on.wait()
        await peer.send(b"zz\r\nnot a size")
        await peer.gone()

    go_on = asyncio.Event()
    async with RawServer(script) as server:
        response = await upstream.send(call(server))
        assert await response.read() == b"ok"
        go_on.set()
        with pytest.raises(UpstreamError) as caught:
            await response.read()
        assert caught.value.kind == "protocol"
        assert not caught.value.before_first_byte
        await response.aclose()
        await server.all_closed()


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
    ids=["sized", "chunked"],
)
async def test_a_body_that_breaks_off_is_no_end(upstream: AnyUpstream, data: bytes) -> None:
    async with RawServer(always(data, close=True)) as server:
        response = await upstream.send(call(server))
        assert await response.read() == b"hello"
        assert response.buffered() is None
        for _ in range(2):
            with pytest.raises(UpstreamError) as caught:
                await response.read()
            assert caught.value.kind == "closed"
            assert caught.value.sent
            assert not caught.value.before_first_byte
        await response.aclose()


async def test_trailers_without_end_are_refused() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: ")
        for _ in range(40):
            await peer.send(b"x" * 10_000)
        await peer.gone()

    upstream = Http11Upstream(allow_private=True)
    async with RawServer(script) as server:
        response = await upstream.send(call(server))
        with pytest.raises(UpstreamError) as caught:
            await read_all(response)
        assert caught.value.kind == "protocol"
    await upstream.aclose()


async def test_bytes_after_an_answer_are_never_taken_for_the_next_one() -> None:
    poison = SIZED.replace(b"hello", b"other")

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(SIZED + poison if peer.number == 1 else SIZED)
        await peer.gone()

    upstream = Http11Upstream(allow_private=True)
    async with RawServer(script) as server:
        assert await read_all(await upstream.send(call(server))) == b"hello"
        assert await read_all(await upstream.send(call(server))) == b"hello"
        assert server.accepted == 2
    await upstream.aclose()


async def test_an_early_refusal_is_read_while_the_request_is_still_being_sent() -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await done.wait()

    done = asyncio.Event()
    upstream = Http11Upstream(allow_private=True)
    async with RawServer(script) as server:
        response = await upstream.send(call(server, body=bytes(30_000_000)))
        assert (response.status, await read_all(response)) == (413, b"big")
        done.set()
        await server.all_closed()
    await upstream.aclose()


async def test_a_small_answer_is_buffered_whole_with_its_head() -> None:
    upstream = Http11Upstream(allow_private=True)
    async with RawServer(always(SIZED)) as server:
        response = await upstream.send(call(server))
        assert response.buffered() == b"hello"
        assert await response.read() == b""
        await response.aclose()
        assert (await upstream.send(call(server))).buffered() == b"hello"
        assert server.accepted == 1
    await upstream.aclose()


@pytest.mark.parametrize("kind", [Http11Upstream, HttpxUpstream], ids=["own", "httpx"])
@pytest.mark.parametrize("data", [INTERIM + CHUNKED, SIZED], ids=["chunked", "sized"])
def test_the_body_does_not_depend_on_how_the_stream_was_cut(kind: type[AnyUpstream], data: bytes) -> None:
    body = CHUNKED_BODY if data is not SIZED else b"hello"
    everywhere = [[cut] for cut in range(1, len(data))]

    async def exchange(schedule: list[list[int]]) -> None:
        async def script(peer: Peer) -> None:
            for cuts in schedule:
                await peer.request()
                edges = [0, *cuts, len(data)]
                for start, stop in pairwise(edges):
                    await peer.send(data[start:stop])
                    # Long enough for the client to read what there is, not long enough to be felt.
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)

        upstream = kind(allow_private=True)
        async with RawServer(script) as server:
            for _ in schedule:
                response = await upstream.send(call(server))
                assert response.status == 200
                assert await read_all(response) == body
            assert server.accepted == 1
        await upstream.aclose()

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.sets(st.integers(1, len(data) - 1)), min_size=1, max_size=4))
    def arbitrary_cuts(sets: list[set[int]]) -> None:
        asyncio.run(exchange([sorted(cuts) for cuts in sets]))

    asyncio.run(exchange(everywhere))
    arbitrary_cuts()
