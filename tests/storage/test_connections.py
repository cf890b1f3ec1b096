"""SQLAlchemy's ORM stays out of a server, and can be had all the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SERVER = "import sys, sluicegate.container, sluicegate.cli.serving; "


def said_by(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_a_server_loads_no_orm() -> None:
    modules = said_by(_SERVER + "print(*sys.modules)").split()
    assert {"sqlalchemy.ext.asyncio.engine", "sluicegate.storage.engine"} <= set(modules)
    assert [name for name in modules if name.split(".")[:2] == ["sqlalchemy", "orm"]] == []
    assert "sqlalchemy.ext.asyncio" not in modules


def test_who_wants_the_whole_package_afterwards_gets_it_with_the_same_connections() -> None:
    wants = (
        "import sqlalchemy.ext.asyncio as all_of_it; from sluicegate.storage.connections import AsyncConnection; "
        "print(all_of_it.AsyncSession.__name__, all_of_it.AsyncConnection is AsyncConnection, "
        "sys.modules['sqlalchemy.ext.asyncio'] is all_of_it)"
    )
    assert said_by(_SERVER + wants) == "AsyncSession True True"


@pytest.mark.parametrize("first", ["sqlalchemy.ext.asyncio", "sqlalchemy.orm"])
def test_what_was_loaded_before_stays(first: str) -> None:
    program = (
        f"import sys, {first}; before = sys.modules['{first}']; import sluicegate.storage.connections; "
        f"print(sys.modules['{first}'] is before)"
    )
    assert said_by(program) == "True"
