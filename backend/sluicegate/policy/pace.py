"""How fast calls come at this moment, and who is nearest to a rate limit."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol

from sluicegate.domain.policy import Dimension, Subject, SubjectKind
from sluicegate.policy.principals import CompiledUser, Principal
from sluicegate.ports.policy import ActiveUse, AdmissionStore, Counts, LimitSet

MOST_NEAR = 20


@dataclass(frozen=True, slots=True)
class KnownLimits:
    """`users` are the ids of those whose calls count for it."""

    label: str
    limits: LimitSet
    users: Collection[str]


@dataclass(frozen=True, slots=True)
class LimitUse:
    """What is used of a limit: over the last 60 seconds, of concurrent requests now."""

    dimension: Dimension
    used: int
    limit: int

    @property
    def share(self) -> float:
        """1 is all of it; a limit of zero is always used up."""
        return self.used / self.limit if self.limit else inf


@dataclass(frozen=True, slots=True)
class PacedSubject:
    """A user, pool or key with every rate limit that is set for it; `share` is that of the limit nearest to its end."""

    subject: Subject
    label: str
    uses: tuple[LimitUse, ...]
    share: float


@dataclass(slots=True)
class Pace:
    """What counts for rate limits, reservations included, in the last whole second and in the last 60; `nearest` are
    the active subjects that are nearest to a limit, the nearest first."""

    second: Counts = field(default_factory=Counts)
    minute: Counts = field(default_factory=Counts)
    nearest: tuple[PacedSubject, ...] = ()


class Limits(Protocol):
    def known_limits(self, subject: Subject) -> KnownLimits | None: ...


async def paces(
    limits: Limits, admission: AdmissionStore[Any], user_ids: Collection[str], *, everybody: bool
) -> dict[str | None, Pace]:
    """By user, and of everybody under None where that is asked for. Looks once at each subject that is active."""
    found: dict[str | None, Pace] = {user_id: Pace() for user_id in user_ids}
    near: dict[str | None, list[PacedSubject]] = {user_id: [] for user_id in user_ids}
    if everybody:
        found[None], near[None] = Pace(), []
    async for use in admission.active():
        subject = use.subject
        if subject.kind is SubjectKind.USER:
            for pace in (found.get(None), found.get(subject.id)):
                if pace is not None:
                    pace.second, pace.minute = _sum(pace.second, use.second), _sum(pace.minute, use.minute)
        known = limits.known_limits(subject)
        paced = _paced(use, known) if known is not None else None
        if known is None or paced is None:
            continue
        if everybody:
            near[None].append(paced)
        for user_id in user_ids:
            if user_id in known.users:
                near[user_id].append(paced)
    for whose, candidates in near.items():
        found[whose].nearest = tuple(heapq.nsmallest(MOST_NEAR, candidates, key=lambda p: (-p.share, p.label)))
    return found


def limits_of_user(user: CompiledUser | None, now: float) -> KnownLimits | None:
    """The user's own merged limits as of `now`, in seconds since the epoch."""
    return KnownLimits(user.user.label, user.at(now).limits[0], (user.user.id,)) if user is not None else None


def limits_of_pool(subject: Subject, members: Mapping[str, CompiledUser]) -> KnownLimits | None:
    """As the members' policies have it, which agree on it."""
    pools = (pool for member in members.values() for pool in member.effective.pools)
    found = next((pool for pool in pools if pool.source.subject == subject), None)
    return KnownLimits(found.source.name, found.limit_set(), members.keys()) if found is not None else None


def limits_of_key(principal: Principal | None) -> KnownLimits | None:
    """What the key sets for itself, beside what its owner may do."""
    own = principal.narrowing if principal is not None else None
    if principal is None or own is None:
        return None
    return KnownLimits(own.source.name, own.limit_set(), (principal.user.id,))


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(*(a + b for a, b in zip(one, other, strict=True)))


def _paced(use: ActiveUse, known: KnownLimits) -> PacedSubject | None:
    """None for a subject without any rate limit."""
    uses = tuple(
        LimitUse(dimension, use.used(dimension), limit)
        for dimension in Dimension
        if (limit := getattr(known.limits, dimension.value)) is not None
    )
    return PacedSubject(use.subject, known.label, uses, max(u.share for u in uses)) if uses else None
