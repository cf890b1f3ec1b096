"""When connections are used again, retried, bounded, timed out and dropped."""

from __future__ import annotations

import asyncio
import os

import pytest

from fakes.raw_server import Peer, RawServer, until
from sluicegate.adapters.upstream import Http11Upstream
from sluicegate.adapters.upstream.httpx_client import HttpxUpstream
from sluicegate.ports.upstream import Timeouts, UpstreamError
from upstream.calls import call, read_all
from upstream.conftest import AnyUpstream, MakeUpstream

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


async def echo(peer: Peer) -> None:
    while True:
        _, body = await peer.request()
        await peer.answer(body)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def open_sockets() -> int:
    links = (os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd"))
    return sum("socket:" in link for link in links)


async def test_one_connection_serves_one_request_after_another(upstream: AnyUpstream) -> None:
    async with RawServer(echo) as server:
        for number in range(20):
            body = b"%d" % number
            assert await read_all(await upstream.send(call(server, body=body))) == body
        assert server.accepted == 1


async def test_a_server_that_says_close_is_believed(upstream: AnyUpstream) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(head=b"Connection: close\r\n")
        assert await peer.gone()

    async with RawServer(script) as server:
        for _ in range(2):
            assert await read_all(await upstream.send(call(server))) == b"ok"
        assert server.accepted == 2


async def test_two_hundred_at_once_each_get_their_own_answer(upstream: AnyUpstream) -> None:
    async def one(server: RawServer, number: int) -> None:
        body = b"%d" % number * 50
        assert await read_all(await upstream.send(call(server, body=body))) == body

    async with RawServer(echo) as server:
        await asyncio.gather(*(one(server, number) for number in range(200)))
        assert server.accepted <= 200


async def test_an_idle_connection_that_closed_in_the_meantime_costs_one_retry(upstream: AnyUpstream) -> None:
    async def script(peer: Peer) -> None:
        head, _ = await peer.request()
        await peer.answer()
        if peer.number == 1:
            # The next request is taken from the wire but never looked at, as in a close that crossed it.
            await peer.request()
            return
        seen.append(head)
        await peer.gone()

    seen: list[bytes] = []
    async with RawServer(script) as server:
        assert await read_all(await upstream.send(call(server))) == b"ok"
        assert await read_all(await upstream.send(call(server))) == b"ok"
        assert server.accepted == 2
        assert len(seen) == 1


async def test_the_retry_is_not_retried(upstream: AnyUpstream) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number == 1:
            await peer.answer()
            await peer.request()

    async with RawServer(script) as server:
        assert await read_all(await upstream.send(call(server))) == b"ok"
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(call(server))
        assert (caught.value.kind, caught.value.before_first_byte, caught.value.sent) == ("closed", True, True)
        assert server.accepted == 2


async def test_a_new_connection_that_closes_without_an_answer_is_not_retried(upstream: AnyUpstream) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()

    async with RawServer(script) as server:
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(call(server))
        assert (caught.value.kind, caught.value.before_first_byte, caught.value.sent) == ("closed", True, True)
        assert server.accepted == 1


@pytest.mark.parametrize("part", [b"H", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_a_request_that_was_partly_answered_is_not_retried(upstream: AnyUpstream, part: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        await peer.request()
        await peer.send(part)

    async with RawServer(script) as server:
        assert await read_all(await upstream.send(call(server))) == b"ok"
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(call(server))
        assert (caught.value.kind, caught.value.before_first_byte, caught.value.sent) == ("closed", False, True)
        assert server.accepted == 1


async def test_a_reset_in_the_middle_of_a_body_is_a_closed_error(upstream: AnyUpstream) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD + chunk(b"one"))
        await read_first.wait()
        peer.reset()

    read_first = asyncio.Event()
    async with RawServer(script) as server:
        response = await upstream.send(call(server))
        assert await response.read() == b"one"
        read_first.set()
        with pytest.raises(UpstreamError) as caught:
            await response.read()
        assert (caught.value.kind, caught.value.before_first_byte) == ("closed", False)
        await response.aclose()


async def test_nobody_listening_is_a_connect_error_with_nothing_sent(upstream: AnyUpstream) -> None:
    async with RawServer(echo) as server:
        request = call(server)
    with pytest.raises(UpstreamError) as caught:
        await upstream.send(request)
    assert (caught.value.kind, caught.value.before_first_byte, caught.value.sent) == ("connect", True, False)


async def test_each_event_of_a_slow_stream_is_handed_on_before_the_next_is_sent(upstream: AnyUpstream) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD)
        for number in range(20):
            await peer.send(chunk(b"data: %d\n\n" % number))
            await received.acquire()
        await peer.send(b"0\r\n\r\n")
        await peer.gone()

    received = asyncio.Semaphore(0)
    async with RawServer(script) as server:
        response = await upstream.send(call(server))
        for number in range(20):
            # The server waits for the semaphore, so anything held back would hang here.
            assert await response.read() == b"data: %d\n\n" % number
            received.release()
        assert await response.read() == b""
        await response.aclose()


@pytest.mark.parametrize(
    ("timeouts", "answer", "before_first_byte"),
    [
        (Timeouts(connect=10, first_byte=0.05, idle=10), b"", True),
        (Timeouts(connect=10, first_byte=0.05, idle=10), b"HTTP/1.1 200 O", False),
    ],
    ids=["silence", "half a status line"],
)
async def test_an_answer_that_does_not_begin_times_out(
    upstream: AnyUpstream, timeouts: Timeouts, answer: bytes, before_first_byte: bool
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)
        assert await peer.gone()

    async with RawServer(script) as server:
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(call(server, timeouts=timeouts))
        assert (caught.value.kind, caught.value.sent) == ("timeout", True)
        assert caught.value.before_first_byte == before_first_byte
        await server.all_closed()
        assert server.accepted == 1


async def test_a_stream_that_falls_silent_times_out(upstream: AnyUpstream) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD + chunk(b"one"))
        assert await peer.gone()

    async with RawServer(script) as server:
        response = await upstream.send(call(server, timeouts=Timeouts(connect=10, first_byte=10, idle=0.05)))
        assert await response.read() == b"one"
        with pytest.raises(UpstreamError) as caught:
            await response.read()
        assert (caught.value.kind, caught.value.before_first_byte) == ("timeout", False)
        await response.aclose()
        await server.all_closed()


async def test_a_request_that_nobody_takes_times_out(upstream: AnyUpstream) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        await done.wait()

    done = asyncio.Event()
    async with RawServer(script) as server:
        timeouts = Timeouts(connect=10, first_byte=10, idle=0.2)
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(call(server, body=bytes(50_000_000), timeouts=timeouts))
        assert (caught.value.kind, caught.value.before_first_byte, caught.value.sent) == ("timeout", True, True)
        done.set()


async def test_a_long_request_body_arrives_whole(upstream: AnyUpstream) -> None:
    async def script(peer: Peer) -> None:
        while True:
            await asyncio.sleep(0.01)
            _, body = await peer.request()
            await peer.answer(b"%d %d" % (len(body), hash(body)))

    async with RawServer(script) as server:
        for size in (70_000, 1_000_000, 20_000_000):
            body = os.urandom(1000) * (size // 1000)
            answer = await read_all(await upstream.send(call(server, body=body)))
            assert answer == b"%d %d" % (len(body), hash(body))
        assert server.accepted == 1


async def test_a_reader_that_pauses_stops_the_provider_and_still_gets_everything(upstream: AnyUpstream) -> None:
    size = 60_000_000

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 100_000):
            await peer.send(bytes(100_000))
            sent.append(100_000)
        await peer.request()
        await peer.answer()

    sent: list[int] = []
    async with RawServer(script) as server:
        response = await upstream.send(call(server, timeouts=Timeouts(connect=10, first_byte=10, idle=0.3)))
        # Silence while nobody reads is not the provider's, so this must not time out either.
        await asyncio.sleep(0.6)
        assert sum(sent) < size / 2
        total = 0
        while part := await response.read():
            total += len(part)
        assert total == size
        await response.aclose()
        assert await read_all(await upstream.send(call(server))) == b"ok"
        assert server.accepted == 1


async def test_closing_before_the_end_drops_the_connection(upstream: AnyUpstream) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD + chunk(b"one"))
        assert await peer.gone()

    async with RawServer(script) as server:
        response = await upstream.send(call(server))
        assert await response.read() == b"one"
        await response.aclose()
        await response.aclose()
        await server.all_closed()
        with pytest.raises(UpstreamError):
            await response.read()


