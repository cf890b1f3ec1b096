"""Programs that come from the system's packages, as the test run installs them where it may."""

from __future__ import annotations

import os
import shutil

import pytest


def program(name: str) -> str:
    """Its path; skips the test, and counts it, where there is none."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(f"there is no {name}, and CI=true allows no skip")
        pytest.skip(f"there is no {name}")
    return found
