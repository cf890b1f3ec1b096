"""A factor on the prices of a provider, and prices that it does not concern.

Revision 20261129_multipliers, after 20261129_long_context.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_multipliers"
down_revision = "20261129_long_context"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not as a batch: SQLite would have to copy `providers`, whose index on an expression it could not make again.
    for table, name in (("providers", "price_multiplier"), ("price_lists", "multiplier")):
        op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=False, server_default="1000000"))
    op.add_column("price_lists", sa.Column("own", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("price_lists", "own")
    op.drop_column("price_lists", "multiplier")
    op.drop_column("providers", "price_multiplier")
