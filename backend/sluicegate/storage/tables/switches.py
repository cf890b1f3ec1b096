"""What administrators set for the whole organisation in the console, and values that the server made for itself."""

from __future__ import annotations

from sqlalchemy import Column, Text
from sqlmodel import Field

from sluicegate.storage.tables.types import Row


class SwitchRow(Row, table=True):
    __tablename__ = "switches"

    name: str = Field(primary_key=True, max_length=40)
    value: str = Field(sa_column=Column(Text, nullable=False))
