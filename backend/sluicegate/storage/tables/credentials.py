"""Gateway keys and automation tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKey, String
from sqlmodel import Field

from sluicegate.storage.tables.types import Row, UtcDateTime


class ApiKeyRow(Row, table=True):
    __tablename__ = "api_keys"

    id: str = Field(primary_key=True, max_length=36)
    public_id: str = Field(unique=True, max_length=16)
    user_id: str = Field(
        sa_column=Column(String(36), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    name: str = Field(max_length=120)
    prefix: str = Field(max_length=24)
    secret_hash: str = Field(max_length=255)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    last_used_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    last_used_client: str | None = Field(default=None, max_length=60)
    model_ids: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    previous_public_id: str | None = Field(default=None, unique=True, index=True, max_length=16)
    previous_secret_hash: str | None = Field(default=None, max_length=255)
    previous_expires_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class AutomationTokenRow(Row, table=True):
    __tablename__ = "automation_tokens"

    id: str = Field(primary_key=True, max_length=36)
    user_id: str = Field(
        sa_column=Column(String(36), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    name: str = Field(max_length=120)
    prefix: str = Field(max_length=24)
    token_digest: str = Field(unique=True, max_length=64)
    scopes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    last_used_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
