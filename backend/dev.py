"""Runs, tests and builds Sluicegate from a checkout: `python3 backend/dev.py <verb>`, or `npm run <verb>`.

Standard library only. Every verb sets up what it needs first, and skips what has not changed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence

from devtools import setup, stages
from devtools.report import Report
from devtools.shell import CONSOLE, ROOT, become, python_tool


def start(args: Sequence[str]) -> None:
    """Serve a demonstration: embedded database, built-in provider, sample data."""
    setup.set_up()
    become([python_tool("sluicegate"), "demo", *args])


def serve(args: Sequence[str]) -> None:
    """Serve with the settings of the environment."""
    setup.set_up()
    become([python_tool("sluicegate"), "serve", *args])


def build(_args: Sequence[str]) -> None:
    """Build the console, then the wheel into dist/."""
    setup.set_up()
    sys.exit(_reported(lambda report: report.run(stages.wheel(ROOT / "dist"))))


def test(args: Sequence[str]) -> None:
    """Run everything; further arguments go to pytest."""
    sys.exit(_reported(lambda report: stages.everything(report, args)))


def check(args: Sequence[str]) -> None:
    """Run the quick part: style, types, contracts and the unit tests."""
    sys.exit(_reported(lambda report: stages.quick(report, args)))


def e2e(args: Sequence[str]) -> None:
    """Run the browser journeys; arguments name test files."""
    setup.set_up()
    sys.exit(_reported(lambda report: stages.browser(report, args)))


def bench(args: Sequence[str]) -> None:
    """Measure the gateway beside a bare relay; writes bench-results.json."""
    setup.PYTHON.ensure()
    sys.exit(_reported(lambda report: stages.bench(report, args)))


def prepare(_args: Sequence[str]) -> None:
    """Install and build everything without starting anything."""
    setup.set_up()


def codegen(_args: Sequence[str]) -> None:
    """Write schema.graphql, then the console's typed documents and routes."""
    setup.PYTHON.ensure()
    setup.NODE.ensure()
    stages.export_schema()
    setup.CODEGEN.ensure()


def clean(_args: Sequence[str]) -> None:
    """Remove what was installed, built or generated; ./data stays."""
    for name in (".venv", "node_modules", ".setup", "test-results", "dist", "frontend/src/gql"):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    for folder in ("tests/clients", "tests/clients/codex"):
        shutil.rmtree(ROOT / folder / "node_modules", ignore_errors=True)
    shutil.rmtree(ROOT / "tests/clients/aider/.venv", ignore_errors=True)
    shutil.rmtree(CONSOLE, ignore_errors=True)
    (ROOT / "frontend/src/routeTree.gen.ts").unlink(missing_ok=True)


_VERBS: dict[str, Callable[[Sequence[str]], None]] = {
    "setup": prepare,
    "start": start,
    "serve": serve,
    "build": build,
    "test": test,
    "check": check,
    "e2e": e2e,
    "bench": bench,
    "codegen": codegen,
    "clean": clean,
}


def _reported(work: Callable[[Report], object]) -> int:
    report = Report()
    work(report)
    return report.close()


def main() -> None:
    lines = [f"  {name:8} {verb.__doc__}" for name, verb in _VERBS.items()]
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="\n".join(lines), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=_VERBS, metavar="verb")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="passed on to what the verb runs")
    chosen = parser.parse_args()
    _VERBS[chosen.verb](chosen.args)


if __name__ == "__main__":
    main()
