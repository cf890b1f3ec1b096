"""What may be set for a user, a group or a key: grants, rate limits, budgets."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

import msgspec

from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import MAX_USD, NANOS_PER_USD, Nanos

MAX_LIMIT = 2_000_000_000
DEFAULT_ALERT_THRESHOLDS = (80, 100)


class SubjectKind(StrEnum):
    """What a group sets counts each member's own use; its pool, which has the group's id, is drawn from together."""

    USER = "user"
    GROUP = "group"
    KEY = "key"
    POOL = "pool"


class Subject(msgspec.Struct, frozen=True, cache_hash=True):
    """Whose value it is."""

    kind: SubjectKind
    id: str


class Dimension(StrEnum):
    """What a rate limit counts. The first three over any 60 seconds, the last at one moment."""

    REQUESTS = "requests"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    CONCURRENT_REQUESTS = "concurrent_requests"


class Window(StrEnum):
    """A calendar span in the deployment's time zone; weeks are ISO weeks, from Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class RateLimits:
    """None sets no limit, 0 blocks."""

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    concurrent_requests: int | None = None

    def get(self, dimension: Dimension) -> int | None:
        value: int | None = getattr(self, dimension.value)
        return value

    @property
    def empty(self) -> bool:
        return all(getattr(self, f.name) is None for f in fields(self))


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps in nano-dollars; None sets no cap, 0 blocks. `alert_thresholds` are per cent of each cap, ascending."""

    day: Nanos | None = None
    week: Nanos | None = None
    month: Nanos | None = None
    alert_thresholds: tuple[int, ...] = DEFAULT_ALERT_THRESHOLDS

    def get(self, window: Window) -> Nanos | None:
        value: Nanos | None = getattr(self, window.value)
        return value

    @property
    def empty(self) -> bool:
        """Whether it caps nothing."""
        return self.day is None and self.week is None and self.month is None


NO_LIMITS = RateLimits()
NO_BUDGET = Budget()


@dataclass(frozen=True, slots=True)
class Override:
    """While it runs, the user's limit of one dimension or cap of one window (nano-dollars) is `value`, whatever was
    merged; None lifts it. `created_by` and `ended_by` name people as the audit log does."""

    id: str
    user_id: str
    target: Dimension | Window
    value: int | None
    reason: str
    created_by: str
    created_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    def running(self, at: datetime) -> bool:
        return self.ended_at is None and self.ends_at > at


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission for a user or group to call one model."""

    id: str
    subject: Subject
    model_id: str
    created_at: datetime


def check_limit(value: int | None, field: str) -> int | None:
    """A rate limit as given; raises InvalidInput when it is negative or absurd."""
    if value is not None and value < 0:
        raise InvalidInput(field, "must not be negative; 0 blocks, an empty field means no limit")
    if value is not None and value > MAX_LIMIT:
        raise InvalidInput(field, f"must be at most {MAX_LIMIT}; leave it empty for no limit")
    return value


def check_cap(value: Nanos | None, field: str) -> Nanos | None:
    """A budget cap as given; raises InvalidInput when it is negative or absurd."""
    if value is not None and value < 0:
        raise InvalidInput(field, "must not be negative; 0 blocks, an empty field means no cap")
    if value is not None and value > MAX_USD * NANOS_PER_USD:
        raise InvalidInput(field, f"must be at most {MAX_USD} US dollars; leave it empty for no cap")
    return value


def check_thresholds(values: list[int], field: str = "alertThresholds") -> tuple[int, ...]:
    """Ascending, without repeats; raises InvalidInput outside 1 to 100 or for more than ten."""
    if len(values) > 10:
        raise InvalidInput(field, "takes at most ten thresholds")
    if any(not 1 <= v <= 100 for v in values):
        raise InvalidInput(field, "must lie between 1 and 100 per cent")
    return tuple(sorted(set(values)))


class ChangeKind(StrEnum):
    """What a write touched, so that every process forgets what it compiled from it."""

    USER = "user"
    GROUP = "group"
    KEY = "key"
    CATALOG = "catalog"
    SECRET_RULES = "secret_rules"  # noqa: S105
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One entry of the change log; `id` is empty for CATALOG, SECRET_RULES and EVERYTHING."""

    kind: ChangeKind
    id: str = ""
