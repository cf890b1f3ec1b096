"""The audit log."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, String, Table

from sluicegate.domain.audit import ActorKind
from sluicegate.storage.tables.types import ID, METADATA, EnumText, UtcDateTime

EVENTS = Table(
    "audit_events",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_kind", EnumText(ActorKind), nullable=False),
    Column("actor_id", ID),
    Column("actor_token_id", ID),
    Column("actor_label", String(400), nullable=False),
    Column("action", String(64), nullable=False),
    Column("target_kind", String(32), nullable=False),
    Column("target_id", ID, nullable=False),
    Column("target_label", String(400), nullable=False),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Index("ix_audit_events_newest", "at", "id"),
    Index("ix_audit_events_actor", "actor_id", "at", "id"),
    Index("ix_audit_events_action", "action", "at", "id"),
    Index("ix_audit_events_target", "target_kind", "target_id", "at", "id"),
)
