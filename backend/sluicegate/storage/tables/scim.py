"""Provisioning by an identity provider."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, String
from sqlmodel import Field

from sluicegate.storage.tables.types import Row, UtcDateTime


class ScimTokenRow(Row, table=True):
    __tablename__ = "scim_tokens"

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=120)
    prefix: str = Field(max_length=24)
    token_digest: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    created_by: str = Field(max_length=400)
    revoked_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    last_used_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    previous_digest: str | None = Field(default=None, unique=True, max_length=64)
    previous_prefix: str | None = Field(default=None, max_length=24)
    previous_expires_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class ScimUserRow(Row, table=True):
    __tablename__ = "scim_users"

    user_id: str = Field(sa_column=Column(String(36), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True))
    external_id: str | None = Field(default=None, index=True, max_length=255)
    given_name: str | None = Field(default=None, max_length=120)
    family_name: str | None = Field(default=None, max_length=120)
    suspended: bool


class ScimGroupRow(Row, table=True):
    __tablename__ = "scim_groups"

    group_id: str = Field(sa_column=Column(String(36), ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True))
    external_id: str = Field(index=True, max_length=255)
