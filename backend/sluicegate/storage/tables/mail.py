"""Letters that wait for the mail server, and what became of the others."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, Text
from sqlmodel import Field

from sluicegate.domain.mail import LetterKind, MailStatus
from sluicegate.storage.tables.types import EnumText, Row, UtcDateTime


class MailRow(Row, table=True):
    """No foreign key: what was sent to people is told also when they have been deleted. `sealed` is there only as long
    as the letter may be sent."""

    __tablename__ = "mail_outbox"
    __table_args__ = (
        Index("ix_mail_outbox_due", "status", "due_at"),
        Index("ix_mail_outbox_user", "user_id", "id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    kind: LetterKind = Field(sa_column=Column(EnumText(LetterKind), nullable=False))
    recipient: str = Field(max_length=254)
    user_id: str | None = Field(default=None, max_length=36)
    status: MailStatus = Field(sa_column=Column(EnumText(MailStatus), nullable=False))
    attempts: int
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    due_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    error: str = Field(max_length=500)
    sealed: str | None = Field(default=None, sa_column=Column(Text))
