"""Runs recurring jobs inside the server, each in one process at a time.

All processes see the same row for a job. Whoever finds it due takes a lease on it, and renews that while the job runs;
a process that dies lets its lease run out, and another one takes over.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from sluicegate.domain.job import JobState
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import AppError, Unavailable
from sluicegate.kit.ids import new_id
from sluicegate.ports.store import Store

log = structlog.get_logger(__name__)
_random = secrets.SystemRandom().random
_LOOK_SECONDS = 15.0
# How long a job is left alone that could not be taken, or whose end could not be written down.
_REST_SECONDS = 10.0
# A server that starts, or starts again, answers those who wait before it looks for chores.
_SETTLE_SECONDS = 2.0
_STOP_SECONDS = 5.0
# A job that was cut off and has not ended is cut off again after so long: it may say goodbye to somebody who does not
# answer, or not have noticed.
_CUT_SECONDS = 0.5
_LEASE = timedelta(seconds=60)
# A run that fails is tried again after 10 s, 20 s, 40 s and so on, but no later than it would be anyway.
_FIRST_RETRY = timedelta(seconds=10)
# Jobs that many processes began together drift apart by up to a tenth of their period.
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do `every` so often. It may be cut off and run again, anywhere, at any time."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]


class Scheduler:
    def __init__(self, store: Store, clock: Clock, jobs: Sequence[Job]) -> None:
        self._store = store
        self._clock = clock
        self._jobs = {job.name: job for job in jobs}
        self._owner = new_id()
        self._known: frozenset[str] = frozenset()
        self._woken: set[str] = set()
        self._nudge = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._rests_until: dict[str, float] = {}
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._loop = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Begins nothing more, and cuts off what has not ended within seconds."""
        if self._loop is not None:
            self._loop.cancel()
            with suppress(asyncio.CancelledError):
                await self._loop
        if running := set(self._running.values()):
            _, late = await asyncio.wait(running, timeout=_STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def wake(self, name: str) -> None:
        """Runs a job at once, or once more where it runs already; from the event loop only."""
        self._woken.add(name)
        self._nudge.set()

    async def run_due(self) -> None:
        """One look, and everything that it finds due, to its end."""
        await self._look()
        await asyncio.gather(*self._running.values())

    async def _work(self) -> None:
        wait = _SETTLE_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._nudge.wait()
            self._nudge.clear()
            try:
                wait = await self._look()
            except Exception as error:
                log.warning("jobs.unreachable", error=type(error).__name__)
                wait = _LOOK_SECONDS

    async def _look(self) -> float:
        """Begins what is due; gives the seconds until something may be due again."""
        await self._pass_on_wakes()
        now = self._clock.now()
        states = {state.name: state for state in await self._states(now) if state.name in self._jobs}
        soonest = now + timedelta(seconds=_LOOK_SECONDS * (1 - _JITTER * _random()))
        for name, state in states.items():
            if name in self._running or state.running(now) or self._rests(name):
                continue
            if state.due_at > now:
                soonest = min(soonest, state.due_at)
                continue
            task = asyncio.create_task(self._attempt(self._jobs[name], state.failures))
            self._running[name] = task
            task.add_done_callback(lambda _, name=name: self._ended(name))
        return max(0.0, (soonest - now).total_seconds())

    def _rests(self, name: str) -> bool:
        return self._clock.monotonic() < self._rests_until.get(name, 0.0)

    async def _pass_on_wakes(self) -> None:
        woken = frozenset(self._woken)
        if woken:
            async with self._store.write() as tx:
                for name in woken:
                    await tx.jobs.wake(name, self._clock.now())
            self._woken -= woken

    async def _states(self, now: datetime) -> list[JobState]:
        missing = self._jobs.keys() - self._known
        if missing:
            async with self._store.write() as tx:
                await tx.jobs.add_missing(sorted(missing), now)
            self._known = frozenset(self._jobs)
        async with self._store.read() as tx:
            return await tx.jobs.all()

    def _ended(self, name: str) -> None:
        del self._running[name]
        self._nudge.set()

    async def _attempt(self, job: Job, failures: int) -> None:
        try:
            if await self._claim(job):
                await self._hold(job, failures)
        except Exception as error:
            # The lease runs out by itself. The job may be as due as before: a database that answers, but takes no
            # changes, would be asked again and again.
            self._rests_until[job.name] = self._clock.monotonic() + _REST_SECONDS
            log.warning("jobs.unreachable", job=job.name, error=type(error).__name__)

    async def _claim(self, job: Job) -> bool:
        now = self._clock.now()
        async with self._store.write() as tx:
            due_at = now + job.every * (1 + _JITTER * _random())
            return await tx.jobs.claim(job.name, self._owner, now, now + _LEASE, due_at)

    async def _hold(self, job: Job, failures: int) -> None:
        """Runs a job, renewing the lease on it, and writes down how it ended."""
        run = asyncio.ensure_future(job.run())
        try:
            while not (await asyncio.wait({run}, timeout=_LEASE.total_seconds() / 3))[0]:
                if not await self._renewed(job):
                    log.warning("jobs.lease_lost", job=job.name)
                    run.cancel()
            await run
        except asyncio.CancelledError:
            await _cut_off(run)
            async with self._store.write() as tx:
                await tx.jobs.release(job.name, self._owner, self._clock.now())
            raise
        except Exception as error:
            if isinstance(error, Unavailable):
                # No fault of the job, and where it was when the database went away tells nothing.
                log.warning("jobs.failed", job=job.name, failures=failures + 1, error=error.message)
            else:
                log.error("jobs.failed", job=job.name, failures=failures + 1, exc_info=error)
            now = self._clock.now()
            # Other errors may say more than everybody who looks at jobs should read; the log has them.
            reason = error.message if isinstance(error, AppError) else type(error).__name__
            async with self._store.write() as tx:
                retry_at = now + _FIRST_RETRY * 2 ** min(failures, 20)
                await tx.jobs.fail(job.name, self._owner, now, retry_at, reason)
        else:
            async with self._store.write() as tx:
                await tx.jobs.finish(job.name, self._owner, self._clock.now())

    async def _renewed(self, job: Job) -> bool:
        try:
            async with self._store.write() as tx:
                return await tx.jobs.renew(job.name, self._owner, self._clock.now() + _LEASE)
        except Exception as error:
            # Nobody else can take it either as long as the database is away.
            log.warning("jobs.unreachable", job=job.name, error=type(error).__name__)
            return True


async def _cut_off(run: asyncio.Future[None]) -> None:
    """Returns once it has ended. One cancellation may be missed: Python 3.11 forgets it where what was waited for, with
    a time limit, comes at that moment."""
    while not run.done():
        run.cancel()
        await asyncio.wait({run}, timeout=_CUT_SECONDS)
    if not run.cancelled():
        # Somebody has looked at how it ended.
        run.exception()
