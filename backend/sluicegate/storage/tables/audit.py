"""The audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field

from sluicegate.domain.audit import ActorKind
from sluicegate.storage.tables.types import EnumText, Row, UtcDateTime


class AuditEventRow(Row, table=True):
    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_newest", "at", "id"),
        Index("ix_audit_events_actor", "actor_id", "at", "id"),
        Index("ix_audit_events_action", "action", "at", "id"),
        Index("ix_audit_events_target", "target_kind", "target_id", "at", "id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    actor_kind: ActorKind = Field(sa_column=Column(EnumText(ActorKind), nullable=False))
    actor_id: str | None = Field(default=None, max_length=36)
    actor_token_id: str | None = Field(default=None, max_length=36)
    actor_label: str = Field(max_length=400)
    action: str = Field(max_length=64)
    target_kind: str = Field(max_length=32)
    target_id: str = Field(max_length=36)
    target_label: str = Field(max_length=400)
    before: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    after: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
