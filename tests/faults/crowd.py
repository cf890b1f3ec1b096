"""Callers who go on calling while things break, a provider that keeps its own books, and the two compared."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from fakes.http_server import Connection
from fakes.provider import Exchange, Outcome, Provider
from fakes.script import Step
from gateway.bench import CHAT, CREDENTIAL, MESSAGES, PRICES, chat, messages
from sluicegate.domain.usage import CallRecord, TokenUsage, cost_of
from sluicegate.ports.upstream import RawHeaders

_CALLERS = 8
_TIMEOUT = 20.0


def usage_of(number: int, *, anthropic: bool) -> TokenUsage:
    """What the provider reports for a call: other figures for each, so that no mix-up adds up to the same."""
    draw = random.Random(number)
    written = (draw.randrange(50), draw.randrange(50)) if anthropic else (0, 0)
    return TokenUsage(1 + draw.randrange(5000), draw.randrange(90_000), *written, 1 + draw.randrange(900))


class Bookkeeper(Provider):
    """Answers each call with its own figures, some slowly and in pieces, and counts what it answered. `slowly` is how
    many seconds more each takes between the head and the body of its answer."""

    slowly = 0.0

    async def _serve(self, connection: Connection, method: str, target: str, headers: RawHeaders, body: bytes) -> None:
        number = number_in(json.loads(body))
        pause = number % 5 * 0.01
        usage = usage_of(number, anthropic=target.startswith(MESSAGES))
        self.next(
            Step(usage=usage, stall_before=pause, stall_after=pause + self.slowly, split=None if number % 3 else 700)
        )
        await super()._serve(connection, method, target, headers, body)

    def counted(self) -> dict[int, tuple[TokenUsage, Outcome]]:
        """By call what it reported, and whether the gateway took it all; fails when a call came twice."""
        seen = [(number_in(exchange.json), exchange) for exchange in self.log]
        assert max(Counter(number for number, _ in seen).values(), default=0) <= 1
        return {number: (_usage_in(number, exchange), exchange.outcome) for number, exchange in seen}


def number_in(body: Any) -> int:
    return int(body["user"] if "user" in body else body["metadata"]["user_id"])


def _usage_in(number: int, exchange: Exchange) -> TokenUsage:
    return usage_of(number, anthropic=exchange.path == MESSAGES)


@dataclass
class Crowd:
    """Numbers of calls by what became of them, as the callers saw it: `answered` to the last byte, `refused` with a
    status from 400 on, `lost` otherwise. `urls` is where they call, in turn, nowhere while nobody listens; `pause` is
    how many seconds each lets pass between two calls."""

    urls: Sequence[str] = ()
    pause: float = 0.0
    answered: set[int] = field(default_factory=set[int])
    refused: dict[int, int] = field(default_factory=dict[int, int])
    lost: set[int] = field(default_factory=set[int])
    _numbers: count[int] = field(default_factory=count)

    @asynccontextmanager
    async def calling(self, *urls: str) -> AsyncIterator[Crowd]:
        """Until the block ends; then every call is at its end."""
        self.urls = urls
        going = True

        async def caller() -> None:
            async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
                while going:
                    await self._call(client)
                    await asyncio.sleep(self.pause)

        tasks = [asyncio.create_task(caller()) for _ in range(_CALLERS)]
        try:
            yield self
        finally:
            going = False
            await asyncio.gather(*tasks)

    async def until_answered(self, more: int, within: float = 30.0) -> None:
        """Until so many more calls were answered."""
        wanted = len(self.answered) + more
        async with asyncio.timeout(within):
            while len(self.answered) < wanted:  # noqa: ASYNC110 - callers signal nobody
                await asyncio.sleep(0.01)

    async def _call(self, client: httpx.AsyncClient) -> None:
        if not self.urls:
            await asyncio.sleep(0.01)
            return
        number = next(self._numbers)
        # Of the four ways to call, each is tried everywhere.
        url = self.urls[number // len(_CALLS) % len(self.urls)]
        path, body = _CALLS[number % len(_CALLS)]
        named = {"metadata": {"user_id": str(number)}} if path == MESSAGES else {"user": str(number)}
        headers = {"authorization": f"Bearer {CREDENTIAL.text}", "x-session-id": str(number)}
        try:
            answer = await client.post(f"{url}{path}", json=body | named, headers=headers)
        except httpx.TransportError:
            self.lost.add(number)
            await asyncio.sleep(0.02)
            return
        if answer.status_code >= 400:
            self.refused[number] = answer.status_code
            await asyncio.sleep(0.02)
        elif body.get("stream") and _END[path] not in answer.content:
            self.lost.add(number)
        else:
            self.answered.add(number)


_CALLS: Sequence[tuple[str, dict[str, Any]]] = (
    (CHAT, chat()),
    (CHAT, chat(stream=True)),
    (MESSAGES, messages()),
    (MESSAGES, messages(stream=True)),
)
_END = {CHAT: b"data: [DONE]", MESSAGES: b'"message_stop"'}


def compare(provider: Bookkeeper, crowd: Crowd, ledger: Sequence[CallRecord]) -> None:
    """Every call that the provider answered is one row, and each row that ended well holds, to the token and the
    nano-dollar, what the provider counted. Calls that were cut short stand at their estimate, and say so."""
    rows = {int(record.session_id or -1): record for record in ledger}
    assert len(rows) == len(ledger), "a call is in the ledger twice"
    counted = provider.counted()
    assert crowd.answered <= rows.keys()
    assert crowd.answered <= counted.keys()
    for number, record in rows.items():
        if record.outcome == "ok":
            usage, _ = counted[number]
            assert record.usage == usage, number
            assert record.cost_nanos == cost_of(usage, PRICES)
            assert not record.estimated
        else:
            assert number not in crowd.answered
            assert record.estimated or record.outcome == "aborted", record
    missing = counted.keys() - rows.keys()
    assert not missing, "the provider was asked, and the ledger does not know"
    exact = [number for number, record in rows.items() if record.outcome == "ok"]
    sums = [sum(column) for column in zip(*(told_of(counted[number][0]) for number in exact), strict=True)]
    assert sums == [sum(column) for column in zip(*(told_of(rows[n].usage) for n in exact), strict=True)]


def told_of(usage: TokenUsage) -> tuple[int, ...]:
    return usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h, usage.output


async def eventually(check: Any, within: float = 30.0) -> None:
    """Until `check` no longer fails."""
    async with asyncio.timeout(within):
        while True:
            with suppress(AssertionError):
                check()
                return
            await asyncio.sleep(0.05)
