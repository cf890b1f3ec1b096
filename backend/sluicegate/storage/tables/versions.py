"""How often each thing was edited."""

from __future__ import annotations

from sqlalchemy import Column
from sqlmodel import Field

from sluicegate.domain.version import Editable
from sluicegate.storage.tables.types import EnumText, Row


class VersionRow(Row, table=True):
    """Absent for what nobody has edited yet."""

    __tablename__ = "versions"

    what: Editable = Field(sa_column=Column(EnumText(Editable), primary_key=True))
    id: str = Field(primary_key=True, max_length=60)
    version: int
