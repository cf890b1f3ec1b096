"""What Prometheus scrapes of workers on one port: their sums, whichever of them answers."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from adapters.samples import Samples, parsed
from adapters.scraped import Worker, count_on
from sluicegate.adapters.exposition import exposition

_PROCESSES = multiprocessing.get_context("spawn")
COUNTER = "sluicegate_calls_total"


@asynccontextmanager
async def _working(folder: Path, **values: Any) -> AsyncIterator[Worker]:
    worker = Worker(folder, **values)
    await worker.pool.start()
    try:
        yield worker
    finally:
        await worker.pool.stop()


async def _scraped(worker: Worker) -> Samples:
    return parsed(exposition(await worker.pool.families()))


def _calls(found: Samples) -> float:
    return sum(value for (name, _), value in found.items() if name == COUNTER)


async def test_counters_and_gauges_are_summed_whichever_worker_answers(tmp_path: Path) -> None:
    async with _working(tmp_path / "1") as one, _working(tmp_path / "1", in_flight=7, database=False) as two:
        one.calls(3)
        two.calls(4, model="slow")
        two.calls(5)
        alone = parsed(exposition(await one.families()))
        first, second = await _scraped(one), await _scraped(two)
        for found in (first, second):
            assert _calls(found) == 12
            by_model = {dict(labels)["model"]: value for (name, labels), value in found.items() if name == COUNTER}
            assert by_model == {"fast": 8, "slow": 4}
            assert found["sluicegate_calls_in_flight", ()] == 4 + 7
            assert [found[f"sluicegate_{name}", ()] for name in ("database_up", "journal_accepting")] == [0, 1]
            assert found["sluicegate_build_info", (("version", "1.2.3"),)] == 1
            backend = (("provider", "OpenAI"), ("provider_model", "gpt-fast"))
            assert found["sluicegate_backend_resting", backend] == 1
            assert found["sluicegate_backend_failures_total", (("kind", "refused"), *backend)] == 4
            assert found["process_resident_memory_bytes", ()] > alone["process_resident_memory_bytes", ()]
            assert found["process_start_time_seconds", ()] == alone["process_start_time_seconds", ()]
        # Every name of one worker is there, and no other.
        assert {name for name, _ in first} == {name for name, _ in alone}


async def test_what_ended_workers_counted_counts_on_and_what_they_had_is_gone(tmp_path: Path) -> None:
    async with _working(tmp_path / "1") as one:
        for _ in range(3):
            async with _working(tmp_path / "1", in_flight=100) as other:
                other.calls(10)
        for _ in range(2):
            found = await _scraped(one)
            assert (_calls(found), found["sluicegate_calls_in_flight", ()]) == (30, 4)
        assert len(list((tmp_path / "1").glob("*.samples"))) == 2


async def test_counters_never_go_back_between_scrapes_of_any_workers(tmp_path: Path) -> None:
    """While calls end, seconds that are no round figures add up, and workers come and go."""
    draw = random.Random(7)
    told: dict[Any, float] = {}

    async def scrape(worker: Worker) -> None:
        found = await _scraped(worker)
        for key, value in found.items():
            if key[0].startswith("sluicegate_") and key[0].endswith(("_total", "_sum", "_count", "_bucket")):
                assert value >= told.get(key, 0.0), key
                told[key] = value

    async with AsyncExitStack() as stack, _working(tmp_path / "1") as lasting:
        made = 0
        for _ in range(12):
            async with _working(tmp_path / "1") as passing, _working(tmp_path / "1") as other:
                for _ in range(4):
                    for worker in (lasting, passing, other):
                        worker.calls(number := draw.randrange(5), seconds=draw.random() * 0.3)
                        made += number
                    await scrape(draw.choice((lasting, passing, other)))
            await scrape(lasting)
        assert _calls(await _scraped(lasting)) == made
        await stack.aclose()


async def test_scrapes_at_once_are_all_right(tmp_path: Path) -> None:
    async with _working(tmp_path / "1") as one, _working(tmp_path / "1") as two, _working(tmp_path / "1") as three:
        for number, worker in enumerate((one, two, three)):
            worker.calls(number + 1)
        found = await asyncio.gather(*(_scraped((one, two, three)[n % 3]) for n in range(9)))
        assert [_calls(each) for each in found] == [6] * 9


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_worker_that_is_killed_or_stands_still_holds_no_scrape_up(tmp_path: Path, number: int) -> None:
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=count_on, args=(str(tmp_path / "1"), 25, theirs), daemon=True)
    process.start()
    try:
        assert await asyncio.to_thread(_heard, ours) == "ready"
        async with _working(tmp_path / "1") as one:
            one.calls(2)
            found = await _scraped(one)
            assert (_calls(found), found["sluicegate_calls_in_flight", ()]) == (27, 8)
            assert process.pid is not None
            os.kill(process.pid, number)
            if number == signal.SIGKILL:
                process.join()
            one.calls(1)
            found = await _scraped(one)
            # What it was when it was last heard of; the gauges of a dead one are gone.
            assert (_calls(found), found["sluicegate_calls_in_flight", ()]) == (
                28,
                4 if number == signal.SIGKILL else 8,
            )
    finally:
        process.kill()
        process.join()


def _heard(pipe: Connection) -> Any:
    assert pipe.poll(60)
    return pipe.recv()


async def test_what_a_server_that_is_gone_left_behind_is_thrown_away_and_nothing_of_one_that_lives(
    tmp_path: Path,
) -> None:
    async with _working(tmp_path / "gone") as worker:
        worker.calls(1)
        await _scraped(worker)
    async with _working(tmp_path / "lives") as other:
        other.calls(2)
        async with _working(tmp_path / "1") as one:
            assert {name for name in os.listdir(tmp_path) if name != "lock"} == {"lives", "1"}
            assert [_calls(await _scraped(worker)) for worker in (other, one)] == [2, 0]


async def test_many_that_start_at_once_all_count(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        folders = [tmp_path / str(number % 3) for number in range(9)]
        workers = await asyncio.gather(*(stack.enter_async_context(_working(folder)) for folder in folders))
        for worker in workers:
            worker.calls(1)
        assert [_calls(await _scraped(worker)) for worker in workers] == [3] * 9
