"""Values that administrators set for the whole organisation.

Revision 20261124_switches, after 20261124_secret_rules.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261124_switches"
down_revision = "20261124_secret_rules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "switches",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )


def downgrade() -> None:
    op.drop_table("switches")
