"""The request head as bytes, built so that nothing a caller hands in can add a line of its own."""

from __future__ import annotations

import re
from functools import lru_cache

from sluicegate.ports.upstream import KeptHeaders, Origin, UpstreamError, UpstreamRequest

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_METHOD = re.compile(r"[A-Z]+(?:-[A-Z]+)*")
_TARGET = re.compile(r"/[\x21-\x7e]*")
_HOST = re.compile(r"[0-9A-Za-z._:-]+")
_SCHEMES = ("http", "https")

# The client frames the request itself; a second framing header is how requests are smuggled.
_OWN_HEADERS = frozenset({b"host", b"content-length", b"transfer-encoding"})
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def host_value(origin: Origin) -> bytes:
    """The value of the Host header; refuses an origin that could not be written as one."""
    if origin.scheme not in _SCHEMES:
        raise _refused("the scheme must be http or https")
    if not _HOST.fullmatch(origin.host):
        raise _refused("the host name holds characters that are not allowed")
    return origin.authority.encode()


def check_request(request: UpstreamRequest) -> None:
    """Refuse a method, target or header that would change the shape of the request."""
    _start_line(request.method, request.target)
    for name, value in request.headers:
        _check_name(name)
        if b"\r" in value or b"\n" in value or b"\0" in value:
            raise _refused("a header value holds a line break or a NUL")


def needs_length(request: UpstreamRequest) -> bool:
    return bool(request.body) or request.method in _METHODS_WITH_BODY


def encode_head(request: UpstreamRequest, host: bytes) -> bytes:
    """The head up to and with the empty line; `host` comes from `host_value`."""
    headers = request.headers
    body = request.body
    start = _start_of(request.method, request.target, host)
    block = headers.encoded if type(headers) is KeptHeaders else None
    if block is None:
        block = _encode_block(request)
        if type(headers) is KeptHeaders:
            headers.encoded = block
    end = b"\r\n\r\n" if block else b"\r\n"
    if body or request.method in _METHODS_WITH_BODY:
        return b"%bContent-Length: %d\r\n%b%b" % (start, len(body), block, end)
    return start + block + end


def _encode_block(request: UpstreamRequest) -> bytes:
    headers = request.headers
    for name, _ in headers:
        _check_name(name)
    block = b"\r\n".join(map(b": ".join, headers))
    # Every value is clean exactly when the only line breaks are the ones just put between the headers.
    breaks = len(headers) - 1 if headers else 0
    if block.count(b"\n") != breaks or block.count(b"\r") != breaks or b"\0" in block:
        check_request(request)
    return block


@lru_cache(maxsize=2048)
def _start_of(method: str, target: str, host: bytes) -> bytes:
    return b"%bHost: %b\r\n" % (_start_line(method, target), host)


def _start_line(method: str, target: str) -> bytes:
    if not _METHOD.fullmatch(method):
        raise _refused("the method is not a plain word")
    if not _TARGET.fullmatch(target):
        raise _refused("the target must begin with / and hold only visible ASCII characters")
    return f"{method} {target} HTTP/1.1\r\n".encode("ascii")


@lru_cache(maxsize=2048)
def _check_name(name: bytes) -> None:
    if not TOKEN.fullmatch(name):
        raise _refused("a header name holds characters that are not allowed")
    if name.lower() in _OWN_HEADERS:
        raise _refused(f"the header {name.decode('ascii')} is set by the client itself")


def _refused(reason: str) -> UpstreamError:
    return UpstreamError("protocol", f"The request was not sent: {reason}.")
