"""Sums of the ledger by 5 minutes, hour, day and month of the deployment's zone.

The flusher appends to `usage_pending` in the transaction of the ledger's rows; a fold moves that into the other tables.
Whoever asks adds up both, so that nothing is ever missing or counted twice. Empty text stands for none in key columns.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, String, Table

from sluicegate.storage.tables.types import ID, METADATA, SERIAL, number

EVERYONE = "*"


def _start() -> Column[int]:
    """When a span begins."""
    return Column("start_ms", BigInteger, primary_key=True, autoincrement=False)


def _sums() -> list[Column[Any]]:
    counted = ("requests", "errors", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
    return [number(name) for name in (*counted, "cost_nanos")]


# Sums of one batch that are not in the roll-ups yet, with the beginnings of the four spans that they belong to.
PENDING = Table(
    "usage_pending",
    METADATA,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    number("five_minutes_ms"),
    number("hour_ms"),
    number("day_ms"),
    number("month_ms"),
    Column("user_id", ID, nullable=False),
    Column("key_id", ID, nullable=False),
    Column("group_set", String(32), nullable=False),
    Column("model_slug", String(100), nullable=False),
    Column("provider_id", ID, nullable=False),
    Column("client_app", String(60), nullable=False),
    Column("project", String(100), nullable=False),
    Column("session_id", String(100), nullable=False),
    number("latest_ms"),
    Column("user_label", String(400), nullable=False),
    Column("key_label", String(160), nullable=False),
    Column("provider_name", String(120), nullable=False),
    *_sums(),
)

# What somebody used, by days and months: read for one user at a time.
CUBE = Table(
    "usage_cube",
    METADATA,
    Column("grain", String(8), primary_key=True),
    Column("user_id", ID, primary_key=True),
    _start(),
    Column("key_id", ID, primary_key=True),
    Column("model_slug", String(100), primary_key=True),
    Column("provider_id", ID, primary_key=True),
    Column("client_app", String(60), primary_key=True),
    Column("project", String(100), primary_key=True),
    *_sums(),
    Index("ix_usage_cube_start", "grain", "start_ms"),
)

# Users and their keys, with the groups that they were in; also by quarters and by eight days of a month.
PEOPLE = Table(
    "usage_people",
    METADATA,
    Column("grain", String(8), primary_key=True),
    _start(),
    Column("user_id", ID, primary_key=True),
    Column("key_id", ID, primary_key=True),
    Column("group_set", String(32), primary_key=True),
    *_sums(),
    Index("ix_usage_people_user", "user_id", "grain", "start_ms"),
)

# Everyone's use (scope `*`), and that of each group's members at the time (scope: its id, or empty for calls of
# people in no group), by one dimension: `provider_id`, `model_slug`, `client_app` or `project`.
SLICES = Table(
    "usage_slices",
    METADATA,
    Column("grain", String(8), primary_key=True),
    Column("scope", ID, primary_key=True),
    Column("dimension", String(16), primary_key=True),
    _start(),
    Column("key", String(100), primary_key=True),
    *_sums(),
    # For all groups at once.
    Index("ix_usage_slices_start", "grain", "dimension", "start_ms"),
)

# Sessions by day; there are so many that they have a table, and a retention, of their own.
USAGE_SESSIONS = Table(
    "usage_sessions",
    METADATA,
    _start(),
    Column("user_id", ID, primary_key=True),
    Column("session_id", String(100), primary_key=True),
    Column("group_set", String(32), primary_key=True),
    *_sums(),
    Index("ix_usage_sessions_user", "user_id", "start_ms"),
)

# Calls that were refused, by the day, for whom (scope: `*` for everybody, a user, a group of the user's at the
# time) and why. No roll-up: refused calls are in no ledger.
REFUSALS = Table(
    "usage_refusals",
    METADATA,
    Column("scope", ID, primary_key=True),
    _start(),
    Column("reason", String(40), primary_key=True),
    number("calls"),
    Index("ix_usage_refusals_start", "start_ms"),
)

# Which groups a set of groups holds; the empty set holds the empty id.
GROUP_SETS = Table(
    "usage_group_sets",
    METADATA,
    Column("set_id", String(32), primary_key=True),
    Column("group_id", ID, primary_key=True),
    Index("ix_usage_group_sets_group", "group_id"),
)

# The name that something had when it was last used.
LABELS = Table(
    "usage_labels",
    METADATA,
    Column("kind", String(8), primary_key=True),
    Column("id", ID, primary_key=True),
    Column("label", String(400), nullable=False),
    number("latest_ms"),
)

# What is known of the roll-ups as a whole: in which zone their days begin, and from when on the ledger is kept.
MARKS = Table(
    "usage_marks",
    METADATA,
    Column("name", String(20), primary_key=True),
    Column("value", String(64), nullable=False),
)
