"""Recurring work."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field

from sluicegate.storage.tables.types import Row, UtcDateTime


class JobRow(Row, table=True):
    __tablename__ = "jobs"

    name: str = Field(primary_key=True, max_length=60)
    due_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    owner: str | None = Field(default=None, max_length=36)
    lease_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    started_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    failures: int
    error: str = Field(max_length=500)
