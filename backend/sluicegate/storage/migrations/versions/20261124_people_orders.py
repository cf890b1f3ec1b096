"""People by activity, role and status; those who were never active sort before all others.

Revision 20261124_people_orders, after 20261124_overrides.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261124_people_orders"
down_revision = "20261124_overrides"
branch_labels = None
depends_on = None

_NEVER = "1970-01-01 00:00:00.000000"
_INDEXES = {
    "ix_users_by_activity": ["last_active_at", "id", "sort_name", "email", "role", "status"],
    "ix_users_by_role": ["role", "sort_name", "id", "email", "status"],
    "ix_users_by_status": ["status", "sort_name", "id", "email", "role"],
}


def upgrade() -> None:
    never = _NEVER if op.get_bind().dialect.name == "sqlite" else f"{_NEVER}+00"
    op.execute(f"UPDATE users SET last_active_at = '{never}' WHERE last_active_at IS NULL")  # noqa: S608 a constant
    with op.batch_alter_table("users") as users:
        users.alter_column("last_active_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    for name, columns in _INDEXES.items():
        op.create_index(name, "users", columns)


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, "users")
    with op.batch_alter_table("users") as users:
        users.alter_column("last_active_at", existing_type=sa.DateTime(timezone=True), nullable=True)
    never = _NEVER if op.get_bind().dialect.name == "sqlite" else f"{_NEVER}+00"
    op.execute(f"UPDATE users SET last_active_at = NULL WHERE last_active_at = '{never}'")  # noqa: S608 a constant
