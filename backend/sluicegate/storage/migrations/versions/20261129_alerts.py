"""Alerts of budgets, who has seen them, webhooks; and when what was spent last changed.

Revision 20261129_alerts, after 20261124_switches.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261129_alerts"
down_revision = "20261124_switches"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("budget_spend", sa.Column("changed_ms", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("budget_spend") as batch:
        batch.alter_column("changed_ms", server_default=None)
    op.create_index("ix_budget_spend_period", "budget_spend", ["period"], unique=False)
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("subject_kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("subject_label", sa.String(length=400), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("budget_window", sa.String(length=32), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("cap_nanos", sa.BigInteger(), nullable=False),
        sa.Column("spent_nanos", sa.BigInteger(), nullable=False),
        sa.Column("set_by_kind", sa.String(length=32), nullable=False),
        sa.Column("set_by_id", sa.String(length=36), nullable=False),
        sa.Column("set_by_label", sa.String(length=400), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resets_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint(
            "subject_kind", "subject_id", "period", "cap_nanos", "threshold", name=op.f("uq_alerts_once")
        ),
    )
    op.create_index("ix_alerts_period", "alerts", ["period"], unique=False)
    op.create_table(
        "alert_notices",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("alert_id", sa.String(length=36), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_alert_notices_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_alert_notices_alert_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "alert_id", name=op.f("pk_alert_notices")),
    )
    op.create_index(op.f("ix_alert_notices_alert_id"), "alert_notices", ["alert_id"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("subjects", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("secret_updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "webhook_posts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("webhook_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("alert_id", sa.String(length=36), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_posts_webhook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_posts")),
    )
    op.create_index("ix_webhook_posts_due", "webhook_posts", ["status", "due_at"], unique=False)
    op.create_index(op.f("ix_webhook_posts_webhook_id"), "webhook_posts", ["webhook_id"], unique=False)


def downgrade() -> None:
    op.drop_table("webhook_posts")
    op.drop_table("webhooks")
    op.drop_table("alert_notices")
    op.drop_table("alerts")
    op.drop_index("ix_budget_spend_period", table_name="budget_spend")
    with op.batch_alter_table("budget_spend") as batch:
        batch.drop_column("changed_ms")
