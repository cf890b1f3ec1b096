"""Roll-ups by 5 minutes, hour, day and month, and what waits to be added to them.

The hourly sums of before are dropped: the server sums the ledger anew when it first starts.

Revision 20261124_rollups, after 20261124_versions.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261124_rollups"
down_revision = "20261124_versions"
branch_labels = None
depends_on = None

_SUMS = (
    "requests",
    "errors",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "cost_nanos",
)
_TABLES = {
    "usage_cube": (
        ("grain", 8),
        ("user_id", 36),
        ("start_ms", None),
        ("key_id", 36),
        ("model_slug", 100),
        ("provider_id", 36),
        ("client_app", 60),
        ("project", 100),
    ),
    "usage_people": (("grain", 8), ("start_ms", None), ("user_id", 36), ("key_id", 36), ("group_set", 32)),
    "usage_slices": (("grain", 8), ("scope", 36), ("dimension", 16), ("start_ms", None), ("key", 100)),
    "usage_sessions": (("start_ms", None), ("user_id", 36), ("session_id", 100), ("group_set", 32)),
}
_HOUR_KEYS = ("hour_ms", "user_id", "key_id", "model_slug", "provider_id", "client_app", "project")


def upgrade() -> None:
    op.create_table(
        "usage_pending",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        *(_number(name) for name in ("five_minutes_ms", "hour_ms", "day_ms", "month_ms")),
        _text("user_id", 36),
        _text("key_id", 36),
        _text("group_set", 32),
        _text("model_slug", 100),
        _text("provider_id", 36),
        _text("client_app", 60),
        _text("project", 100),
        _text("session_id", 100),
        _number("latest_ms"),
        _text("user_label", 400),
        _text("key_label", 160),
        _text("provider_name", 120),
        *map(_number, _SUMS),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_pending")),
    )
    for name, keys in _TABLES.items():
        columns = [_number(key) if length is None else _text(key, length) for key, length in keys]
        primary = sa.PrimaryKeyConstraint(*(key for key, _ in keys), name=op.f(f"pk_{name}"))
        op.create_table(name, *columns, *map(_number, _SUMS), primary)
    op.create_index("ix_usage_cube_start", "usage_cube", ["grain", "start_ms"], unique=False)
    op.create_index("ix_usage_people_user", "usage_people", ["user_id", "grain", "start_ms"], unique=False)
    op.create_index("ix_usage_sessions_user", "usage_sessions", ["user_id", "start_ms"], unique=False)
    sets = op.create_table(
        "usage_group_sets",
        _text("set_id", 32),
        _text("group_id", 36),
        sa.PrimaryKeyConstraint("set_id", "group_id", name=op.f("pk_usage_group_sets")),
    )
    op.create_index("ix_usage_group_sets_group", "usage_group_sets", ["group_id"], unique=False)
    # Whoever is in no group is in the empty one: so every join finds them.
    op.bulk_insert(sets, [{"set_id": "", "group_id": ""}])
    op.create_table(
        "usage_labels",
        _text("kind", 8),
        _text("id", 36),
        _text("label", 400),
        _number("latest_ms"),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_usage_labels")),
    )
    op.create_table(
        "usage_marks",
        _text("name", 20),
        _text("value", 64),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_usage_marks")),
    )
    op.drop_index("ix_usage_hours_user", table_name="usage_hours")
    op.drop_table("usage_hours")


def downgrade() -> None:
    op.create_table(
        "usage_hours",
        _number("hour_ms"),
        _text("user_id", 36),
        _text("key_id", 36),
        _text("model_slug", 100),
        _text("provider_id", 36),
        _text("client_app", 60),
        _text("project", 100),
        _text("user_label", 400),
        _text("key_label", 160),
        _text("provider_name", 120),
        *map(_number, _SUMS),
        sa.PrimaryKeyConstraint(*_HOUR_KEYS, name=op.f("pk_usage_hours")),
    )
    op.create_index("ix_usage_hours_user", "usage_hours", ["user_id", "hour_ms"], unique=False)
    for name in ("usage_marks", "usage_labels", "usage_group_sets", *_TABLES, "usage_pending"):
        op.drop_table(name)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False)
