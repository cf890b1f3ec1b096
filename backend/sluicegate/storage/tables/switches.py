"""What administrators set for the whole organisation in the console, and values that the server made for itself."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from sluicegate.storage.tables.types import METADATA

SWITCHES = Table(
    "switches",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