@pytest.mark.parametrize("answered", [False, True], ids=["waiting for the head", "reading"])
async def test_cancelling_closes_the_connection_and_leaves_no_task(upstream: AnyUpstream, answered: bool) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if answered:
            await peer.send(STREAM_HEAD + chunk(b"one"))
        reached.set()
        assert await peer.gone()

    async def relay() -> None:
        response = await upstream.send(call(server))
        try:
            while await response.read():
                pass
        finally:
            await response.aclose()

    reached = asyncio.Event()
    async with RawServer(script) as server:
        before = len(asyncio.all_tasks())
        task = asyncio.create_task(relay())
        await reached.wait()
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.all_closed()
        assert len(asyncio.all_tasks()) == before
        second = asyncio.create_task(relay())
        await until(lambda: server.accepted == 2)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second


async def test_no_more_than_the_bound_are_open_and_the_others_wait_their_turn(make: MakeUpstream) -> None:
    async def script(peer: Peer) -> None:
        nonlocal busy
        while True:
            _, body = await peer.request()
            busy.append(body)
            assert len(busy) <= 3
            await asyncio.sleep(0.002)
            busy.remove(body)
            order.append(body)
            await peer.answer(body)

    busy: list[bytes] = []
    order: list[bytes] = []
    upstream = make(max_connections=3)
    async with RawServer(script) as server:

        async def one(number: int) -> None:
            body = b"%03d" % number
            assert await read_all(await upstream.send(call(server, body=body))) == body

        await asyncio.gather(*(one(number) for number in range(30)))
        assert server.accepted == 3
        # First come, first served, but for the three that run side by side; httpcore makes no such promise.
        assert isinstance(upstream, HttpxUpstream) or all(
            abs(place - int(body)) <= 3 for place, body in enumerate(order)
        )


