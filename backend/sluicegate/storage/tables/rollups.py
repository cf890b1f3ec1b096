"""Sums of the ledger by 5 minutes, hour, day and month of the deployment's zone.

The flusher appends to `usage_pending` in the transaction of the ledger's rows; a fold moves that into the other tables.
Whoever asks adds up both, so that nothing is ever missing or counted twice. Empty text stands for none in key columns.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer
from sqlmodel import Field

from sluicegate.storage.tables.types import Row

EVERYONE = "*"


def _big(*, key: bool = False) -> int:
    if key:
        result: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
        return result
    return Field(default=0, sa_type=BigInteger)


class UsagePendingRow(Row, table=True):
    """Sums of one batch that are not in the roll-ups yet, with the beginnings of the four spans that they belong to."""

    __tablename__ = "usage_pending"

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    five_minutes_ms: int = _big()
    hour_ms: int = _big()
    day_ms: int = _big()
    month_ms: int = _big()
    user_id: str = Field(max_length=36)
    key_id: str = Field(max_length=36)
    group_set: str = Field(max_length=32)
    model_slug: str = Field(max_length=100)
    provider_id: str = Field(max_length=36)
    client_app: str = Field(max_length=60)
    project: str = Field(max_length=100)
    session_id: str = Field(max_length=100)
    latest_ms: int = _big()
    user_label: str = Field(max_length=400)
    key_label: str = Field(max_length=160)
    provider_name: str = Field(max_length=120)
    requests: int = _big()
    errors: int = _big()
    input_tokens: int = _big()
    cache_read_tokens: int = _big()
    cache_write_tokens: int = _big()
    output_tokens: int = _big()
    cost_nanos: int = _big()


class UsageCubeRow(Row, table=True):
    """What somebody used, by days and months: read for one user at a time."""

    __tablename__ = "usage_cube"
    __table_args__ = (Index("ix_usage_cube_start", "grain", "start_ms"),)

    grain: str = Field(primary_key=True, max_length=8)
    user_id: str = Field(primary_key=True, max_length=36)
    start_ms: int = _big(key=True)
    key_id: str = Field(primary_key=True, max_length=36)
    model_slug: str = Field(primary_key=True, max_length=100)
    provider_id: str = Field(primary_key=True, max_length=36)
    client_app: str = Field(primary_key=True, max_length=60)
    project: str = Field(primary_key=True, max_length=100)
    requests: int = _big()
    errors: int = _big()
    input_tokens: int = _big()
    cache_read_tokens: int = _big()
    cache_write_tokens: int = _big()
    output_tokens: int = _big()
    cost_nanos: int = _big()


class UsagePeopleRow(Row, table=True):
    """Users and their keys, with the groups that they were in; also by quarters and by eight days of a month."""

    __tablename__ = "usage_people"
    __table_args__ = (Index("ix_usage_people_user", "user_id", "grain", "start_ms"),)

    grain: str = Field(primary_key=True, max_length=8)
    start_ms: int = _big(key=True)
    user_id: str = Field(primary_key=True, max_length=36)
    key_id: str = Field(primary_key=True, max_length=36)
    group_set: str = Field(primary_key=True, max_length=32)
    requests: int = _big()
    errors: int = _big()
    input_tokens: int = _big()
    cache_read_tokens: int = _big()
    cache_write_tokens: int = _big()
    output_tokens: int = _big()
    cost_nanos: int = _big()


class UsageSliceRow(Row, table=True):
    """Everyone's use (scope `*`), and that of each group's members at the time (scope: its id, or empty for calls of
    people in no group), by one dimension: `provider_id`, `model_slug`, `client_app` or `project`."""

    __tablename__ = "usage_slices"
    # For all groups at once.
    __table_args__ = (Index("ix_usage_slices_start", "grain", "dimension", "start_ms"),)

    grain: str = Field(primary_key=True, max_length=8)
    scope: str = Field(primary_key=True, max_length=36)
    dimension: str = Field(primary_key=True, max_length=16)
    start_ms: int = _big(key=True)
    key: str = Field(primary_key=True, max_length=100)
    requests: int = _big()
    errors: int = _big()
    input_tokens: int = _big()
    cache_read_tokens: int = _big()
    cache_write_tokens: int = _big()
    output_tokens: int = _big()
    cost_nanos: int = _big()


class UsageSessionRow(Row, table=True):
    """Sessions by day; there are so many that they have a table, and a retention, of their own."""

    __tablename__ = "usage_sessions"
    __table_args__ = (Index("ix_usage_sessions_user", "user_id", "start_ms"),)

    start_ms: int = _big(key=True)
    user_id: str = Field(primary_key=True, max_length=36)
    session_id: str = Field(primary_key=True, max_length=100)
    group_set: str = Field(primary_key=True, max_length=32)
    requests: int = _big()
    errors: int = _big()
    input_tokens: int = _big()
    cache_read_tokens: int = _big()
    cache_write_tokens: int = _big()
    output_tokens: int = _big()
    cost_nanos: int = _big()


class UsageRefusalRow(Row, table=True):
    """Calls that were refused, by the day, for whom (scope: `*` for everybody, a user, a group of the user's at the
    time) and why. No roll-up: refused calls are in no ledger."""

    __tablename__ = "usage_refusals"
    __table_args__ = (Index("ix_usage_refusals_start", "start_ms"),)

    scope: str = Field(primary_key=True, max_length=36)
    start_ms: int = _big(key=True)
    reason: str = Field(primary_key=True, max_length=40)
    calls: int = _big()


class UsageGroupSetRow(Row, table=True):
    """Which groups a set of groups holds; the empty set holds the empty id."""

    __tablename__ = "usage_group_sets"
    __table_args__ = (Index("ix_usage_group_sets_group", "group_id"),)

    set_id: str = Field(primary_key=True, max_length=32)
    group_id: str = Field(primary_key=True, max_length=36)


class UsageLabelRow(Row, table=True):
    """The name that something had when it was last used."""

    __tablename__ = "usage_labels"

    kind: str = Field(primary_key=True, max_length=8)
    id: str = Field(primary_key=True, max_length=36)
    label: str = Field(max_length=400)
    latest_ms: int = _big()


class UsageMarkRow(Row, table=True):
    """What is known of the roll-ups as a whole: in which zone their days begin, and from when on the ledger is kept."""

    __tablename__ = "usage_marks"

    name: str = Field(primary_key=True, max_length=20)
    value: str = Field(max_length=64)
