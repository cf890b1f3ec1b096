"""What a key may use less than its owner, its secret before a rotation, and which program used it last.

Revision 20261124_keys, after 20261124_audit.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261124_keys"
down_revision = "20261124_audit"
branch_labels = None
depends_on = None

_COLUMNS = {
    "last_used_client": sa.String(length=60),
    "model_ids": sa.JSON(),
    "previous_public_id": sa.String(length=16),
    "previous_secret_hash": sa.String(length=255),
    "previous_expires_at": sa.DateTime(timezone=True),
}


def upgrade() -> None:
    for name, kind in _COLUMNS.items():
        op.add_column("api_keys", sa.Column(name, kind, nullable=True))
    op.create_index(op.f("ix_api_keys_previous_public_id"), "api_keys", ["previous_public_id"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_api_keys_previous_public_id"), table_name="api_keys")
    with op.batch_alter_table("api_keys") as keys:
        for name in reversed(_COLUMNS):
            keys.drop_column(name)