async def test_a_waiter_that_was_cancelled_or_ran_out_of_time_takes_no_place(make: MakeUpstream) -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await go_on.wait()
            await peer.answer()

    go_on = asyncio.Event()
    upstream = make(max_connections=1)
    async with RawServer(script) as server:
        first = asyncio.create_task(upstream.send(call(server)))
        await until(lambda: server.accepted == 1)
        waiting = [asyncio.create_task(upstream.send(call(server))) for _ in range(3)]
        await asyncio.sleep(0.01)
        waiting[0].cancel()
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(call(server, timeouts=Timeouts(connect=0.05)))
        assert (caught.value.kind, caught.value.sent) == ("timeout", False)
        go_on.set()
        for task in (first, waiting[1], waiting[2]):
            assert await read_all(await task) == b"ok"
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
        assert await read_all(await upstream.send(call(server))) == b"ok"
        assert server.accepted == 1


async def test_places_survive_cancelling_at_any_moment() -> None:
    """Whatever instant a caller goes away, the next ones still get their connections."""

    async def slow(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            await asyncio.sleep(0)
            await peer.answer(body)

    upstream = Http11Upstream(allow_private=True, max_connections=2)
    async with RawServer(slow) as server:

        async def one() -> bytes:
            return await read_all(await upstream.send(call(server)))

        for turns in range(60):
            tasks = [asyncio.create_task(one()) for _ in range(6)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert results[1::2] == [b"{}"] * 3
        assert await asyncio.gather(*(one() for _ in range(20))) == [b"{}"] * 20
    await upstream.aclose()


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    upstream = Http11Upstream(allow_private=True, idle_expiry=0.05)
    async with RawServer(echo) as server:
        assert await read_all(await upstream.send(call(server))) == b"{}"
        assert server.open == 1
        await server.all_closed()
    await upstream.aclose()


async def test_an_idle_connection_that_speaks_is_not_used_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer()
        if peer.number == 1:
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await peer.gone()

    upstream = Http11Upstream(allow_private=True)
    async with RawServer(script) as server:
        assert await read_all(await upstream.send(call(server))) == b"ok"
        await asyncio.sleep(0.05)
        assert await read_all(await upstream.send(call(server))) == b"ok"
        assert server.accepted == 2
    await upstream.aclose()


async def test_closing_the_client_closes_every_socket_and_ends_every_wait(make: MakeUpstream) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD + chunk(b"one"))
        await peer.gone()

    async with RawServer(script) as server:
        before = open_sockets()
        tasks = len(asyncio.all_tasks())
        upstream = make()
        responses = [await upstream.send(call(server)) for _ in range(5)]
        assert await responses[0].read() == b"one"
        await upstream.aclose()
        await upstream.aclose()
        await server.all_closed()
        for response in responses:
            await response.aclose()
        with pytest.raises(UpstreamError) as caught:
            await upstream.send(call(server))
        assert not caught.value.sent
        await until(lambda: open_sockets() <= before and len(asyncio.all_tasks()) <= tasks)


# A body that is longer than it says, in one write with it and in a later one.
OVERRUNS = {
    "of a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"more"),
    "another answer": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    ),
    "half of one": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\nx-half: "),
    "of chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"\r\n0\r\n\r\n"),
    "behind a hint": (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"x"),
}


@pytest.mark.parametrize("name", OVERRUNS)
@pytest.mark.parametrize("apart", [False, True])
async def test_what_follows_an_answer_is_no_part_of_the_next_one(upstream: AnyUpstream, name: str, apart: bool) -> None:
    whole, more = OVERRUNS[name]
    served = 0

    async def script(peer: Peer) -> None:
        nonlocal served
        while True:
            await peer.request()
            served += 1
            if served > 1:
                await peer.answer(b"next")
            elif apart:
                await peer.send(whole)
                await asyncio.sleep(0.05)
                await peer.send(more)
            else:
                await peer.send(whole + more)

    async with RawServer(script) as server:
        assert await read_all(await upstream.send(call(server))) == b"ok"
        if apart:
            await asyncio.sleep(0.15)
        for _ in range(2):
            assert await read_all(await upstream.send(call(server))) == b"next"
        # The connection that was spoilt served no other request.
        assert server.accepted == 2
