"""An index for what all groups used, and room for sums of people by quarters and by eight days of a month.

The sums themselves are made at the next start: where days begin is in no migration's power to know. An older release
would not keep them up to date, so that they go with this revision.

Revision 20261129_people_sums, after 20261129_headers.
"""

from __future__ import annotations

from alembic import op

revision = "20261129_people_sums"
down_revision = "20261129_headers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_usage_slices_start", "usage_slices", ["grain", "dimension", "start_ms"])


def downgrade() -> None:
    op.execute("DELETE FROM usage_marks WHERE name = 'people_sums'")
    op.execute("DELETE FROM usage_people WHERE grain IN ('8days', 'quarter')")
    op.drop_index("ix_usage_slices_start", "usage_slices")
