"""Recurring jobs, and what became of links.

Revision 20261124_jobs, after 20261124_first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261124_jobs"
down_revision = "20261124_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.String(length=36), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_jobs")),
    )
    for name in ("replaced_at", "lapse_noted_at"):
        op.add_column("one_time_links", sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("one_time_links") as links:
        links.drop_column("lapse_noted_at")
        links.drop_column("replaced_at")
    op.drop_table("jobs")
