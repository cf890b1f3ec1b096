"""What commands have in common."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sluicegate.cli.logs import set_up_logging
from sluicegate.container import Container
from sluicegate.settings import Settings, load

# Not for those who serve.
if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
_WIDE = 240
_ENDING = (signal.SIGTERM, signal.SIGINT)


def loaded(**overrides: Any) -> Settings:
    """The settings, by which lines are logged from here on; raises ConfigurationError."""
    settings = load(**overrides)
    set_up_logging(settings.log_level)
    return settings


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Container]:
    """All parts of a server that does not serve."""
    container = Container(settings, settings.url_at(settings.port))
    try:
        yield container
    finally:
        await container.stop()


async def with_parts(settings: Settings, work: Callable[[Container], Awaitable[T]]) -> T:
    """What `work` gives."""
    async with opened(settings) as container:
        return await work(container)


def apart(work: Callable[[], None]) -> None:
    """Does it in a process of its own, which takes along what it loads; to be called before there are threads. A fault
    is told there, as any, and ends this process with the same status. Who ends this process ends the other."""
    # Those that come before they can be passed on wait until then.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        work()
        sys.stdout.flush()
        os._exit(0)
    told: list[int] = []

    def end(number: int, _: object) -> None:
        told.append(number)
        os.kill(child, signal.SIGTERM)

    before = {number: signal.signal(number, end) for number in _ENDING}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if told:
        sys.exit(128 + told[0])
    if status:
        sys.exit(status if status > 0 else 128 - status)


def bytes_of(file: Path) -> bytes:
    """The content of a file; - is what is typed or piped in."""
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


def table_console() -> Console:
    """For tables: whatever reads them that is no terminal has no edge to break lines at."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = _WIDE
    return console
