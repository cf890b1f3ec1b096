"""Sign-ins of assistants by way of a browser.

Revision 20261202_device_sign_ins, after 20261201_sso.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261202_device_sign_ins"
down_revision = "20261201_sso"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device_sign_ins",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_code", sa.String(length=16), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("program", sa.String(length=60), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("key_id", sa.String(length=36), nullable=True),
        sa.Column("refresh_digest", sa.String(length=64), nullable=True),
        sa.Column("issued_public_id", sa.String(length=16), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_device_sign_ins_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.id"], name=op.f("fk_device_sign_ins_key_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_sign_ins")),
        sa.UniqueConstraint("user_code", name=op.f("uq_device_sign_ins_user_code")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_device_sign_ins_code_digest")),
        sa.UniqueConstraint("key_id", name=op.f("uq_device_sign_ins_key_id")),
        sa.UniqueConstraint("refresh_digest", name=op.f("uq_device_sign_ins_refresh_digest")),
    )
    op.create_index(op.f("ix_device_sign_ins_expires_at"), "device_sign_ins", ["expires_at"], unique=False)
    op.create_index(op.f("ix_device_sign_ins_user_id"), "device_sign_ins", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_table("device_sign_ins")
