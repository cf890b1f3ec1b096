"""Further headers that providers want.

Revision 20261129_headers, after 20261129_multipliers.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_headers"
down_revision = "20261129_multipliers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not as a batch: SQLite would have to copy the table, whose index on an expression it could not make again.
    op.add_column("providers", sa.Column("header_names", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("providers", sa.Column("sealed_headers", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("providers", "sealed_headers")
    op.drop_column("providers", "header_names")
