"""Users, groups, memberships, sessions, one-time links."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, text

from sluicegate.domain.user import LinkKind, Role, UserStatus
from sluicegate.storage.tables.types import ID, METADATA, EnumText, InstantOrNever, UtcDateTime, belonging

# Each index holds everything by which people are searched and filtered, in one of the orders of their list.
USERS = Table(
    "users",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("sort_name", String(254), nullable=False),
    Column("role", EnumText(Role), nullable=False),
    Column("status", EnumText(UserStatus), nullable=False),
    Column("password_hash", String(255)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_active_at", InstantOrNever, nullable=False),
    Index("ix_users_by_name", "sort_name", "id", "email", "role", "status"),
    Index("ix_users_by_creation", "created_at", "id", "sort_name", "email", "role", "status"),
    Index("ix_users_by_activity", "last_active_at", "id", "sort_name", "email", "role", "status"),
    Index("ix_users_by_role", "role", "sort_name", "id", "email", "status"),
    Index("ix_users_by_status", "status", "sort_name", "id", "email", "role"),
)

GROUPS = Table(
    "groups",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("description", String(1000), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("uq_groups_name", text("lower(name)"), unique=True),
)

MEMBERSHIPS = Table(
    "memberships",
    METADATA,
    belonging("group_id", "groups.id", primary_key=True),
    belonging("user_id", "users.id", primary_key=True, index=True),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", ID, primary_key=True),
    belonging("user_id", "users.id", nullable=False, index=True),
    Column("token_digest", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("address", String(45), nullable=False),
    Column("user_agent", String(300), nullable=False),
)

LINKS = Table(
    "one_time_links",
    METADATA,
    Column("id", ID, primary_key=True),
    belonging("user_id", "users.id", nullable=False, index=True),
    Column("kind", EnumText(LinkKind), nullable=False),
    Column("token_digest", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("replaced_at", UtcDateTime),
    Column("lapse_noted_at", UtcDateTime),
)
