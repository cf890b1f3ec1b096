"""Hatch build hook: builds the console into the wheel, so that an installed gateway needs no Node."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NO_NODE = """\
The console is not built, and building it needs Node.js 20.19 or newer with npm.
Install Node, or run `npm run build` elsewhere and copy backend/sluicegate/console/dist here first.
"""


class ConsoleBuildHook(BuildHookInterface[Any]):
    """Runs `npm ci` and the console's own build, unless a finished build is already there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # A checkout builds the console through backend/dev.py; an sdist carries the sources for the wheel to come.
        if version == "editable" or self.target_name == "sdist":
            return
        root = Path(self.root)
        if (root / "backend/sluicegate/console/dist/index.html").exists():
            return
        if shutil.which("npm") is None:
            sys.exit(_NO_NODE)
        if not (root / "node_modules").exists():
            _run(root, "npm", "ci", "--no-audit", "--no-fund")
        frontend = root / "frontend"
        _run(frontend, "npm", "exec", "--", "graphql-codegen", "--config", "codegen.ts")
        _run(frontend, "npm", "exec", "--", "vite", "build")


def _run(directory: Path, *command: str) -> None:
    subprocess.run(command, cwd=directory, check=True)  # noqa: S603 the commands are the literals above
