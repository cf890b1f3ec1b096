"""SQLAlchemy's engines and connections for asyncio, without its ORM: the only module that imports them from it.

`sqlalchemy.ext.asyncio` itself loads sessions, and they the whole ORM, 6 MB of every process, for objects that no
statement here makes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]


@contextmanager
def _not_run(package: str) -> Iterator[None]:
    """Modules of the package can be imported within, its own code is not run. Whoever imports the package afterwards
    has it run as ever, with the modules that are there by then."""
    spec = None if package in sys.modules else find_spec(package)
    if spec is None:
        yield
        return
    sys.modules[package] = module_from_spec(spec)
    try:
        yield
    finally:
        del sys.modules[package]


with _not_run("sqlalchemy.ext.asyncio"):
    from sqlalchemy.ext.asyncio.engine import AsyncConnection, AsyncEngine, create_async_engine
