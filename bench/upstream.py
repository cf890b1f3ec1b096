"""The benchmark's provider in Python, for machines without a C compiler; `upstream.c` says what it does.

It takes far more of its core than the compiled one, so throughput measured with it is a lower bound.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from typing import cast

import httptools
import uvloop

_CONTROL = re.compile(rb"(events|pace_us)=(\d+)")
_HEAD = b'"id":"chatcmpl-bench","created":1760000000,"model":"bench-model",'
_ANSWER = (
    b"{" + _HEAD + b'"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"'
    b"%s" + b'"},"logprobs":null,"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1200,"completion_tokens":180,"total_tokens":1380,'
    b'"prompt_tokens_details":{"cached_tokens":1024,"audio_tokens":0}}}'
) % (b"a" * 600)
_SIZED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_DELTA = b"data: {" + _HEAD + b'"choices":[{"index":0,"delta":{"content":"@%d@"},"finish_reason":null}]}\n\n'
_USAGE = (
    b"data: {" + _HEAD + b'"choices":[],"usage":{"prompt_tokens":1200,"completion_tokens":50,"total_tokens":1250}}\n\n'
)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _event() -> bytes:
    return _chunk(_DELTA % time.monotonic_ns())


_STREAM_END = _chunk(_USAGE) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Provider(asyncio.Protocol):
    """One connection; how streams look is set for all of them together."""

    events = 50
    pace = 0.0
    answers = streams = 0

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._url = b""
        self._pacing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._pacing is not None:
            self._pacing.cancel()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self._body)
        self._body.clear()
        if self._url.startswith(b"/control"):
            for name, value in _CONTROL.findall(self._url):
                if name == b"events":
                    Provider.events = int(value)
                else:
                    Provider.pace = int(value) / 1e6
            counts = b'{"answers":%d,"streams":%d}' % (Provider.answers, Provider.streams)
            self._transport.write(_SIZED % (len(counts), counts))
            return
        if b'"stream":true' not in body and b'"stream": true' not in body:
            Provider.answers += 1
            self._transport.write(_SIZED % (len(_ANSWER), _ANSWER))
            return
        Provider.streams += 1
        if self.pace:
            self._transport.write(_STREAM)
            self._send_paced(self.events)
        else:
            events = b"".join(_event() for _ in range(self.events))
            self._transport.write(_STREAM + events + _STREAM_END)

    def _send_paced(self, left: int) -> None:
        if not left:
            self._transport.write(_STREAM_END)
            return
        self._transport.write(_event())
        self._pacing = asyncio.get_running_loop().call_later(self.pace, self._send_paced, left - 1)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
