"""Provisioning by an identity provider."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, String, Table

from sluicegate.storage.tables.types import ID, METADATA, UtcDateTime, belonging

SCIM_TOKENS = Table(
    "scim_tokens",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("prefix", String(24), nullable=False),
    Column("token_digest", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(400), nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("previous_digest", String(64), unique=True),
    Column("previous_prefix", String(24)),
    Column("previous_expires_at", UtcDateTime),
)

SCIM_USERS = Table(
    "scim_users",
    METADATA,
    belonging("user_id", "users.id", primary_key=True),
    Column("external_id", String(255), index=True),
    Column("given_name", String(120)),
    Column("family_name", String(120)),
    Column("suspended", Boolean, nullable=False),
)

SCIM_GROUPS = Table(
    "scim_groups",
    METADATA,
    belonging("group_id", "groups.id", primary_key=True),
    Column("external_id", String(255), nullable=False, index=True),
)
