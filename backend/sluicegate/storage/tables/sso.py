"""Single sign-on: its settings, linked identities, and what the identity provider gave."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKeyConstraint, String, Table, Text, UniqueConstraint

from sluicegate.domain.sso import SignInWay
from sluicegate.storage.tables.types import ID, METADATA, EnumText, UtcDateTime, belonging

# One at most.
SSO_SETTINGS = Table(
    "sso_settings",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("issuer", String(500), nullable=False),
    Column("client_id", String(255), nullable=False),
    Column("label", String(60), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("groups_claim", String(200), nullable=False),
    Column("creates_people", Boolean, nullable=False),
    Column("domains", JSON, nullable=False),
    Column("members_use_passwords", Boolean, nullable=False),
    Column("trusts_email", Boolean, nullable=False),
    Column("admin_values", JSON, nullable=False),
    Column("sealed_secret", Text),
    Column("secret_updated_at", UtcDateTime),
)

SSO_MAPPINGS = Table(
    "sso_mappings",
    METADATA,
    Column("value", String(250), primary_key=True),
    belonging("group_id", "groups.id", primary_key=True, index=True),
)

IDENTITIES = Table(
    "identities",
    METADATA,
    Column("id", ID, primary_key=True),
    belonging("user_id", "users.id", nullable=False),
    Column("issuer", String(500), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("email", String(254), nullable=False),
    Column("linked_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=False),
    UniqueConstraint("issuer", "subject", name="uq_identities_issuer"),
    UniqueConstraint("user_id", "issuer", name="uq_identities_user_id"),
)

# A membership that single sign-on made; the row goes with the membership.
SSO_MEMBERSHIPS = Table(
    "sso_memberships",
    METADATA,
    Column("group_id", ID, primary_key=True),
    Column("user_id", ID, primary_key=True, index=True),
    ForeignKeyConstraint(["group_id", "user_id"], ["memberships.group_id", "memberships.user_id"], ondelete="CASCADE"),
)

# Somebody whom single sign-on made an administrator.
SSO_ADMINS = Table(
    "sso_admins",
    METADATA,
    belonging("user_id", "users.id", primary_key=True),
)

# A sign-in that was finished, so that nobody finishes it again; of no use once it has expired.
SPENT_STATES = Table(
    "sso_spent_states",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

LAST_SIGN_INS = Table(
    "last_sign_ins",
    METADATA,
    belonging("user_id", "users.id", primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("way", EnumText(SignInWay), nullable=False),
)
