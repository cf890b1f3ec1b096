"""Commands in namespaces of their own, which need neither an engine for containers nor, in most places, root."""

from __future__ import annotations

import os
import subprocess

import pytest

from deployment.programs import program


def unshared(*options: str) -> list[str]:
    """What stands before the command, with options of `unshare`; skips where no such namespace may be made."""
    words = [program("unshare"), *options]
    if os.geteuid() != 0:
        words += ["--user", "--map-root-user"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may make no namespaces")
    return words
