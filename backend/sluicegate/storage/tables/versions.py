"""How often each thing was edited."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from sluicegate.domain.version import Editable
from sluicegate.storage.tables.types import METADATA, EnumText

# Absent for what nobody has edited yet.
VERSIONS = Table(
    "versions",
    METADATA,
    Column("what", EnumText(Editable), primary_key=True),
    Column("id", String(60), primary_key=True),
    Column("version", Integer, nullable=False),
)
