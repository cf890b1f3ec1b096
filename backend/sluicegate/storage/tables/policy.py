"""Grants, rate limits, budgets, and the log of policy changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, String, UniqueConstraint
from sqlmodel import Field

from sluicegate.domain.policy import ChangeKind, SubjectKind
from sluicegate.storage.tables.types import EnumText, Row, UtcDateTime


class GrantRow(Row, table=True):
    __tablename__ = "grants"
    __table_args__ = (UniqueConstraint("subject_kind", "subject_id", "model_id"),)

    id: str = Field(primary_key=True, max_length=36)
    subject_kind: SubjectKind = Field(sa_column=Column(EnumText(SubjectKind), nullable=False))
    subject_id: str = Field(max_length=36)
    model_id: str = Field(
        sa_column=Column(String(36), ForeignKey("models.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class RateLimitRow(Row, table=True):
    __tablename__ = "rate_limits"

    subject_kind: SubjectKind = Field(sa_column=Column(EnumText(SubjectKind), primary_key=True))
    subject_id: str = Field(primary_key=True, max_length=36)
    requests: int | None = Field(default=None, sa_column=Column(Integer))
    input_tokens: int | None = Field(default=None, sa_column=Column(Integer))
    output_tokens: int | None = Field(default=None, sa_column=Column(Integer))
    concurrent_requests: int | None = Field(default=None, sa_column=Column(Integer))


class BudgetRow(Row, table=True):
    """Caps in nano-dollars."""

    __tablename__ = "budgets"

    subject_kind: SubjectKind = Field(sa_column=Column(EnumText(SubjectKind), primary_key=True))
    subject_id: str = Field(primary_key=True, max_length=36)
    day: int | None = Field(default=None, sa_column=Column(BigInteger))
    week: int | None = Field(default=None, sa_column=Column(BigInteger))
    month: int | None = Field(default=None, sa_column=Column(BigInteger))
    alert_thresholds: list[int] = Field(sa_column=Column(JSON, nullable=False))


class OverrideRow(Row, table=True):
    """`target` is a dimension or a window; `value` counts or is nano-dollars, and null lifts what was merged."""

    __tablename__ = "policy_overrides"

    id: str = Field(primary_key=True, max_length=36)
    user_id: str = Field(
        sa_column=Column(String(36), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    target: str = Field(max_length=32)
    value: int | None = Field(default=None, sa_column=Column(BigInteger))
    reason: str = Field(max_length=500)
    created_by: str = Field(max_length=400)
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    ends_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    ended_by: str | None = Field(default=None, max_length=400)


class PolicyChangeRow(Row, table=True):
    """Written in the transaction that makes the change; `seq` is the version that processes compare."""

    __tablename__ = "policy_changes"

    seq: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    kind: ChangeKind = Field(sa_column=Column(EnumText(ChangeKind), nullable=False))
    subject_id: str = Field(max_length=36)


class ProcessRow(Row, table=True):
    """A process that serves this database together with others, until its lease runs out; `seq` is of the last change
    that is in force there, `counts_in` is where it counts, the same for all that count together."""

    __tablename__ = "processes"

    id: str = Field(primary_key=True, max_length=36)
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    lease_until: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    counts_in: str | None = Field(default=None, max_length=36)
