"""The ledger, and what is spent per budget window. Roll-ups of the ledger: `tables.rollups`.

Instants are whole milliseconds since the epoch and money whole nano-dollars, so that a batch can be written
without conversion. Labels are copies: deleting a user changes no history, hence no foreign keys.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field

from sluicegate.storage.tables.types import Row


def _big(default: int = 0) -> int:
    result: int = Field(default=default, sa_type=BigInteger)
    return result


class LedgerRow(Row, table=True):
    """One admitted call; columns are those of `domain.usage.CallRecord`."""

    __tablename__ = "usage_ledger"
    __table_args__ = (
        Index("ix_usage_ledger_user", "user_id", "started_ms"),
        Index("ix_usage_ledger_started", "started_ms"),
    )

    call_id: str = Field(primary_key=True, max_length=36)
    started_ms: int = _big()
    finished_ms: int = _big()
    user_id: str = Field(max_length=36)
    user_label: str = Field(max_length=400)
    key_id: str = Field(max_length=36)
    key_label: str = Field(max_length=160)
    group_ids: list[str] = Field(sa_column=Column(JSON, nullable=False))
    model_slug: str = Field(max_length=100)
    provider_id: str = Field(max_length=36)
    provider_name: str = Field(max_length=120)
    provider_model: str = Field(max_length=200)
    endpoint: str = Field(max_length=40)
    stream: bool
    status: int
    outcome: str = Field(max_length=20)
    input_tokens: int = _big()
    cache_read_tokens: int = _big()
    cache_write_5m_tokens: int = _big()
    cache_write_1h_tokens: int = _big()
    output_tokens: int = _big()
    reasoning_tokens: int = _big()
    cost_nanos: int = _big()
    estimated: bool
    first_byte_ms: int | None = None
    client_app: str | None = Field(default=None, max_length=60)
    project: str | None = Field(default=None, max_length=100)
    session_id: str | None = Field(default=None, max_length=100)
    price_list_id: str | None = Field(default=None, max_length=36)


class SpendRow(Row, table=True):
    """Spent per subject and period (`policy.windows` names it), so that a new period is simply a new row. `changed_ms`
    is the database's own time of the last write, for those who look for what changed; no index has it, so that
    PostgreSQL can update a row in place."""

    __tablename__ = "budget_spend"
    __table_args__ = (Index("ix_budget_spend_period", "period"),)

    subject_kind: str = Field(primary_key=True, max_length=16)
    subject_id: str = Field(primary_key=True, max_length=36)
    period: str = Field(primary_key=True, max_length=16)
    spent_nanos: int = _big()
    changed_ms: int = _big()
