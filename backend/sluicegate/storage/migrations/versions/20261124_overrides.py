"""Values that stand in for merged ones until an instant.

Revision 20261124_overrides, after 20261124_keys.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261124_overrides"
down_revision = "20261124_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_overrides",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("target", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("created_by", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=400), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_policy_overrides_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_overrides")),
    )
    op.create_index(op.f("ix_policy_overrides_user_id"), "policy_overrides", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_policy_overrides_user_id"), table_name="policy_overrides")
    op.drop_table("policy_overrides")
