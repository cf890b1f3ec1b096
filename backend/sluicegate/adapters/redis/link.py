"""How this process stands with Redis: its line, the epoch that it has entered, and the difference of the clocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sluicegate.adapters.redis.line import Away, Line, Reply, connect
from sluicegate.adapters.redis.scripts import DIGESTS, GONE, SOURCES
from sluicegate.kit.clock import Clock
from sluicegate.kit.ids import new_id

_HOLD_SECONDS = 10
# Other processes that have not been heard of for so long are not counted on any more.
_GONE_AFTER = 10.0


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """All in seconds. An answer may take `patience`; a call whose process tells nothing of it for `lease` is taken for
    dead; processes tell that they live every `beat` and look for a lost Redis every `retry`; for `grace` after
    Redis was emptied nobody reads records, so that all processes have written down what they know."""

    patience: float = 0.3
    lease: float = 120.0
    beat: float = 1.0
    retry: float = 0.25
    grace: float = 2.0


class Link:
    """`server_time` stands in for Redis's own time; `lost` is told why the line ended."""

    def __init__(
        self,
        url: str,
        prefix: str,
        clock: Clock,
        options: RedisOptions,
        server_time: Callable[[], float] | None,
        lost: Callable[[Exception], None],
    ) -> None:
        self._url = url
        self._key = f"{{{prefix}}}:epoch"
        self._clock = clock
        self._server_time = server_time
        self._lost = lost
        self._line: Line | None = None
        self._processes_at = 0.0
        self.options = options
        self.node = new_id()
        self.epoch = ""
        # What the monotonic clock lacks to the clock of Redis, and by how much that may be wrong.
        self.offset = self.doubt = 0.0
        self.processes = 1
        # How often all were asked to tell of calls that ended and are not in the records yet.
        self.asked = 0

    def now(self) -> float:
        """By the clock of Redis, as far as it is known here."""
        return self._clock.monotonic() + self.offset

    def call(self, script: str, *args: str | bytes | int | float) -> asyncio.Future[Reply]:
        if self._line is None:
            answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            answer.set_exception(Away("there is no connection"))
            return answer
        time = "" if self._server_time is None else repr(self._server_time())
        return self._line.send("EVALSHA", DIGESTS[script], 1, self._key, self.epoch, time, *args)

    async def ask(self, script: str, *args: str | bytes | int | float) -> Reply:
        """As `call`; raises Away also where the epoch is over."""
        reply = await self.call(script, *args)
        if reply[0] == GONE:
            raise Away("Redis was emptied")
        return reply

    async def open(self) -> None:
        """A new line, with all scripts at its other end; raises Away."""
        await self.close()
        self._line = await connect(self._url, self.options.patience, self._lost)
        await asyncio.gather(*(self._line.send("SCRIPT", "LOAD", source) for source in SOURCES.values()))

    async def enter(self) -> float:
        """Enters the present epoch; gives how many seconds it is still too young for records to be read."""
        if self._line is None:
            raise Away("there is no connection")
        run = _run_of(await self._line.send("INFO", "server"))
        sent = self._clock.monotonic()
        reply = await self.call("join", new_id(), run, self.node, _HOLD_SECONDS)
        _, now, processes, epoch, start = reply
        self.epoch = epoch.decode()
        self._set_clock(sent, now)
        self._note_processes(processes)
        return max(0.0, float(start) + self.options.grace - float(now))

    async def beat(self, flag: str, leases: list[str]) -> None:
        sent = self._clock.monotonic()
        _, now, processes, self.asked = await self.ask("beat", self.node, flag, self.options.lease, *leases)
        self._set_clock(sent, now)
        self._note_processes(processes)

    async def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    def _set_clock(self, sent: float, now: Any) -> None:
        heard = self._clock.monotonic()
        self.offset, self.doubt = float(now) - (sent + heard) / 2, (heard - sent) / 2

    def _note_processes(self, found: int) -> None:
        """Fewer only after a while: on a Redis that was emptied, others are just coming back."""
        now = self._clock.monotonic()
        if found >= self.processes:
            self._processes_at = now
        if found >= self.processes or now - self._processes_at > _GONE_AFTER:
            self.processes = max(1, found)


def _run_of(info: bytes) -> str:
    for line in info.splitlines():
        if line.startswith(b"run_id:"):
            return line.removeprefix(b"run_id:").decode()
    return ""
