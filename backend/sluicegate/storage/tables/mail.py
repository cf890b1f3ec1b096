"""Letters that wait for the mail server, and what became of the others."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from sluicegate.domain.mail import LetterKind, MailStatus
from sluicegate.storage.tables.types import ID, METADATA, EnumText, UtcDateTime

# No foreign key: what was sent to people is told also when they have been deleted. `sealed` is there only as long
# as the letter may be sent.
OUTBOX = Table(
    "mail_outbox",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("kind", EnumText(LetterKind), nullable=False),
    Column("recipient", String(254), nullable=False),
    Column("user_id", ID),
    Column("status", EnumText(MailStatus), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("error", String(500), nullable=False),
    Column("sealed", Text),
    Index("ix_mail_outbox_due", "status", "due_at"),
    Index("ix_mail_outbox_user", "user_id", "id"),
)
