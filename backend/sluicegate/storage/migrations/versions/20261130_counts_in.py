"""Where each process counts limits and budgets, so that those who would count apart are told.

Revision 20261130_counts_in, after 20261129_processes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261130_counts_in"
down_revision = "20261129_processes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("processes", sa.Column("counts_in", sa.String(length=36), nullable=True))


def downgrade() -> None:
    op.drop_column("processes", "counts_in")
