"""Every package says in its docstring what belongs in it, and no module is a bag of things."""

from __future__ import annotations

import ast

from architecture.source import modules

_BAGS = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py", "manager.py"}


def test_every_package_says_what_belongs_in_it() -> None:
    silent = [path for path, tree in modules().items() if path.endswith("__init__.py") and not ast.get_docstring(tree)]
    assert silent == []


def test_no_module_is_a_bag() -> None:
    assert [path for path in modules() if path.rsplit("/", 1)[-1] in _BAGS] == []
