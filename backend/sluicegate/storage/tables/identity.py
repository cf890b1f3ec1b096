"""Users, groups, memberships, sessions, one-time links."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, String, text
from sqlmodel import Field

from sluicegate.domain.user import LinkKind, Role, UserStatus
from sluicegate.storage.tables.types import EnumText, InstantOrNever, Row, UtcDateTime


class UserRow(Row, table=True):
    """Each index holds everything by which people are searched and filtered, in one of the orders of their list."""

    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_by_name", "sort_name", "id", "email", "role", "status"),
        Index("ix_users_by_creation", "created_at", "id", "sort_name", "email", "role", "status"),
        Index("ix_users_by_activity", "last_active_at", "id", "sort_name", "email", "role", "status"),
        Index("ix_users_by_role", "role", "sort_name", "id", "email", "status"),
        Index("ix_users_by_status", "status", "sort_name", "id", "email", "role"),
    )

    id: str = Field(primary_key=True, max_length=36)
    email: str = Field(unique=True, max_length=254)
    name: str = Field(max_length=120)
    sort_name: str = Field(max_length=254)
    role: Role = Field(sa_column=Column(EnumText(Role), nullable=False))
    status: UserStatus = Field(sa_column=Column(EnumText(UserStatus), nullable=False))
    password_hash: str | None = Field(default=None, max_length=255)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    last_active_at: datetime | None = Field(default=None, sa_column=Column(InstantOrNever, nullable=False))


class GroupRow(Row, table=True):
    __tablename__ = "groups"
    __table_args__ = (Index("uq_groups_name", text("lower(name)"), unique=True),)

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=120)
    description: str = Field(max_length=1000)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class MembershipRow(Row, table=True):
    __tablename__ = "memberships"

    group_id: str = Field(sa_column=Column(String(36), ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True))
    user_id: str = Field(
        sa_column=Column(String(36), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    )


class SessionRow(Row, table=True):
    __tablename__ = "sessions"

    id: str = Field(primary_key=True, max_length=36)
    user_id: str = Field(
        sa_column=Column(String(36), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    token_digest: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    last_seen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    address: str = Field(max_length=45)
    user_agent: str = Field(max_length=300)


class LinkRow(Row, table=True):
    __tablename__ = "one_time_links"

    id: str = Field(primary_key=True, max_length=36)
    user_id: str = Field(
        sa_column=Column(String(36), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    kind: LinkKind = Field(sa_column=Column(EnumText(LinkKind), nullable=False))
    token_digest: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    replaced_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    lapse_noted_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
