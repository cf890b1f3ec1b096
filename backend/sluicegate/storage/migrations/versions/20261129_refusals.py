"""Counts of refused calls by day and reason.

Revision 20261129_refusals, after 20261129_capabilities.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_refusals"
down_revision = "20261129_capabilities"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "usage_refusals",
        sa.Column("scope", sa.String(36), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "start_ms", "reason"),
    )
    op.create_index("ix_usage_refusals_start", "usage_refusals", ["start_ms"])


def downgrade() -> None:
    op.drop_index("ix_usage_refusals_start", "usage_refusals")
    op.drop_table("usage_refusals")
