"""What providers' models are capable of.

Revision 20261129_capabilities, after 20261129_planned_multipliers.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_capabilities"
down_revision = "20261129_planned_multipliers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("provider_models", sa.Column("capabilities", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("provider_models", "capabilities")
