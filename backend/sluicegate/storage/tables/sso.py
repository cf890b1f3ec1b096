"""Single sign-on: its settings, linked identities, and what the identity provider gave."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKey, ForeignKeyConstraint, String, Text, UniqueConstraint
from sqlmodel import Field

from sluicegate.domain.sso import SignInWay
from sluicegate.storage.tables.types import EnumText, Row, UtcDateTime


class SsoSettingsRow(Row, table=True):
    """One at most."""

    __tablename__ = "sso_settings"

    id: str = Field(primary_key=True, max_length=36)
    enabled: bool
    issuer: str = Field(max_length=500)
    client_id: str = Field(max_length=255)
    label: str = Field(max_length=60)
    scopes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    groups_claim: str = Field(max_length=200)
    creates_people: bool
    domains: list[str] = Field(sa_column=Column(JSON, nullable=False))
    members_use_passwords: bool
    trusts_email: bool
    admin_values: list[str] = Field(sa_column=Column(JSON, nullable=False))
    sealed_secret: str | None = Field(default=None, sa_column=Column(Text))
    secret_updated_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class SsoMappingRow(Row, table=True):
    __tablename__ = "sso_mappings"

    value: str = Field(primary_key=True, max_length=250)
    group_id: str = Field(
        sa_column=Column(String(36), ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True)
    )


class IdentityRow(Row, table=True):
    __tablename__ = "identities"
    __table_args__ = (
        UniqueConstraint("issuer", "subject", name="uq_identities_issuer"),
        UniqueConstraint("user_id", "issuer", name="uq_identities_user_id"),
    )

    id: str = Field(primary_key=True, max_length=36)
    user_id: str = Field(sa_column=Column(String(36), ForeignKey("users.id", ondelete="CASCADE"), nullable=False))
    issuer: str = Field(max_length=500)
    subject: str = Field(max_length=255)
    email: str = Field(max_length=254)
    linked_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    last_used_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class SsoMembershipRow(Row, table=True):
    """A membership that single sign-on made; the row goes with the membership."""

    __tablename__ = "sso_memberships"
    __table_args__ = (
        ForeignKeyConstraint(
            ["group_id", "user_id"], ["memberships.group_id", "memberships.user_id"], ondelete="CASCADE"
        ),
    )

    group_id: str = Field(primary_key=True, max_length=36)
    user_id: str = Field(primary_key=True, max_length=36, index=True)


class SsoAdminRow(Row, table=True):
    """Somebody whom single sign-on made an administrator."""

    __tablename__ = "sso_admins"

    user_id: str = Field(sa_column=Column(String(36), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True))


class SpentStateRow(Row, table=True):
    """A sign-in that was finished, so that nobody finishes it again; of no use once it has expired."""

    __tablename__ = "sso_spent_states"

    digest: str = Field(primary_key=True, max_length=64)
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))


class LastSignInRow(Row, table=True):
    __tablename__ = "last_sign_ins"

    user_id: str = Field(sa_column=Column(String(36), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    way: SignInWay = Field(sa_column=Column(EnumText(SignInWay), nullable=False))
