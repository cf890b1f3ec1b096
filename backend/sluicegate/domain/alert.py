"""That somebody has spent a part of a cap, and who is told of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sluicegate.domain.policy import Subject, SubjectKind, Window
from sluicegate.kit.money import Nanos


@dataclass(frozen=True, slots=True)
class Alert:
    """`threshold` per cent of `cap` (nano-dollars) were spent in `period`, which `policy.windows` names.

    `subject` is who spends: a user, a key, or the pool of a group. `set_by` set the cap: the user, a group for each of
    its members, the key, or the pool. `user_id` is the person concerned, None for pools. Labels are those of the time.
    """

    id: str
    subject: Subject
    subject_label: str
    user_id: str | None
    window: Window
    period: str
    threshold: int
    cap: Nanos
    spent: Nanos
    set_by: Subject
    set_by_label: str
    at: datetime
    resets_at: datetime

    @property
    def blocks(self) -> bool:
        """Whether nothing goes any more until the period ends or the cap is raised."""
        return self.spent >= self.cap


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert as one person sees it in the console."""

    alert: Alert
    read_at: datetime | None


class AdminAlerts(StrEnum):
    """Which alerts administrators get, beside those about themselves."""

    EVERY = "every"
    SHARED = "shared"
    POOLS = "pools"
    NONE = "none"


def concerns_admins(alert: Alert, wanted: AdminAlerts) -> bool:
    """SHARED are caps that a group sets, for each member or for its pool."""
    match wanted:
        case AdminAlerts.EVERY:
            return True
        case AdminAlerts.SHARED:
            return alert.set_by.kind in (SubjectKind.GROUP, SubjectKind.POOL)
        case AdminAlerts.POOLS:
            return alert.set_by.kind is SubjectKind.POOL
        case AdminAlerts.NONE:
            return False


def threshold_reached(spent: int, cap: int | None, thresholds: Iterable[int]) -> int | None:
    """The highest of the thresholds (per cent) that `spent` has reached; None for none.

    A cap of 0 blocks from the start, so that there is nothing to warn of.
    """
    if not cap:
        return None
    return max((threshold for threshold in thresholds if spent * 100 >= cap * threshold), default=None)
