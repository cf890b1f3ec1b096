"""Set-up steps, each skipped while the hash of its inputs is the one it last succeeded with."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from devtools.shell import CONSOLE, ROOT, node_tool, python_tool, run

_STAMPS = ROOT / ".setup"
_CLIENTS = ROOT / "tests/clients"
_CODEX = _CLIENTS / "codex"
_AIDER = _CLIENTS / "aider"
_CLIENT_LOCKS = (
    "package.json",
    "package-lock.json",
    "codex/package.json",
    "codex/package-lock.json",
    "aider/requirements.lock",
)
_NOT_OURS = {"node_modules", ".venv", "__pycache__", "dist"}
_GENERATED = {ROOT / "frontend/src/gql", ROOT / "frontend/src/routeTree.gen.ts"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it reads, the file that proves its work, and how it is done."""

    name: str
    inputs: Callable[[], Iterable[Path]]
    proof: Path
    action: Callable[[], None]

    def ensure(self) -> None:
        stamp = _STAMPS / self.name
        digest = digest_of(self.inputs())
        if self.proof.exists() and stamp.exists() and stamp.read_text() == digest:
            return
        print(f"setup: {self.name}", flush=True)
        began = time.monotonic()
        self.action()
        _STAMPS.mkdir(exist_ok=True)
        stamp.write_text(digest)
        print(f"setup: {self.name} took {time.monotonic() - began:.1f} s", flush=True)


def digest_of(paths: Iterable[Path]) -> str:
    """What the files at these paths are called and what is in them, and which Python runs this."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for path in sorted(paths):
        if path.is_file():
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(*names: str) -> Callable[[], list[Path]]:
    return lambda: [ROOT / name for name in names]


def sources(ending: str, *folders: str) -> list[Path]:
    """Files of our own below these folders, not those of packages that are installed there."""
    found: list[Path] = []
    for top in folders:
        for folder, below, names in os.walk(ROOT / top):
            below[:] = [name for name in below if name not in _NOT_OURS]
            found += [Path(folder, name) for name in names if name.endswith(ending)]
    return found


def frontend_sources() -> list[Path]:
    found = [path for path in sources("", "frontend") if not _GENERATED.intersection([path, *path.parents])]
    return [*found, ROOT / "schema.graphql", ROOT / "package-lock.json"]


def _install_python() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 this file runs before the requirement is enforced
        sys.exit("Python 3.11 or newer is needed.")
    if not Path(python_tool("python")).exists():
        run([sys.executable, "-m", "venv", ".venv"])
    python = python_tool("python")
    if not Path(python_tool("uv")).exists():
        _install_uv(python)
    uv = [python_tool("uv"), "pip"]
    run([*uv, "sync", "--quiet", "--require-hashes", "--python", python, "requirements.lock"])
    run([*uv, "install", "--quiet", "--no-deps", "--no-build-isolation", "--python", python, "--editable", "."])


def _install_uv(python: str) -> None:
    # Only uv comes through pip, and by the hashes of the same lock.
    pin = re.search(r"^uv==.*(?:\n    .*)*", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    if pin is None:
        sys.exit("requirements.lock does not name uv.")
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text(pin.group())
        run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(only_uv)])


def _install_node() -> None:
    if shutil.which("npm") is None:
        sys.exit("Node.js 20.19 or newer with npm is needed to build the console.")
    # Quiet, because transitive packages of the code generator warn about Node 20 and yet run on it.
    run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"])


def _install_clients() -> None:
    for folder in (_CLIENTS, _CODEX):
        run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder)
    # Apart from the project's own packages, whose versions it would dictate.
    environment, uv = str(_AIDER / ".venv"), python_tool("uv")
    run([uv, "venv", "--quiet", "--clear", "--python", python_tool("python"), environment])
    lock = str(_AIDER / "requirements.lock")
    run([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", environment, lock])


def _generate() -> None:
    frontend = ROOT / "frontend"
    run(["node", "scripts/routes.mjs"], cwd=frontend)
    run([node_tool("graphql-codegen"), "--config", "codegen.ts"], cwd=frontend)


def _build() -> None:
    run([node_tool("vite"), "build", "--logLevel", "warn"], cwd=ROOT / "frontend")


PYTHON = Step("python", _files("requirements.lock", "pyproject.toml"), Path(python_tool("sluicegate")), _install_python)
NODE = Step(
    "node",
    _files("package.json", "package-lock.json", ".npmrc"),
    ROOT / "node_modules/.package-lock.json",
    _install_node,
)
CLIENTS = Step(
    "clients",
    _files(*(f"tests/clients/{name}" for name in _CLIENT_LOCKS)),
    _AIDER / ".venv/pyvenv.cfg",
    _install_clients,
)
CODEGEN = Step("codegen", frontend_sources, ROOT / "frontend/src/gql/index.ts", _generate)
BUILD = Step("console", frontend_sources, CONSOLE / "index.html", _build)


def set_up() -> None:
    """Everything that serving needs; seconds when nothing has changed."""
    for step in (PYTHON, NODE, CODEGEN, BUILD):
        step.ensure()
