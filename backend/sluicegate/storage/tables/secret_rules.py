"""Rules that look for secrets, and what they found."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field

from sluicegate.domain.secret_rule import SecretAction, SecretCheck
from sluicegate.storage.tables.types import EnumText, Row, UtcDateTime


class SecretRuleRow(Row, table=True):
    __tablename__ = "secret_rules"
    __table_args__ = (UniqueConstraint("name"),)

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=120)
    description: str = Field(sa_column=Column(Text, nullable=False))
    pattern: str = Field(sa_column=Column(Text, nullable=False))
    action: SecretAction = Field(sa_column=Column(EnumText(SecretAction), nullable=False))
    # Not `check`: that is a word of SQL's.
    checked_by: SecretCheck = Field(sa_column=Column(EnumText(SecretCheck), nullable=False))
    enabled: bool
    template: str | None = Field(default=None, max_length=60)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class SecretFindingRow(Row, table=True):
    """Labels are those of the time; rules, users and keys may be gone."""

    __tablename__ = "secret_findings"
    __table_args__ = (
        Index("ix_secret_findings_at", "at", "id"),
        Index("ix_secret_findings_rule_id", "rule_id", "at", "id"),
        Index("ix_secret_findings_user_id", "user_id", "at", "id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    rule_id: str = Field(max_length=36)
    rule_name: str = Field(max_length=120)
    action: SecretAction = Field(sa_column=Column(EnumText(SecretAction), nullable=False))
    matches: int
    user_id: str = Field(max_length=36)
    user_label: str = Field(max_length=400)
    key_id: str = Field(max_length=36)
    key_label: str = Field(max_length=400)
    model_slug: str = Field(max_length=200)
    call_id: str = Field(max_length=36)
