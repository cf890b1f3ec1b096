"""How often each thing was edited, so that a stale edit can be told.

Revision 20261124_versions, after 20261124_people_orders.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261124_versions"
down_revision = "20261124_people_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "versions",
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("what", "id", name=op.f("pk_versions")),
    )


def downgrade() -> None:
    op.drop_table("versions")
