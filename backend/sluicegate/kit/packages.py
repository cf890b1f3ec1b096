"""Packages of which a part is wanted without what their own module loads."""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from typing import Any


def package_alone(name: str) -> Any:
    """A package whose own module is not run: its parts can be imported, and whatever else is asked of it has to be put
    there. One that is loaded already is left as it is. Raises ModuleNotFoundError."""
    spec = find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(name=name)
    return sys.modules.setdefault(name, module_from_spec(spec))
