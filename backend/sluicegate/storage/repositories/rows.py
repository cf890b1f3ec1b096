"""From table rows to domain values and back, field by field of the same name."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def to_value(cls: type[T], row: Any, **special: Any) -> T:
    """A frozen dataclass from a row's columns; `special` gives the fields that are stored otherwise."""
    plain = {f.name: getattr(row, f.name) for f in fields(cls) if f.name not in special}  # type: ignore[arg-type]
    return cls(**plain, **special)
