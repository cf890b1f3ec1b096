"""Prices by when they start, and which of them a call was charged by.

Revision 20261129_price_lists, after 20261129_api_versions.
"""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "20261129_price_lists"
down_revision = "20261129_api_versions"
branch_labels = None
depends_on = None

_PRICES = ("price_input", "price_cache_read", "price_cache_write_5m", "price_cache_write_1h", "price_output")
_MODELS = sa.table(
    "provider_models",
    sa.column("id", sa.String),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("free", sa.Boolean),
    *(sa.column(name, sa.BigInteger) for name in _PRICES),
)
_LISTS = sa.table(
    "price_lists",
    sa.column("id", sa.String),
    sa.column("provider_model_id", sa.String),
    sa.column("starts_at", sa.DateTime(timezone=True)),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("free", sa.Boolean),
    *(sa.column(name, sa.BigInteger) for name in _PRICES),
)


def upgrade() -> None:
    op.create_table(
        "price_lists",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("provider_model_id", sa.String(length=36), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in _PRICES),
        sa.Column("free", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_lists")),
    )
    op.create_index("ix_price_lists_model", "price_lists", ["provider_model_id", "starts_at"], unique=False)
    connection = op.get_bind()
    for row in connection.execute(sa.select(_MODELS)).all():
        prices = {name: getattr(row, name) for name in _PRICES}
        if row.free or set(prices.values()) != {None}:
            # Since when they have been what they are was not kept; the audit log knows of changes.
            connection.execute(
                sa.insert(_LISTS).values(
                    id=str(uuid4()),
                    provider_model_id=row.id,
                    starts_at=row.created_at,
                    created_at=row.created_at,
                    free=row.free,
                    **prices,
                )
            )
    for name in (*_PRICES, "free"):
        op.drop_column("provider_models", name)
    op.add_column("usage_ledger", sa.Column("price_list_id", sa.String(length=36), nullable=True))


def downgrade() -> None:
    op.drop_column("usage_ledger", "price_list_id")
    for name in _PRICES:
        op.add_column("provider_models", sa.Column(name, sa.BigInteger(), nullable=True))
    # The default stays: SQLite could drop it only with a copy of the table.
    op.add_column("provider_models", sa.Column("free", sa.Boolean(), nullable=False, server_default=sa.false()))
    connection = op.get_bind()
    started = sa.select(_LISTS).where(_LISTS.c.starts_at <= sa.func.current_timestamp())
    for row in connection.execute(started.order_by(_LISTS.c.starts_at)).all():
        values = {name: getattr(row, name) for name in (*_PRICES, "free")}
        connection.execute(sa.update(_MODELS).where(_MODELS.c.id == row.provider_model_id).values(**values))
    op.drop_table("price_lists")
