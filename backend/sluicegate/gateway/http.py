"""Reading requests and sending answers on bare ASGI."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from sluicegate.policy.refusals import Refusal, invalid_request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]

JSON_TYPE = (b"content-type", b"application/json")


class ClientGone(Exception):
    """The caller hung up before the request was complete."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first value of a header; ASGI gives names in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            return value
    return None


def too_large(limit: int) -> Refusal:
    return invalid_request(f"The request body is larger than {limit:,} bytes.", status=413)


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body, decoded from gzip or deflate; raises Refusal past `limit` bytes, before buffering them."""
    declared = header(scope, b"content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        body = await _read_rest(receive, body, limit)
    elif message["type"] == "http.disconnect":
        raise ClientGone
    if len(body) > limit:
        raise too_large(limit)
    encoding = header(scope, b"content-encoding")
    return body if encoding is None else _decode(body, encoding.strip().lower(), limit)


async def _read_rest(receive: Receive, first: bytes, limit: int) -> bytes:
    parts, size, more = [first], len(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def _decode(body: bytes, encoding: bytes, limit: int) -> bytes:
    if encoding in (b"identity", b""):
        return body
    if encoding not in (b"gzip", b"deflate", b"x-gzip"):
        shown = encoding[:20].decode("latin-1")
        raise invalid_request(f"The content encoding '{shown}' is not supported; send gzip or plain.", status=415)
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        plain = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise invalid_request("The request body is not valid gzip.") from None
    if len(plain) > limit:
        raise too_large(limit)
    return plain


async def send_whole(send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
    """One answer with its length."""
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, status: int, headers: RawHeaders, value: Any) -> None:
    await send_whole(send, status, [JSON_TYPE, *headers], msgspec.json.encode(value))
