"""docs/configuration.md and the settings tell the same story."""

from __future__ import annotations

import re

from architecture.source import ROOT
from sluicegate.settings import PREFIX, Settings

# Read by the test suite and the tooling, not by the server.
_TEST_ONLY = {"SLUICEGATE_TEST_DATABASE_URL", "SLUICEGATE_TEST_REDIS_URL"}


def _documented() -> set[str]:
    page = (ROOT / "docs/configuration.md").read_text("utf-8")
    return set(re.findall(rf"\b{PREFIX}[A-Z0-9_]*[A-Z0-9]\b", page)) - _TEST_ONLY


def _variables() -> set[str]:
    return {f"{PREFIX}{name.upper()}" for name in Settings.declared()}


def test_every_setting_is_documented() -> None:
    assert _variables() - _documented() == set()


def test_no_documented_setting_is_made_up() -> None:
    known = _variables()
    assert {name for name in _documented() if name.removesuffix("_FILE") not in known and name not in known} == set()
