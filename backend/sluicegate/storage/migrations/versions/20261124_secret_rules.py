"""Rules that look for secrets in what callers send, and what they found.

Revision 20261124_secret_rules, after 20261124_rollups.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261124_secret_rules"
down_revision = "20261124_rollups"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "secret_rules",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("checked_by", sa.String(length=32), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("template", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secret_rules")),
        sa.UniqueConstraint("name", name=op.f("uq_secret_rules_name")),
    )
    op.create_table(
        "secret_findings",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule_id", sa.String(length=36), nullable=False),
        sa.Column("rule_name", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("matches", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("user_label", sa.String(length=400), nullable=False),
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("key_label", sa.String(length=400), nullable=False),
        sa.Column("model_slug", sa.String(length=200), nullable=False),
        sa.Column("call_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secret_findings")),
    )
    op.create_index("ix_secret_findings_at", "secret_findings", ["at", "id"], unique=False)
    op.create_index("ix_secret_findings_rule_id", "secret_findings", ["rule_id", "at", "id"], unique=False)
    op.create_index("ix_secret_findings_user_id", "secret_findings", ["user_id", "at", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("secret_findings")
    op.drop_table("secret_rules")
