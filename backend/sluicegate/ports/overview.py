"""Everybody who has limits or caps of their own, in one list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sluicegate.domain.policy import Budget, RateLimits, Subject, SubjectKind, Window
from sluicegate.ports.pages import Page, PageRequest


class CapUse(StrEnum):
    """How far one of the caps is used up: 80 per cent and more, or all of it."""

    NEAR = "near"
    REACHED = "reached"


@dataclass(frozen=True, slots=True)
class OwnerFilter:
    """`search` matches anywhere in names and e-mails, case-insensitively."""

    search: str | None = None
    kind: SubjectKind | None = None


@dataclass(frozen=True, slots=True)
class BudgetOwner:
    """`spent` (nano-dollars) is a user's or a pool's; of a group's cap for each member it is that of the member who
    spent most. `email` is a user's."""

    subject: Subject
    name: str
    email: str | None
    budget: Budget
    spent: Mapping[Window, int]


@dataclass(frozen=True, slots=True)
class LimitOwner:
    subject: Subject
    name: str
    email: str | None
    limits: RateLimits


@dataclass(frozen=True, slots=True)
class Moment:
    """What decides what is spent now, and which overrides run: `periods` are the keys of the windows that run."""

    now: datetime
    periods: Mapping[Window, str]


class OverviewRepository(Protocol):
    """Users, groups and pools, by name. How far a cap is used goes by what stands in for it while an override runs;
    users who have nothing else are among them for as long."""

    async def page_budgets(
        self, where: OwnerFilter, use: CapUse | None, at: Moment, page: PageRequest
    ) -> Page[BudgetOwner]: ...
    async def count_budgets(self, where: OwnerFilter, use: CapUse | None, at: Moment) -> int: ...
    async def page_limits(self, where: OwnerFilter, now: datetime, page: PageRequest) -> Page[LimitOwner]: ...
    async def count_limits(self, where: OwnerFilter, now: datetime) -> int: ...
