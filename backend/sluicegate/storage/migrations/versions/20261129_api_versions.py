"""The version of a provider's interface, where it has such.

Revision 20261129_api_versions, after 20261129_alerts.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_api_versions"
down_revision = "20261129_alerts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not as a batch: SQLite would have to copy the table, whose index on an expression it could not make again.
    op.add_column("providers", sa.Column("api_version", sa.String(length=40), nullable=True))


def downgrade() -> None:
    op.drop_column("providers", "api_version")
