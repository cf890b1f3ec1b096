"""Indexes by which the audit log is read, newest first.

Revision 20261124_audit, after 20261124_people_search.
"""

from __future__ import annotations

from alembic import op

revision = "20261124_audit"
down_revision = "20261124_people_search"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_audit_events_newest": ["at", "id"],
    "ix_audit_events_actor": ["actor_id", "at", "id"],
    "ix_audit_events_action": ["action", "at", "id"],
    "ix_audit_events_target": ["target_kind", "target_id", "at", "id"],
}


def upgrade() -> None:
    op.drop_index("ix_audit_events_at", "audit_events")
    op.drop_index("ix_audit_events_target", "audit_events")
    for name, columns in _INDEXES.items():
        op.create_index(name, "audit_events", columns, unique=False)


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, "audit_events")
    op.create_index("ix_audit_events_target", "audit_events", ["target_kind", "target_id"], unique=False)
    op.create_index("ix_audit_events_at", "audit_events", ["at"], unique=False)
