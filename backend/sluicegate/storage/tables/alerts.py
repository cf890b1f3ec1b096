"""Alerts, who has seen them, and the webhooks that they are posted to."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from sluicegate.domain.policy import SubjectKind, Window
from sluicegate.domain.webhook import PostKind, PostStatus
from sluicegate.storage.tables.types import ID, METADATA, EnumText, UtcDateTime, belonging

# No foreign keys: what was told stays told when people and groups are deleted. That a threshold is told once rests
# on the unique constraint alone.
ALERTS = Table(
    "alerts",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("subject_kind", EnumText(SubjectKind), nullable=False),
    Column("subject_id", ID, nullable=False),
    Column("subject_label", String(400), nullable=False),
    Column("user_id", ID),
    Column("budget_window", EnumText(Window), nullable=False),
    Column("period", String(16), nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("cap_nanos", BigInteger, nullable=False),
    Column("spent_nanos", BigInteger, nullable=False),
    Column("set_by_kind", EnumText(SubjectKind), nullable=False),
    Column("set_by_id", ID, nullable=False),
    Column("set_by_label", String(400), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("resets_at", UtcDateTime, nullable=False),
    UniqueConstraint("subject_kind", "subject_id", "period", "cap_nanos", "threshold", name="uq_alerts_once"),
    Index("ix_alerts_period", "period"),
)

NOTICES = Table(
    "alert_notices",
    METADATA,
    belonging("user_id", "users.id", primary_key=True),
    belonging("alert_id", "alerts.id", primary_key=True, index=True),
    Column("read_at", UtcDateTime),
)

WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("url", String(1000), nullable=False),
    Column("subjects", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("secret_updated_at", UtcDateTime, nullable=False),
    Column("sealed_secret", Text, nullable=False),
)

POSTS = Table(
    "webhook_posts",
    METADATA,
    Column("id", ID, primary_key=True),
    belonging("webhook_id", "webhooks.id", nullable=False, index=True),
    Column("kind", EnumText(PostKind), nullable=False),
    Column("alert_id", ID),
    Column("body", Text, nullable=False),
    Column("status", EnumText(PostStatus), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("answer", Integer),
    Column("error", String(500), nullable=False),
    Index("ix_webhook_posts_due", "status", "due_at"),
)
