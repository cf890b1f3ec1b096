"""Alerts, who has seen them, and the webhooks that they are posted to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, String, Text, UniqueConstraint
from sqlmodel import Field

from sluicegate.domain.policy import SubjectKind, Window
from sluicegate.domain.webhook import PostKind, PostStatus
from sluicegate.storage.tables.types import EnumText, Row, UtcDateTime


class AlertRow(Row, table=True):
    """No foreign keys: what was told stays told when people and groups are deleted. That a threshold is told once rests
    on the unique constraint alone."""

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("subject_kind", "subject_id", "period", "cap_nanos", "threshold", name="uq_alerts_once"),
        Index("ix_alerts_period", "period"),
    )

    id: str = Field(primary_key=True, max_length=36)
    subject_kind: SubjectKind = Field(sa_column=Column(EnumText(SubjectKind), nullable=False))
    subject_id: str = Field(max_length=36)
    subject_label: str = Field(max_length=400)
    user_id: str | None = Field(default=None, max_length=36)
    budget_window: Window = Field(sa_column=Column(EnumText(Window), nullable=False))
    period: str = Field(max_length=16)
    threshold: int
    cap_nanos: int = Field(sa_column=Column(BigInteger, nullable=False))
    spent_nanos: int = Field(sa_column=Column(BigInteger, nullable=False))
    set_by_kind: SubjectKind = Field(sa_column=Column(EnumText(SubjectKind), nullable=False))
    set_by_id: str = Field(max_length=36)
    set_by_label: str = Field(max_length=400)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    resets_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class AlertNoticeRow(Row, table=True):
    __tablename__ = "alert_notices"

    user_id: str = Field(sa_column=Column(String(36), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True))
    alert_id: str = Field(
        sa_column=Column(String(36), ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True, index=True)
    )
    read_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class WebhookRow(Row, table=True):
    __tablename__ = "webhooks"

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=120)
    url: str = Field(max_length=1000)
    subjects: list[str] = Field(sa_column=Column(JSON, nullable=False))
    enabled: bool
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    secret_updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    sealed_secret: str = Field(sa_column=Column(Text, nullable=False))


class WebhookPostRow(Row, table=True):
    __tablename__ = "webhook_posts"
    __table_args__ = (Index("ix_webhook_posts_due", "status", "due_at"),)

    id: str = Field(primary_key=True, max_length=36)
    webhook_id: str = Field(
        sa_column=Column(String(36), ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    kind: PostKind = Field(sa_column=Column(EnumText(PostKind), nullable=False))
    alert_id: str | None = Field(default=None, max_length=36)
    body: str = Field(sa_column=Column(Text, nullable=False))
    status: PostStatus = Field(sa_column=Column(EnumText(PostStatus), nullable=False))
    attempts: int
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    due_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    answer: int | None = None
    error: str = Field(max_length=500)
