"""Grants, rate limits, budgets, and the log of policy changes."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Integer, String, Table, UniqueConstraint

from sluicegate.domain.policy import ChangeKind, SubjectKind
from sluicegate.storage.tables.types import ID, METADATA, SERIAL, EnumText, UtcDateTime, belonging

GRANTS = Table(
    "grants",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("subject_kind", EnumText(SubjectKind), nullable=False),
    Column("subject_id", ID, nullable=False),
    belonging("model_id", "models.id", nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("subject_kind", "subject_id", "model_id"),
)

RATE_LIMITS = Table(
    "rate_limits",
    METADATA,
    Column("subject_kind", EnumText(SubjectKind), primary_key=True),
    Column("subject_id", ID, primary_key=True),
    Column("requests", Integer),
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    Column("concurrent_requests", Integer),
)

# Caps in nano-dollars.
BUDGETS = Table(
    "budgets",
    METADATA,
    Column("subject_kind", EnumText(SubjectKind), primary_key=True),
    Column("subject_id", ID, primary_key=True),
    Column("day", BigInteger),
    Column("week", BigInteger),
    Column("month", BigInteger),
    Column("alert_thresholds", JSON, nullable=False),
)

# `target` is a dimension or a window; `value` counts or is nano-dollars, and null lifts what was merged.
OVERRIDES = Table(
    "policy_overrides",
    METADATA,
    Column("id", ID, primary_key=True),
    belonging("user_id", "users.id", nullable=False, index=True),
    Column("target", String(32), nullable=False),
    Column("value", BigInteger),
    Column("reason", String(500), nullable=False),
    Column("created_by", String(400), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(400)),
)

# Written in the transaction that makes the change; `seq` is the version that processes compare.
CHANGES = Table(
    "policy_changes",
    METADATA,
    Column("seq", SERIAL, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", EnumText(ChangeKind), nullable=False),
    Column("subject_id", ID, nullable=False),
)

# A process that serves this database together with others, until its lease runs out; `seq` is of the last change
# that is in force there, `counts_in` is where it counts, the same for all that count together.
PROCESSES = Table(
    "processes",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("lease_until", UtcDateTime, nullable=False),
    Column("counts_in", ID),
)
