"""The package's modules as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "backend/sluicegate"


@cache
def modules() -> dict[str, ast.Module]:
    """Every module by its path relative to the package, with forward slashes."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8"), str(path)) for path in paths}


def calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The line and dotted name of each call, with imported names written out in full."""
    full = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            head, _, rest = dotted(node.func).partition(".")
            name = full.get(head, head)
            yield node.lineno, f"{name}.{rest}" if rest else name


def dotted(node: ast.expr) -> str:
    """`a.b.c` as text; what is no plain name, such as a call's result, appears as an empty part."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{dotted(value)}.{name}"
        case _:
            return ""


def _imported(tree: ast.Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({alias.asname or alias.name: alias.name for alias in node.names})
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return names
