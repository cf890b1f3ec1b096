"""SQLAlchemy's engines and connections for asyncio, without its ORM: the only module that imports them from it.

`sqlalchemy.ext.asyncio` itself loads sessions, and they the whole ORM, 6 MB of every process, for objects that no
statement here makes.
"""

from __future__ import annotations

import sys

from sluicegate.kit.packages import package_alone

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]

_PACKAGE = "sqlalchemy.ext.asyncio"
_loaded = _PACKAGE in sys.modules
package_alone(_PACKAGE)
from sqlalchemy.ext.asyncio.engine import AsyncConnection, AsyncEngine, create_async_engine  # noqa: E402 - only now

if not _loaded:
    # Whoever imports it afterwards has all of it run as ever, with the modules that are there by now.
    del sys.modules[_PACKAGE]
