"""Multipliers that start later, and prices that follow from them.

Revision 20261129_planned_multipliers, after 20261129_responses.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_planned_multipliers"
down_revision = "20261129_responses"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not as a batch: SQLite would have to copy the table, whose index on an expression it could not make again.
    op.add_column("providers", sa.Column("planned_multipliers", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("price_lists", sa.Column("derived", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("price_lists", "derived")
    op.drop_column("providers", "planned_multipliers")
