"""Data folders that belong to somebody else, as volumes do."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest

from sluicegate.cli.doctor import Finding, examine
from sluicegate.premises import make_data_dir
from sluicegate.settings import ConfigurationError, load

_NOBODY = 65_534
T = TypeVar("T")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where others get, too, unlike to those that are made for tests."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        (Path(name) / "data").mkdir()
        yield Path(name) / "data"


def as_nobody(work: Callable[[Path], T], folder: Path) -> T:
    """What it gives when it is done by a user without rights."""
    with multiprocessing.get_context("fork").Pool(1, _become_nobody) as pool:
        return pool.apply(work, (folder,))


def _become_nobody() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)


def _faults(folder: Path) -> list[str]:
    try:
        make_data_dir(load({}, data_dir=folder))
    except ConfigurationError as error:
        return error.faults
    return []


def _finding(folder: Path) -> Finding:
    return asyncio.run(examine(load({}, data_dir=folder)))[1]


def test_one_that_the_user_cannot_write_is_named_with_the_user(folder: Path) -> None:
    folder.chmod(0o555)
    user = os.geteuid() or _NOBODY
    said = f"SLUICEGATE_DATA_DIR: {folder} cannot be written by the user {user}, as which this runs"
    assert as_nobody(_faults, folder) == [said]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_one_that_was_given_to_the_group_of_a_pod_is_fine(folder: Path) -> None:
    """Kubernetes makes volumes so, and nobody in a pod could change that."""
    os.chown(folder, 0, _NOBODY)
    folder.chmod(0o2775)
    assert as_nobody(_faults, folder) == []
    assert as_nobody(_finding, folder) == Finding("data folder", True, str(folder.resolve()))
    os.chown(folder, _NOBODY, _NOBODY)
    assert "chmod 700" in as_nobody(_finding, folder).detail
