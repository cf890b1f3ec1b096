"""Rules of the house that a linter has no word for."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from architecture.source import calls, dotted, modules

_WALL_CLOCK = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.now",
    "datetime.utcnow",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
}
_STATEMENTS = {"select", "insert", "update", "delete", "text", "union", "union_all", "exists"}

Rule = Callable[[ast.Module], list[int]]


def reads_wall_clock(tree: ast.Module) -> list[int]:
    return [line for line, name in calls(tree) if name in _WALL_CLOCK]


def builds_statement(tree: ast.Module) -> list[int]:
    return [
        line
        for line, name in calls(tree)
        if name.split(".")[0] == "sqlalchemy" and name.rsplit(".", 1)[-1] in _STATEMENTS
    ]


def commits(tree: ast.Module) -> list[int]:
    return [line for line, name in calls(tree) if name.endswith(".commit")]


def leaves_out_the_call(tree: ast.Module) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and dotted(node.func).startswith("_log.")
        and not any(keyword.arg == "request_id" for keyword in node.keywords)
    ]


def _offences(rule: Rule, *allowed: str) -> list[str]:
    return [f"{path}:{line}" for path, tree in modules().items() if not path.startswith(allowed) for line in rule(tree)]


def test_only_the_clock_module_reads_the_wall_clock() -> None:
    # The time inside an identifier orders rows; nothing is decided by it.
    assert _offences(reads_wall_clock, "kit/clock.py", "kit/ids.py") == []


def test_only_storage_builds_statements() -> None:
    assert _offences(builds_statement, "storage/") == []


def test_only_the_unit_of_work_commits() -> None:
    assert _offences(commits, "storage/engine.py", "storage/unit_of_work.py", "storage/migrations/env.py") == []


def test_every_line_that_the_gateway_logs_names_its_call() -> None:
    found = _offences(leaves_out_the_call)
    assert [offence for offence in found if offence.startswith("gateway/")] == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (reads_wall_clock, "from datetime import datetime, UTC\ndatetime.now(UTC)"),
        (reads_wall_clock, "import datetime as dt\ndt.datetime.utcnow()"),
        (reads_wall_clock, "from time import time as now\nnow()"),
        (builds_statement, "from sqlalchemy import select\nselect(1)"),
        (builds_statement, "import sqlalchemy as sa\nsa.update(1)"),
        (commits, "async def save(connection):\n    await connection.commit()"),
        (commits, "def save(engine):\n    engine.connect().commit()"),
        (leaves_out_the_call, "_log = get_logger()\n_log.warning('broken', error='e')"),
    ],
)
def test_each_rule_sees_what_it_forbids(rule: Rule, source: str) -> None:
    assert rule(ast.parse(source)) == [2]


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (reads_wall_clock, "def late(clock):\n    return clock.now()"),
        (builds_statement, "def pick(menu):\n    return menu.select(1)"),
        (commits, "def settle(commit):\n    commit()"),
        (leaves_out_the_call, "def note(request):\n    _log.warning('broken', request_id=request.id)"),
    ],
)
def test_no_rule_sees_ghosts(rule: Rule, source: str) -> None:
    assert rule(ast.parse(source)) == []
