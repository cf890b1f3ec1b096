"""Which model answered, as the provider names it: often another than was asked for, such as one with a date."""

from __future__ import annotations

import re
from collections.abc import Callable

from sluicegate.adapters.tracing.spans import Attempt
from sluicegate.ports.upstream import Arriving, UpstreamResponse

# What callers and models write stands in strings, where each of these quotes has a backslash before it.
_MODEL = re.compile(rb'"model(?:Version)?"\s*:\s*"([\w.:/@ -]{1,200})"', re.ASCII)
_LONGEST = 300
# In every protocol the first event names it, which may repeat a long prompt before that.
_MOST = 256 * 1024


class Overheard:
    """Implements ports.upstream.UpstreamResponse over another one, and notes the model once it comes by."""

    def __init__(self, response: UpstreamResponse, attempt: Attempt) -> None:
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._attempt = attempt
        self._beginning = bytearray()
        self._listens = True

    def buffered(self) -> bytes | None:
        body = self._response.buffered()
        if body is not None and self._listens:
            self._hear(body)
        return body

    async def read(self) -> bytes:
        data = await self._response.read()
        if self._listens:
            self._hear(data)
        return data

    async def aclose(self) -> None:
        await self._response.aclose()

    def _hear(self, data: bytes) -> None:
        # The name may be cut in two.
        since = max(0, len(self._beginning) - _LONGEST)
        self._beginning += data
        found = _MODEL.search(self._beginning, since)
        if found is not None:
            self._attempt.answered_by = found[1].decode()
        if found is not None or not data or len(self._beginning) > _MOST:
            self._listens = False
            self._beginning.clear()


class OverheardArriving(Overheard):
    """Implements ports.upstream.Arriving in the same way."""

    def __init__(self, response: Arriving, attempt: Attempt) -> None:
        super().__init__(response, attempt)
        self._arriving = response

    @property
    def going_on(self) -> bool:
        return self._arriving.going_on

    @property
    def size(self) -> int:
        return self._arriving.size

    def take(self) -> bytes | None:
        data = self._arriving.take()
        if data is not None and self._listens:
            self._hear(data)
        return data

    def notify(self, listener: Callable[[], None] | None) -> None:
        self._arriving.notify(listener)

    def discard(self) -> None:
        self._arriving.discard()
