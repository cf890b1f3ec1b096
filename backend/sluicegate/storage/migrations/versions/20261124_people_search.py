"""Indexes that answer a search among 100,000 people without reading their rows.

Revision 20261124_people_search, after 20261124_sessions.
"""

from __future__ import annotations

from alembic import op

revision = "20261124_people_search"
down_revision = "20261124_sessions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_users_sort_name", "users")
    op.drop_index("ix_users_created_at", "users")
    op.create_index("ix_users_by_name", "users", ["sort_name", "id", "email", "role", "status"])
    op.create_index("ix_users_by_creation", "users", ["created_at", "id", "sort_name", "email", "role", "status"])


def downgrade() -> None:
    op.drop_index("ix_users_by_creation", "users")
    op.drop_index("ix_users_by_name", "users")
    op.create_index("ix_users_created_at", "users", ["created_at"])
    op.create_index("ix_users_sort_name", "users", ["sort_name"])
