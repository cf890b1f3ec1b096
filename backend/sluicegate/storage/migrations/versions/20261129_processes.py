"""Processes that share the database, and the change of policy up to which each of them follows.

Revision 20261129_processes, after 20261129_refusals.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_processes"
down_revision = "20261129_refusals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processes")),
    )


def downgrade() -> None:
    op.drop_table("processes")
