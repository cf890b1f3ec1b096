"""Asking an issuer: bounded in size and time, and sent nowhere else."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sluicegate.ports.sso import ProviderUnreachable
from sluicegate.ports.upstream import Origin, RawHeaders, Timeouts, Upstream, UpstreamError, UpstreamRequest

MAX_BYTES = 512 * 1024
_HEADERS: RawHeaders = [
    (b"accept", b"application/json"),
    (b"accept-encoding", b"identity"),
    (b"user-agent", b"Sluicegate-SSO/1"),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """`content` is None where the body is not a JSON object."""

    status: int
    content: dict[str, Any] | None


class Fetcher:
    """`seconds` is what one answer may take from first to last byte."""

    def __init__(self, upstream: Upstream, seconds: float) -> None:
        self._upstream = upstream
        self._seconds = seconds
        self._timeouts = Timeouts(connect=seconds, first_byte=seconds, idle=seconds)

    async def document(self, url: str, headers: RawHeaders | None = None) -> dict[str, Any]:
        """A JSON object that has to be there; raises ProviderUnreachable."""
        answer = await self.ask("GET", url, headers or [])
        if answer.status != 200:
            raise ProviderUnreachable(f"{place_of(url)} answers with status {answer.status}.")
        if answer.content is None:
            raise ProviderUnreachable(f"{place_of(url)} does not answer with a JSON object.")
        return answer.content

    async def ask(self, method: str, url: str, headers: RawHeaders, body: bytes = b"") -> Answer:
        """Raises ProviderUnreachable, also for a redirect."""
        try:
            async with asyncio.timeout(self._seconds):
                status, text = await self._exchange(method, url, headers, body)
        except TimeoutError:
            raise ProviderUnreachable(f"{place_of(url)} gives no answer within {self._seconds:g} seconds.") from None
        except UpstreamError as error:
            raise ProviderUnreachable(f"{place_of(url)} cannot be reached: {error}") from None
        if 300 <= status < 400:
            raise ProviderUnreachable(f"{place_of(url)} sends elsewhere (status {status}); redirects are not followed.")
        return Answer(status, _object(text))

    async def _exchange(self, method: str, url: str, headers: RawHeaders, body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = UpstreamRequest(Origin.of(parts), method, target, [*_HEADERS, *headers], body, self._timeouts)
        response = await self._upstream.send(request)
        try:
            text = bytearray()
            while chunk := await response.read():
                text += chunk
                if len(text) > MAX_BYTES:
                    raise ProviderUnreachable(f"{place_of(url)} answers with more than {MAX_BYTES} bytes.")
            return response.status, bytes(text)
        finally:
            await response.aclose()


def place_of(url: str) -> str:
    """Without a query, in which anything may stand."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
