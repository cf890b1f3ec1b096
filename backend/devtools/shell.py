"""Where things are, and how programs are run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "test-results"
CONSOLE = ROOT / "backend/sluicegate/console/dist"
CI = os.environ.get("CI", "").lower() in {"1", "true"}

# Compiling everything anew for each of the many processes of a test run takes longer than what most of them do.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_SCRIPTS = ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin")


def python_tool(name: str) -> str:
    """A program of the virtual environment."""
    return str(_SCRIPTS / name)


def node_tool(name: str) -> str:
    """A program of node_modules."""
    return str(ROOT / "node_modules/.bin" / name)


def run(command: Sequence[str], *, cwd: Path = ROOT) -> None:
    """Runs a program in the foreground; its failure ends this one with a sentence that names it."""
    try:
        code = subprocess.run(command, cwd=cwd, check=False).returncode
    except OSError as error:
        sys.exit(f"cannot run {' '.join(command)}: {error}")
    if code:
        sys.exit(f"exit code {code} from {' '.join(command)}")


def become(command: Sequence[str]) -> None:
    """Replaces this process, so that signals reach the program itself."""
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execv(command[0], list(command))  # noqa: S606 no shell is wanted


def ensure_program(name: str, package: str) -> bool:
    """Whether a system program is there; as root on a Debian-like system it is installed first."""
    if shutil.which(name):
        return True
    if os.name == "nt" or os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"installing {package}", flush=True)
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL, "check": False}
    subprocess.run(["apt-get", "update"], **quiet)
    subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", package], **quiet)
    return shutil.which(name) is not None
