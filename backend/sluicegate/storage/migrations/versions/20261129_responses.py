"""Providers that do not serve Responses.

Revision 20261129_responses, after 20261129_people_sums.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_responses"
down_revision = "20261129_people_sums"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not as a batch: SQLite would have to copy the table, whose index on an expression it could not make again.
    op.add_column("providers", sa.Column("serves_responses", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    op.drop_column("providers", "serves_responses")
