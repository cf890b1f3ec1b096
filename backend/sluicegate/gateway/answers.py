"""What a provider's answer has to be before any of it reaches a caller."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator

from sluicegate.gateway.headers import value_of
from sluicegate.ports.upstream import RawHeaders, UpstreamError, UpstreamResponse

MAX_ANSWER = 64 * 1024 * 1024
_GZIP = (b"gzip", b"x-gzip")
UNCODED = (b"", b"identity")
PLAIN = (*UNCODED, *_GZIP)
"""Codings of a body that is plain, or that `plain` and `readable` take away."""
_DECODE_STEP = 1024 * 1024
_CODING = b"content-encoding"
EMPTY = (204, 205)
"""Statuses behind which no body may stand, not even the gateway's own last word."""


class UnfitAnswer(Exception):
    """The provider answered, but not with what was asked for. The text is for the caller; `broke_off` is what ended an
    answer before its end."""

    def __init__(self, message: str, broke_off: UpstreamError | None = None) -> None:
        super().__init__(message)
        self.broke_off = broke_off


def check(response: UpstreamResponse) -> None:
    """Raises UnfitAnswer for a success that sends the caller elsewhere, or that nobody here could read."""
    if 300 <= response.status < 400:
        raise UnfitAnswer("The model's provider answered with a redirect, which is not followed.")
    if response.status in EMPTY:
        raise UnfitAnswer("The model's provider answered with nothing.")
    if response.status < 300 and coding_of(response.headers) not in PLAIN:
        raise UnfitAnswer("The model's provider answered in a coding that it was not asked for.")


def coding_of(headers: RawHeaders) -> bytes:
    """In lower case; empty for none."""
    return value_of(headers, _CODING)


async def whole(response: UpstreamResponse) -> bytes:
    """The body as it was sent; raises UnfitAnswer for one that breaks off or has no end."""
    body = response.buffered()
    if body is not None:
        return body
    chunks: list[bytes] = []
    size = 0
    try:
        while chunk := await response.read():
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER:
                raise UnfitAnswer("The model's provider sent an answer that is too large.")
    except UpstreamError as error:
        raise UnfitAnswer("The model's provider broke its answer off.", error) from None
    return b"".join(chunks)


def plain(body: bytes, coding: bytes) -> bytes | None:
    """A whole body without its coding; None when it cannot be had."""
    if coding not in _GZIP:
        return body
    decoder = zlib.decompressobj(wbits=31)
    try:
        decoded = decoder.decompress(body, MAX_ANSWER)
    except zlib.error:
        return None
    return decoded if decoder.eof else None


def uncoded(headers: RawHeaders) -> RawHeaders:
    return [header for header in headers if header[0] != _CODING]


def readable(response: UpstreamResponse) -> UpstreamResponse:
    """The same answer as a stream of plain bytes: a provider may compress though it was asked not to, and what the
    gateway has to say itself at the end of a stream could not follow compressed bytes."""
    return _Gunzipped(response) if value_of(response.headers, _CODING) in _GZIP else response


class _Gunzipped:
    """Decodes in small steps, because a few bytes can stand for gigabytes."""

    def __init__(self, response: UpstreamResponse) -> None:
        self.status = response.status
        self.headers = uncoded(response.headers)
        self._response = response
        self._pieces: Iterator[bytes] = iter(())
        self._decoder = zlib.decompressobj(wbits=31)

    def buffered(self) -> bytes | None:
        return None

    async def read(self) -> bytes:
        try:
            while True:
                for piece in self._pieces:
                    # The others' turn: a caller who has left holds nothing up, and nothing else here waits.
                    await asyncio.sleep(0)
                    return piece
                chunk = await self._response.read()
                if not chunk:
                    return b""
                self._pieces = self._decoded(chunk)
        except zlib.error as error:
            raise UpstreamError("protocol", str(error), before_first_byte=False, sent=True) from None

    def _decoded(self, chunk: bytes) -> Iterator[bytes]:
        """Raises zlib.error. One gzip member may follow another."""
        while chunk:
            if self._decoder.eof:
                self._decoder = zlib.decompressobj(wbits=31)
            if piece := self._decoder.decompress(chunk, _DECODE_STEP):
                yield piece
            chunk = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail

    async def aclose(self) -> None:
        await self._response.aclose()
