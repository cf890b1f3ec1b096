"""What `test`, `check`, `e2e` and `bench` consist of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from devtools.report import Report, Stage
from devtools.setup import BUILD, CLIENTS, CODEGEN, NODE, PYTHON, frontend_sources, sources
from devtools.shell import RESULTS, ROOT, ensure_program, node_tool, python_tool, run

_TESTS = ROOT / "tests"
_UNIT = ("kit", "domain", "policy", "settings", "architecture", "devtools")
# Whole pages of the console, which take three quarters of the time of its tests.
_PAGES = "**/*page.test.tsx"
# Tests that start servers run on both stacks; those of services, storage and jobs alone try both databases themselves.
_SERVERS = ("gateway", "web", "edge_graphql")
_STACK = "SLUICEGATE_TEST_STACK"
_SHARED = ("SLUICEGATE_TEST_DATABASE_URL", "SLUICEGATE_TEST_REDIS_URL")
# These have a stage, a set-up or a duration of their own.
_APART = ("clients", "e2e", "packaging")
# Tests of processes that start, stand still, die and come back: they wait for most of their time, and some look at how
# long. The longest first, so that none of them runs alone at the end.
_WAITING = ("faults", "cli", "adapters", "counters", "jobs", "canary", "deployment")
# What computes gives way to them, so that both are done in the time of one.
_NICE = ("nice", "-n", "10")

_STYLE = (
    Stage("format", [python_tool("ruff"), "format", "--check", "."]),
    Stage("lint", [python_tool("ruff"), "check", "."]),
    Stage("contracts", [python_tool("lint-imports"), "--no-logo"]),
    Stage("schema", [python_tool("sluicegate"), "schema", "export", "--check", "schema.graphql"]),
)
_TYPES = Stage("types", [node_tool("pyright"), "--project", "pyproject.toml"])
_CONSOLE_STYLE = (
    Stage("console style", [node_tool("biome"), "ci", "--colors=off"]),
    Stage("console types", [node_tool("tsc"), "--project", "frontend"]),
    Stage("console dead code", [node_tool("knip"), "--no-progress"]),
)


def everything(report: Report, pytest_args: Sequence[str]) -> None:
    """All of it; a failure in one stage does not keep the others from speaking."""
    if not report.ensure(PYTHON, NODE):
        return
    report.run(_TYPES, *_STYLE, together=2)
    if report.ensure(CODEGEN):
        report.run(_vitest(), *_CONSOLE_STYLE, together=2)
    # Tests of what is in `deploy/` are skipped and counted without them.
    ensure_program("caddy", "caddy")
    ensure_program("kubectl", "kubernetes-client")
    if pytest_args:
        # They may choose tests, and of a part of them there may be none left.
        report.run(_pytest("tests", [*_without(*_APART), "--numprocesses=2", *pytest_args]))
        report.run(*_shared(report, pytest_args))
    else:
        report.run(_waiting(), _computing(), *_shared(report, []), together=2)
    if report.ensure(CLIENTS):
        report.run(_pytest("clients", ["tests/clients"]))
    if report.ensure(BUILD):
        report.run(
            Stage("console size", ["node", "frontend/scripts/size.mjs"]), _pytest("packaging", ["tests/packaging"])
        )
        browser(report, [])
    report.try_again()


def _waiting() -> Stage:
    folders = [f"tests/{name}" for name in _WAITING]
    return _pytest("tests that wait", [*folders, "--numprocesses=2", "--maxschedchunk=1"])


def _computing() -> Stage:
    return _giving_way(_pytest("tests", [*_without(*_APART, *_WAITING), "--numprocesses=3"]))


def _giving_way(stage: Stage) -> Stage:
    return replace(stage, command=[*_NICE, *stage.command]) if shutil.which(_NICE[0]) else stage


def _without(*folders: str) -> list[str]:
    return ["tests", *(f"--ignore=tests/{name}" for name in folders)]


def _shared(report: Report, pytest_args: Sequence[str]) -> list[Stage]:
    """What starts servers once more, on PostgreSQL and Redis, unless all tests run on them."""
    name = "tests on PostgreSQL and Redis"
    if os.environ.get(_STACK) == "shared":
        return []
    if missing := [variable for variable in _SHARED if not os.environ.get(variable)]:
        report.skip(name, f"{' and '.join(missing)} not set")
        return []
    folders = [f"tests/{folder}" for folder in _SERVERS]
    selected = ["-m", "not any_stack", "--numprocesses=3"]
    return [_giving_way(_pytest(name, [*folders, *selected, *pytest_args], {_STACK: "shared"}))]


def quick(report: Report, pytest_args: Sequence[str]) -> None:
    """Answers within a minute. What takes longest is left out while what it looks at is as it was when it passed."""
    if not report.ensure(PYTHON, NODE):
        return
    types = replace(_TYPES, reads=_python_sources)
    vitest = replace(_vitest(f"--exclude={_PAGES}"), reads=frontend_sources)
    console = (vitest, *_CONSOLE_STYLE) if report.ensure(CODEGEN) else ()
    folders = [f"tests/{name}" for name in _UNIT if (_TESTS / name).is_dir()]
    unit = _pytest("unit", [*folders, "-m", "not slow", *pytest_args])
    # The longest first, so that none of them runs alone at the end.
    report.run(types, *console[:1], unit, *console[1:], *_STYLE, together=2)


def _python_sources() -> list[Path]:
    pinned = [ROOT / name for name in ("pyproject.toml", "requirements.lock", "package-lock.json")]
    return [*sources(".py", "backend", "tests", "bench"), *pinned]


def browser(report: Report, files: Iterable[str]) -> None:
    """The journeys of tests/e2e in a real browser against a really started server."""
    if not ensure_program("chromium", "chromium"):
        report.skip("browser", "chromium is not installed")
        return
    chosen = [Path(name) for name in files] or sorted((_TESTS / "e2e").glob("*.test.mjs"))
    # Each file starts a server and a browser of its own, which wait for each other for half of the time.
    report.run(*map(_journey, chosen), together=2)


def _journey(file: Path) -> Stage:
    name = file.name.removesuffix(".test.mjs")
    junit = RESULTS / f"browser-{name}.xml"
    reporters = [
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        "--test-reporter=junit",
        f"--test-reporter-destination={junit}",
    ]
    command = ["node", "--test", "--test-timeout=600000", *reporters, str(file)]
    return Stage(f"browser {name}", command, junit=junit, again=command)


_BENCHES = {
    "calls": "run.py",
    "dashboards": "usage.py",
    "people": "people.py",
    "alerts": "alerts.py",
    "secrets": "secret_rules.py",
    "counters": "counters.py",
    "growth": "growth.py",
    "memory": "memory.py",
}


def bench(report: Report, args: Sequence[str]) -> None:
    """By default throughput and latency of calls, as ratios within one run; a first word names something else."""
    part, rest = (args[0], args[1:]) if args and args[0] in _BENCHES else ("calls", args)
    # Without wrk the benchmark loads with its own client, which is slower and says so; without nginx it leaves it out.
    ensure_program("wrk", "wrk")
    ensure_program("nginx", "nginx-light")
    report.run(Stage(f"bench {part}", [python_tool("python"), f"bench/{_BENCHES[part]}", *rest]))


def wheel(folder: Path) -> Stage:
    """The distribution with the console inside."""
    return Stage("wheel", [python_tool("hatchling"), "build", "--target", "wheel", "--directory", str(folder)])


def export_schema() -> None:
    """Writes schema.graphql from the code."""
    run([python_tool("sluicegate"), "schema", "export", "schema.graphql"])


def _pytest(name: str, args: Sequence[str], environment: Mapping[str, str] | None = None) -> Stage:
    slug = name.replace(" ", "-")
    junit = RESULTS / f"{slug}.xml"
    # Two may run side by side, and each has to know which of its own failed last.
    cache = f"--override-ini=cache_dir={RESULTS / f'{slug}.cache'}"
    command = [python_tool("pytest"), "--quiet", f"--junitxml={junit}", cache, *args]
    again = [*command, "--last-failed", "--last-failed-no-failures=none", "--numprocesses=0"]
    return Stage(name, command, junit=junit, environment=environment or {}, again=again)


def _vitest(*more: str) -> Stage:
    junit = RESULTS / "vitest.xml"
    reporters = ["--reporter=default", "--reporter=junit", f"--outputFile.junit={junit}"]
    command = [node_tool("vitest"), "run", *reporters, *more]
    return Stage("vitest", command, cwd=ROOT / "frontend", junit=junit, again=command)
