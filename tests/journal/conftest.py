"""Where lines go."""

from __future__ import annotations

from pathlib import Path

import pytest

from databases import sqlite_database
from sluicegate.adapters.journal import segments


@pytest.fixture(params=["mapped", "written"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which lines reach a file, whatever the file system here is."""
    monkeypatch.setattr(segments, "can_be_mapped", lambda _folder: request.param == "mapped")
    return request.param


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "calls.db"
    sqlite_database(path)
    return path
