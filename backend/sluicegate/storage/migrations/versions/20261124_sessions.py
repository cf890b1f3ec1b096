"""Where sessions were opened.

Revision 20261124_sessions, after 20261124_mail.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261124_sessions"
down_revision = "20261124_mail"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sessions") as sessions:
        sessions.add_column(sa.Column("address", sa.String(length=45), nullable=False, server_default=""))
        sessions.add_column(sa.Column("user_agent", sa.String(length=300), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_column("user_agent")
        sessions.drop_column("address")
