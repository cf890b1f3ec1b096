"""What those who watch are shown, and how the views of several processes make one."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf

import msgspec

from sluicegate.policy.pace import MOST_NEAR, Pace
from sluicegate.ports.live import CallInFlight, RefusedCall

MAX_CALLS, MAX_REFUSALS = 100, 50


class Rate(msgspec.Struct, frozen=True, rename="camel"):
    """In the last whole second, and in the last 60."""

    second: int
    minute: int


class Rates(msgspec.Struct, frozen=True, rename="camel"):
    """What rate limits count, reservations for calls in flight included. `refusals` are known of everybody alone."""

    requests: Rate
    input_tokens: Rate
    output_tokens: Rate
    refusals: Rate | None


class LimitUse(msgspec.Struct, frozen=True, rename="camel"):
    dimension: str
    used: int
    limit: int


class NearLimit(msgspec.Struct, frozen=True, rename="camel"):
    """A user, pool or key, with its rate limits and what is used of them."""

    kind: str
    id: str
    name: str
    uses: tuple[LimitUse, ...]

    @property
    def share(self) -> float:
        return max(use.used / use.limit if use.limit else inf for use in self.uses)


class Picture(msgspec.Struct, frozen=True, rename="camel"):
    """Everything at one moment, `at`. `in_flight` counts all calls, of which `calls` are those that began first.
    `alone` tells that there may be calls at other servers, which cannot be asked."""

    at: datetime
    everyone: bool
    alone: bool
    in_flight: int
    calls: list[CallInFlight]
    rates: Rates
    nearest: list[NearLimit]
    refused: list[RefusedCall]

    def same_as(self, other: Picture | None) -> bool:
        """Whether nothing but time has passed."""
        return other is not None and msgspec.structs.replace(self, at=other.at) == other


class View(msgspec.Struct, frozen=True, array_like=True):
    """What one process knows by itself. Rates are not among it: who counts together knows them of all."""

    in_flight: int
    calls: list[CallInFlight]
    nearest: list[NearLimit]
    refused: list[RefusedCall]
    refusals: Rate


def merged(views: Sequence[View]) -> View:
    """As if one process had carried all calls. A subject that several know has the first one's figures."""
    if len(views) == 1:
        return views[0]
    calls = (call for view in views for call in view.calls)
    near: dict[tuple[str, str], NearLimit] = {}
    for view in views:
        for one in view.nearest:
            near.setdefault((one.kind, one.id), one)
    return View(
        in_flight=sum(view.in_flight for view in views),
        calls=heapq.nsmallest(MAX_CALLS, calls, key=lambda call: call.started_at),
        nearest=heapq.nsmallest(MOST_NEAR, near.values(), key=lambda one: (-one.share, one.name)),
        refused=_refused(call for view in views for call in view.refused),
        refusals=Rate(sum(view.refusals.second for view in views), sum(view.refusals.minute for view in views)),
    )


def _refused(calls: Iterable[RefusedCall]) -> list[RefusedCall]:
    """Those that differ in nothing but time and place are one."""
    found: dict[tuple[str | None, str | None, str], RefusedCall] = {}
    for call in calls:
        kind = call.key_id, call.model, call.code
        other = found.get(kind)
        if other is not None:
            last = max(call, other, key=lambda one: one.at)
            call = msgspec.structs.replace(last, count=call.count + other.count)
        found[kind] = call
    return heapq.nlargest(MAX_REFUSALS, found.values(), key=lambda one: one.at)


def rates_of(pace: Pace, refusals: Rate | None) -> Rates:
    requests, inputs, outputs = (Rate(*pair) for pair in zip(pace.second, pace.minute, strict=True))
    return Rates(requests, inputs, outputs, refusals)


def nearest_of(pace: Pace) -> list[NearLimit]:
    return [
        NearLimit(
            near.subject.kind.name,
            near.subject.id,
            near.label,
            tuple(LimitUse(use.dimension.name, use.used, use.limit) for use in near.uses),
        )
        for near in pace.nearest
    ]
