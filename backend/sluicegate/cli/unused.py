"""Keeps out of memory what libraries load to be ready for, and nothing here uses. Imported before all of them.

structlog loads rich, and rich all of Pygments, for traces in colour: lines here are JSON. uvicorn loads its own command
line, with click and what starts processes. Together they would take a tenth of a serving process.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import cast

from sluicegate.kit.packages import package_alone


@contextmanager
def not_installed(*names: str) -> Iterator[None]:
    """What is imported within finds these libraries missing, unless they are loaded already."""
    missing = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(missing, cast("ModuleType", None)))
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


with not_installed("rich"):
    import_module("structlog")
uvicorn = package_alone("uvicorn")
uvicorn.Config = import_module("uvicorn.config").Config
uvicorn.Server = import_module("uvicorn.server").Server
