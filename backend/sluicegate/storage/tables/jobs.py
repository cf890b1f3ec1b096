"""Recurring work."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from sluicegate.storage.tables.types import ID, METADATA, UtcDateTime

JOBS = Table(
    "jobs",
    METADATA,
    Column("name", String(60), primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("owner", ID),
    Column("lease_until", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("error", String(500), nullable=False),
)
