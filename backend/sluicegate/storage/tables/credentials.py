"""Gateway keys and automation tokens."""

from __future__ import annotations

from sqlalchemy import JSON, Column, String, Table

from sluicegate.storage.tables.types import ID, METADATA, UtcDateTime, belonging

KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("public_id", String(16), nullable=False, unique=True),
    belonging("user_id", "users.id", nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("prefix", String(24), nullable=False),
    Column("secret_hash", String(255), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("last_used_client", String(60)),
    Column("model_ids", JSON(none_as_null=True)),
    Column("previous_public_id", String(16), unique=True, index=True),
    Column("previous_secret_hash", String(255)),
    Column("previous_expires_at", UtcDateTime),
)

TOKENS = Table(
    "automation_tokens",
    METADATA,
    Column("id", ID, primary_key=True),
    belonging("user_id", "users.id", nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("prefix", String(24), nullable=False),
    Column("token_digest", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
)
