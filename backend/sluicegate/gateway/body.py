"""Request bodies: read within a cap, decoded within the same cap."""

from __future__ import annotations

import asyncio
import zlib

from sluicegate.gateway.asgi import ClientGone, Request
from sluicegate.policy.refusals import Refusal, invalid_request

# What is still read of a body that is too large, so that its sender gets to see the answer instead of a broken pipe.
_MAX_DRAIN = 64 * 1024 * 1024
_DRAIN_SECONDS = 5.0
_DECODE_IN_THREAD = 256 * 1024


async def read_body(request: Request, limit: int) -> bytes:
    """The decoded body. Raises Refusal when it is too large or in an unknown coding, ClientGone when it ends early.

    A body that announces its size is refused unread: the server drops what still comes after the answer.
    """
    announced = request.fields.get(b"content-length", b"")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    coding = request.fields.get(b"content-encoding", b"").lower()
    if coding not in (b"", b"identity", b"gzip", b"x-gzip"):
        shown = coding[:40].decode("latin-1")
        raise invalid_request(f"The content encoding '{shown}' is not supported; send plain JSON or gzip.", status=415)
    body = await _collect(request, limit)
    if coding in (b"", b"identity"):
        return body
    if len(body) > _DECODE_IN_THREAD:
        return await asyncio.to_thread(_gunzip, body, limit)
    return _gunzip(body, limit)


async def _collect(request: Request, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        if not chunks and not more and len(chunk) <= limit:
            return chunk
        size += len(chunk)
        if size > limit:
            chunks.clear()
            if more:
                await _drain(request)
            raise _too_large(limit)
        chunks.append(chunk)
        if not more:
            return b"".join(chunks)


async def _drain(request: Request) -> None:
    left = _MAX_DRAIN
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while left > 0:
                message = await request.receive()
                if message["type"] != "http.request":
                    raise ClientGone
                if not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
    except TimeoutError:
        return


def _gunzip(data: bytes, limit: int) -> bytes:
    decoder = zlib.decompressobj(wbits=31)
    try:
        body = decoder.decompress(data, limit + 1)
    except zlib.error:
        raise invalid_request("The body is not valid gzip, though its content encoding says so.") from None
    if len(body) > limit:
        raise _too_large(limit)
    if not decoder.eof:
        raise invalid_request("The gzip body ends too early.")
    return body


def _too_large(limit: int) -> Refusal:
    return invalid_request(f"The request body is larger than the {limit:,} bytes that are allowed here.", status=413)
