"""Prices of calls with long prompts.

Revision 20261129_long_context, after 20261129_trigrams.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_long_context"
down_revision = "20261129_trigrams"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("price_lists", sa.Column("long_context", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("price_lists", "long_context")
