"""Requests that are sent at once and listened for, instead of being awaited from the beginning."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator

import pytest

from fakes.raw_server import Peer, RawServer
from sluicegate.adapters.upstream import Http11Upstream
from sluicegate.adapters.upstream.client import Http11Begun
from sluicegate.adapters.upstream.httpx_client import HttpxUpstream
from sluicegate.ports.upstream import KeptHeaders, Timeouts, UpstreamError
from upstream.calls import call, read_all


async def echo(peer: Peer) -> None:
    while True:
        _, body = await peer.request()
        await peer.answer(body)


@pytest.fixture
async def own() -> AsyncIterator[Http11Upstream]:
    client = Http11Upstream(allow_private=True)
    yield client
    await client.aclose()


async def begun(own: Http11Upstream, server: RawServer, body: bytes = b"{}", **timeouts: float) -> Http11Begun:
    """On a connection that has served before."""
    await read_all(await own.send(call(server)))
    found = own.begin(call(server, body=body, timeouts=Timeouts(10, **timeouts) if timeouts else Timeouts()))
    assert found is not None
    return found


async def listened(found: Http11Begun) -> None:
    heard = asyncio.Event()
    found.notify(heard.set)
    async with asyncio.timeout(10):
        await heard.wait()


async def test_nothing_is_sent_where_a_connection_has_to_be_opened(own: Http11Upstream) -> None:
    async with RawServer(echo) as server:
        assert own.begin(call(server)) is None
        await read_all(await own.send(call(server)))
        assert own.begin(call(server, body=b"x" * 300_000)) is None
        found = own.begin(call(server))
        assert found is not None
        # The only idle connection is taken now.
        assert own.begin(call(server)) is None
        assert await read_all(await found.answer()) == b"{}"
        assert server.accepted == 1


async def test_an_answer_that_came_whole_is_told_of_once(own: Http11Upstream) -> None:
    async with RawServer(echo) as server:
        for number in range(5):
            found = await begun(own, server, b"%d" % number)
            assert found.arrived() is None
            await listened(found)
            response = found.arrived()
            assert response is not None
            assert response.buffered() == b"%d" % number
            await response.aclose()
        assert server.accepted == 1


class Listener:
    def __init__(self, found: Http11Begun) -> None:
        self.found = found
        self.heard = asyncio.Semaphore(0)

    def hear(self) -> None:
        self.heard.release()


async def test_who_listens_hears_of_every_part_until_the_end_and_is_let_go_of_then(own: Http11Upstream) -> None:
    go_on = asyncio.Event()

    async def in_parts(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.request()
        for part in (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n", b"1\r\nb\r\n0\r\n\r\n"):
            await peer.send(part)
            await go_on.wait()
            go_on.clear()

    async with RawServer(in_parts) as server:
        found = await begun(own, server)
        listener = Listener(found)
        found.notify(listener.hear)
        told: list[tuple[bytes | None, bool]] = []
        for _ in range(3):
            async with asyncio.timeout(10):
                await listener.heard.acquire()
            response = found.arrived()
            assert response is not None
            told.append((response.take(), response.going_on))
            go_on.set()
        assert told == [(None, True), (b"a", True), (b"b", False)]
        response = None
        gone = weakref.ref(listener)
        del listener, found
        # Without any search for garbage.
        assert gone() is None


async def test_a_connection_that_was_closed_meanwhile_is_replaced(own: Http11Upstream) -> None:
    async def twice(peer: Peer) -> None:
        _, body = await peer.request()
        await peer.answer(body)
        if peer.number == 1:
            await peer.request()

    async with RawServer(twice) as server:
        found = await begun(own, server, b"again")
        await listened(found)
        assert found.arrived() is None
        assert await read_all(await found.answer()) == b"again"
        assert server.accepted == 2


async def test_silence_ends_in_the_same_error_as_when_it_is_awaited(own: Http11Upstream) -> None:
    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.request()
        await peer.gone()

    async with RawServer(silent) as server:
        found = await begun(own, server, first_byte=0.2)
        await listened(found)
        with pytest.raises(UpstreamError) as caught:
            await found.answer()
        assert (caught.value.kind, caught.value.sent) == ("timeout", True)
        await server.all_closed()


async def test_giving_up_closes_the_connection_and_tells_nobody(own: Http11Upstream) -> None:
    async def waits(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.request()
        assert await peer.gone()

    async with RawServer(waits) as server:
        found = await begun(own, server)
        found.notify(lambda: pytest.fail("told of an answer that nobody waits for"))
        found.give_up()
        found.give_up()
        await server.all_closed()


async def test_headers_that_are_kept_are_checked_as_others_are(own: Http11Upstream) -> None:
    async with RawServer(echo) as server:
        kept = KeptHeaders([(b"x-one", b"1")])
        for _ in range(2):
            await read_all(await own.send(call(server, headers=kept)))
        assert kept.encoded == b"x-one: 1"
        for bad in ((b"x-two", b"1\r\nx-three: 2"), (b"content-length", b"7"), (b"bad name", b"1")):
            with pytest.raises(UpstreamError, match="not sent"):
                own.begin(call(server, headers=KeptHeaders([bad])))
        # What is refused must not cost a connection.
        assert await read_all(await own.send(call(server))) == b"{}"
        assert server.accepted == 1


async def test_the_other_client_always_waits() -> None:
    client = HttpxUpstream(allow_private=True)
    async with RawServer(echo) as server:
        await read_all(await client.send(call(server)))
        assert client.begin(call(server)) is None
    await client.aclose()
