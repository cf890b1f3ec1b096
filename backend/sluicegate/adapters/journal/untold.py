"""Whose calls are in the ledger while Redis has not heard of them: kept until it has, beside the journal."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.kit.ids import new_id

_Rows = list[tuple[SubjectKind, str]]


def note(folder: Path, subjects: Collection[Subject]) -> None:
    """Raises OSError."""
    path = folder / f"{new_id()}.untold"
    # Under another name first: whoever starts meanwhile finds all of it, or nothing.
    half = path.with_suffix(".half")
    half.write_bytes(msgspec.json.encode(sorted((subject.kind, subject.id) for subject in subjects)))
    half.rename(path)


def noted(folder: Path) -> dict[Path, set[Subject]]:
    """By file. One that cannot be read names nobody, and stays for a person to look at."""
    found: dict[Path, set[Subject]] = {}
    for path in folder.glob("*.untold"):
        try:
            rows = msgspec.json.decode(path.read_bytes(), type=_Rows)
        except (OSError, msgspec.DecodeError):
            continue
        found[path] = {Subject(kind, subject_id) for kind, subject_id in rows}
    return found
