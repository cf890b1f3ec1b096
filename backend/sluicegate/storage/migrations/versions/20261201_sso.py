"""Single sign-on: its settings, linked identities, what the identity provider gave, and how people last came in.

Revision 20261201_sso, after 20261201_scim.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261201_sso"
down_revision = "20261201_scim"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sso_settings",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("groups_claim", sa.String(length=200), nullable=False),
        sa.Column("creates_people", sa.Boolean(), nullable=False),
        sa.Column("domains", sa.JSON(), nullable=False),
        sa.Column("members_use_passwords", sa.Boolean(), nullable=False),
        sa.Column("trusts_email", sa.Boolean(), nullable=False),
        sa.Column("admin_values", sa.JSON(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=True),
        sa.Column("secret_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sso_settings")),
    )
    op.create_table(
        "sso_mappings",
        sa.Column("value", sa.String(length=250), nullable=False),
        sa.Column("group_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_sso_mappings_group_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("value", "group_id", name=op.f("pk_sso_mappings")),
    )
    op.create_index(op.f("ix_sso_mappings_group_id"), "sso_mappings", ["group_id"], unique=False)
    op.create_table(
        "identities",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_identities_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_identities_issuer")),
        sa.UniqueConstraint("user_id", "issuer", name=op.f("uq_identities_user_id")),
    )
    op.create_table(
        "sso_memberships",
        sa.Column("group_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id", "user_id"],
            ["memberships.group_id", "memberships.user_id"],
            name=op.f("fk_sso_memberships_group_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_sso_memberships")),
    )
    op.create_index(op.f("ix_sso_memberships_user_id"), "sso_memberships", ["user_id"], unique=False)
    op.create_table(
        "sso_admins",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sso_admins_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_sso_admins")),
    )
    op.create_table(
        "sso_spent_states",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sso_spent_states")),
    )
    op.create_index(op.f("ix_sso_spent_states_expires_at"), "sso_spent_states", ["expires_at"], unique=False)
    op.create_table(
        "last_sign_ins",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("way", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_last_sign_ins_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_last_sign_ins")),
    )


def downgrade() -> None:
    op.drop_table("last_sign_ins")
    op.drop_table("sso_spent_states")
    op.drop_table("sso_admins")
    op.drop_table("sso_memberships")
    op.drop_table("identities")
    op.drop_table("sso_mappings")
    op.drop_table("sso_settings")
