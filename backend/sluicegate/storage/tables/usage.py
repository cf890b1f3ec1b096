"""The ledger, and what is spent per budget window. Roll-ups of the ledger: `tables.rollups`.

Instants are whole milliseconds since the epoch and money whole nano-dollars, so that a batch can be written
without conversion. Labels are copies: deleting a user changes no history, hence no foreign keys.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table

from sluicegate.storage.tables.types import ID, METADATA, number

# One admitted call; columns are those of `domain.usage.CallRecord`.
LEDGER = Table(
    "usage_ledger",
    METADATA,
    Column("call_id", ID, primary_key=True),
    number("started_ms"),
    number("finished_ms"),
    Column("user_id", ID, nullable=False),
    Column("user_label", String(400), nullable=False),
    Column("key_id", ID, nullable=False),
    Column("key_label", String(160), nullable=False),
    Column("group_ids", JSON, nullable=False),
    Column("model_slug", String(100), nullable=False),
    Column("provider_id", ID, nullable=False),
    Column("provider_name", String(120), nullable=False),
    Column("provider_model", String(200), nullable=False),
    Column("endpoint", String(40), nullable=False),
    Column("stream", Boolean, nullable=False),
    Column("status", Integer, nullable=False),
    Column("outcome", String(20), nullable=False),
    number("input_tokens"),
    number("cache_read_tokens"),
    number("cache_write_5m_tokens"),
    number("cache_write_1h_tokens"),
    number("output_tokens"),
    number("reasoning_tokens"),
    number("cost_nanos"),
    Column("estimated", Boolean, nullable=False),
    Column("first_byte_ms", Integer),
    Column("client_app", String(60)),
    Column("project", String(100)),
    Column("session_id", String(100)),
    Column("price_list_id", ID),
    Index("ix_usage_ledger_user", "user_id", "started_ms"),
    Index("ix_usage_ledger_started", "started_ms"),
)

# Spent per subject and period (`policy.windows` names it), so that a new period is simply a new row. `changed_ms`
# is the database's own time of the last write, for those who look for what changed; no index has it, so that
# PostgreSQL can update a row in place.
SPEND = Table(
    "budget_spend",
    METADATA,
    Column("subject_kind", String(16), primary_key=True),
    Column("subject_id", ID, primary_key=True),
    Column("period", String(16), primary_key=True),
    number("spent_nanos"),
    number("changed_ms"),
    Index("ix_budget_spend_period", "period"),
)
