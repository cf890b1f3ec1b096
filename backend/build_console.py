"""Hatch build hook: builds the console into the wheel, so that an installed gateway needs no Node."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NO_NODE = """\
The console has to be built, and that needs Node.js 20.19 or newer with npm.
Install Node, or run `npm run build` elsewhere and copy backend/sluicegate/console/dist here afterwards.
"""
_GENERATED = ("src/gql", "src/routeTree.gen.ts")


class ConsoleBuildHook(BuildHookInterface[Any]):
    """Runs `npm ci` and the console's own build, unless a build of these sources is already there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # A checkout builds the console through backend/dev.py; an sdist carries the sources for the wheel to come.
        if version == "editable" or self.target_name == "sdist":
            return
        root = Path(self.root)
        if _is_current(root):
            return
        if shutil.which("npm") is None:
            sys.exit(_NO_NODE)
        if not (root / "node_modules").exists():
            _run(root, "npm", "ci", "--no-audit", "--no-fund")
        frontend = root / "frontend"
        _run(frontend, "node", "scripts/routes.mjs")
        # Without "--no", npm would download a program of that name which the lock does not have.
        _run(frontend, "npm", "exec", "--no", "--", "graphql-codegen", "--config", "codegen.ts")
        _run(frontend, "npm", "exec", "--no", "--", "vite", "build")


def _is_current(root: Path) -> bool:
    """Whether the built console is there and no source is younger. Unpacked from an archive, all are of one age."""
    index = root / "backend/sluicegate/console/dist/index.html"
    if not index.exists():
        return False
    built = index.stat().st_mtime
    return all(path.stat().st_mtime <= built for path in _sources(root))


def _sources(root: Path) -> Iterator[Path]:
    generated = [root / "frontend" / name for name in _GENERATED]
    for path in (root / "frontend").rglob("*"):
        if path.is_file() and not any(path.is_relative_to(one) for one in generated):
            yield path
    yield from (path for path in (root / "schema.graphql", root / "package-lock.json") if path.exists())


def _run(directory: Path, *command: str) -> None:
    subprocess.run(command, cwd=directory, check=True)  # noqa: S603 the commands are the literals above
