"""Samples of all workers that serve on one port, so that it does not matter which of them a scrape reaches.

Each worker writes its own samples into a file when one of them is asked, and that one adds up what all have written.
Numbers that were never written are never told: so a counter never goes back from one scrape to the next, whichever
workers they reach. What workers counted that have ended counts on; what they had is gone with them.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from io import TextIOWrapper
from math import isfinite
from pathlib import Path

import msgspec
import structlog
from prometheus_client.core import Metric

from sluicegate.kit.ids import new_id

# How long a scrape waits for workers that are busy; what they wrote last is told then.
_PATIENCE_SECONDS = 2.0
_LOOK_SECONDS = 0.1
_ALIVE, _WRITTEN = ".alive", ".samples"
_ENDED = f"ended{_WRITTEN}"
_ASKED, _LOCK = "asked", "lock"
# Gauges of which a sum says nothing, and what does.
_OTHERWISE: dict[str, Callable[[Iterable[Fraction]], Fraction]] = {
    "sluicegate_build_info": max,
    "sluicegate_database_up": min,
    "sluicegate_journal_accepting": min,
    "sluicegate_redis_up": min,
    "sluicegate_backend_resting": max,
    "python_info": max,
    "process_start_time_seconds": min,
}

log = structlog.get_logger(__name__)


class _Sample(msgspec.Struct, array_like=True, frozen=True):
    """`value` is an integer or a fraction of two, as text: floats would add up to less in another order."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: str


class _Family(msgspec.Struct, array_like=True, frozen=True):
    name: str
    help: str
    type: str
    samples: list[_Sample]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[_Family]).decode


class PooledMetrics:
    """`folder` is that of all workers of one parent, and of nobody else. `own` gives the samples of this one."""

    def __init__(self, folder: Path, own: Callable[[], Awaitable[list[Metric]]]) -> None:
        self._folder = folder
        self._own = own
        self._id = new_id()
        self._alive: TextIOWrapper | None = None
        self._writing = asyncio.Lock()
        self._written_at = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises OSError."""
        await asyncio.to_thread(self._enter)
        await self._write()
        self._task = asyncio.create_task(self._answer())

    def _enter(self) -> None:
        root = self._folder.parent
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Of the folders below, nobody throws one away that another is about to enter.
        with _locked(root):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with _locked(self._folder):
                self._alive = (self._folder / f"{self._id}{_ALIVE}").open("w")
                fcntl.flock(self._alive, fcntl.LOCK_EX)
            for other in root.iterdir():
                if other.is_dir() and not any(_is_held(path) for path in other.glob(f"*{_ALIVE}")):
                    _remove(other)

    async def stop(self) -> None:
        """Writes down the last."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._alive is not None:
            try:
                await self._write()
            except OSError as error:
                log.warning("metrics.not_written", error=str(error))
            self._alive.close()

    async def families(self) -> list[Metric]:
        """Of all workers, as of now; of one that does not answer, as of when it did last."""
        await self._write()
        asked = await asyncio.to_thread(self._ask)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not await asyncio.to_thread(self._all_wrote_since, asked):  # noqa: ASYNC110 - files signal nobody
                    await asyncio.sleep(_LOOK_SECONDS / 2)
        return await asyncio.to_thread(self._gathered)

    async def _answer(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                if _time_of(self._folder / _ASKED) >= self._written_at:
                    await self._write()
            except Exception as error:
                log.warning("metrics.not_written", error=str(error))

    async def _write(self) -> None:
        async with self._writing:
            families = [
                _Family(
                    metric.name,
                    metric.documentation,
                    metric.type,
                    [
                        _Sample(s.name, tuple(s.labels.items()), _text_of(s.value))
                        for s in metric.samples
                        if isfinite(s.value)
                    ],
                )
                for metric in await self._own()
            ]
            self._written_at = await asyncio.to_thread(_put, self._folder / f"{self._id}{_WRITTEN}", families)

    def _ask(self) -> int:
        path = self._folder / _ASKED
        path.touch()
        return _time_of(path)

    def _all_wrote_since(self, asked: int) -> bool:
        return all(
            identity == self._id
            or _time_of(self._folder / f"{identity}{_WRITTEN}") > asked
            or not self._lives(identity)
            for identity in self._identities()
        )

    def _identities(self) -> list[str]:
        return sorted(path.name.removesuffix(_ALIVE) for path in self._folder.glob(f"*{_ALIVE}"))

    def _lives(self, identity: str) -> bool:
        return identity == self._id or _is_held(self._folder / f"{identity}{_ALIVE}")

    def _gathered(self) -> list[Metric]:
        with _locked(self._folder):
            ended, living = [_get(self._folder / _ENDED)], list[list[_Family]]()
            gone = list[str]()
            for identity in self._identities():
                found = _get(self._folder / f"{identity}{_WRITTEN}")
                if self._lives(identity):
                    living.append(found)
                else:
                    ended.append(found)
                    gone.append(identity)
            if gone:
                ended = [_summed(ended, living=False)]
                _put(self._folder / _ENDED, ended[0])
                for identity in gone:
                    (self._folder / f"{identity}{_WRITTEN}").unlink(missing_ok=True)
                    (self._folder / f"{identity}{_ALIVE}").unlink(missing_ok=True)
        return [_shown(family) for family in _summed([*living, *ended], living=True)]


def below_parent(root: Path) -> Path:
    """The folder of all workers of this process's parent; in containers that share a disk parents have equal ids."""
    name = str(os.getppid())
    with suppress(OSError):
        name += f"-{Path('/proc/self/ns/pid').stat().st_ino}"
    return root / name


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / _LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_held(path: Path) -> bool:
    """Whether the process whose file it is still holds it: its end lets go of it, whatever ended it."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _summed(parts: Sequence[list[_Family]], *, living: bool) -> list[_Family]:
    """Without `living` what has ended: no gauges."""
    families: dict[str, _Family] = {}
    values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], list[str]]] = {}
    for part in parts:
        for family in part:
            if family.type == "gauge" and not living:
                continue
            families.setdefault(family.name, family)
            found = values.setdefault(family.name, {})
            for sample in family.samples:
                found.setdefault((sample.name, sample.labels), []).append(sample.value)
    return [
        msgspec.structs.replace(
            family,
            samples=[
                _Sample(sample_name, labels, _one(name, told)) for (sample_name, labels), told in values[name].items()
            ],
        )
        for name, family in families.items()
    ]


def _one(name: str, values: list[str]) -> str:
    if len(values) == 1:
        return values[0]
    fold = _OTHERWISE.get(name)
    if fold is not None:
        return str(fold(map(Fraction, values)))
    if all("/" not in value for value in values):
        return str(sum(map(int, values)))
    return str(sum(map(Fraction, values)))


def _text_of(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(Fraction(value))


def _shown(family: _Family) -> Metric:
    metric = Metric(family.name, family.help, family.type)
    for sample in family.samples:
        metric.add_sample(sample.name, dict(sample.labels), float(Fraction(sample.value)))
    return metric


def _put(path: Path, families: list[_Family]) -> int:
    """Whole or not at all; gives the time of the file, in nanoseconds."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(_encode(families))
    draft.replace(path)
    return _time_of(path)


def _get(path: Path) -> list[_Family]:
    try:
        return _decode(path.read_bytes())
    except FileNotFoundError:
        return []


def _time_of(path: Path) -> int:
    """In nanoseconds; 0 for none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _remove(folder: Path) -> None:
    with suppress(OSError):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
