"""Rules that look for secrets, and what they found."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from sluicegate.domain.secret_rule import SecretAction, SecretCheck
from sluicegate.storage.tables.types import ID, METADATA, EnumText, UtcDateTime

SECRET_RULES = Table(
    "secret_rules",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("description", Text, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("action", EnumText(SecretAction), nullable=False),
    # Not `check`: that is a word of SQL's.
    Column("checked_by", EnumText(SecretCheck), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("template", String(60)),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("name"),
)

# Labels are those of the time; rules, users and keys may be gone.
FINDINGS = Table(
    "secret_findings",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("rule_id", ID, nullable=False),
    Column("rule_name", String(120), nullable=False),
    Column("action", EnumText(SecretAction), nullable=False),
    Column("matches", Integer, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("user_label", String(400), nullable=False),
    Column("key_id", ID, nullable=False),
    Column("key_label", String(400), nullable=False),
    Column("model_slug", String(200), nullable=False),
    Column("call_id", ID, nullable=False),
    Index("ix_secret_findings_at", "at", "id"),
    Index("ix_secret_findings_rule_id", "rule_id", "at", "id"),
    Index("ix_secret_findings_user_id", "user_id", "at", "id"),
)
