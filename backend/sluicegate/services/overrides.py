"""Temporary raises: a value that stands in for a user's merged one until it ends by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import (
    ChangeKind,
    Dimension,
    Override,
    PolicyChange,
    Subject,
    SubjectKind,
    Window,
    check_cap,
    check_limit,
)
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import Conflict, InvalidInput, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import Nanos, format_usd
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.caller import Caller
from sluicegate.services.subjects import require_visible
from sluicegate.services.users import lock_user

MAX_DAYS = 366
MAX_REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class NewOverride:
    """`value` counts or is nano-dollars, None lifts the limit; 0 blocks."""

    user_id: str
    target: Dimension | Window
    value: int | None
    reason: str
    ends_at: datetime


class OverrideService:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def now(self) -> datetime:
        """The instant that decides whether one runs."""
        return self._clock.now()

    async def of_users(self, caller: Caller, user_ids: Sequence[str]) -> dict[str, list[Override]]:
        """Newest first, also those that have ended; members see their own."""
        require_visible(caller, [Subject(SubjectKind.USER, user_id) for user_id in user_ids])
        async with self._store.read() as tx:
            return await tx.overrides.of_users(user_ids)

    async def create(self, caller: Caller, new: NewOverride) -> Override:
        """In force at once; one that runs for the same limit or cap ends with it."""
        caller.require_admin(TokenScope.POLICY)
        now = self._clock.now()
        override = Override(
            id=new_id(),
            user_id=new.user_id,
            target=new.target,
            value=_checked_value(new),
            reason=_checked_reason(new.reason),
            created_by=caller.actor.label,
            created_at=now,
            ends_at=_checked_end(new.ends_at, now),
        )
        async with self._store.write() as tx:
            user = await lock_user(tx, new.user_id, "userId")
            for old in (await tx.overrides.of_users([user.id]))[user.id]:
                if old.target is new.target and old.ended_at is None:
                    await _end(tx, caller, old, user.label, now)
            await tx.overrides.add(override)
            await tx.audit.record(caller.actor, "override.create", "user", user.id, user.label, {}, _shown(override))
            tx.changed(PolicyChange(ChangeKind.USER, user.id))
        return override

    async def end(self, caller: Caller, override_id: str) -> Override:
        """Before its time; raises Conflict when it is over already."""
        caller.require_admin(TokenScope.POLICY)
        now = self._clock.now()
        async with self._store.write() as tx:
            override = await _require(tx, override_id)
            user = await lock_user(tx, override.user_id)
            override = await _require(tx, override_id)
            if not override.running(now):
                raise Conflict("This override has ended already.", field="id")
            return await _end(tx, caller, override, user.label, now)


async def _require(tx: Transaction, override_id: str) -> Override:
    override = await tx.overrides.get(override_id)
    if override is None:
        raise NotFound("override")
    return override


async def _end(tx: Transaction, caller: Caller, override: Override, label: str, now: datetime) -> Override:
    """One that ran out by itself is only marked, so that it is not read for every call that is decided."""
    if not override.running(now):
        await tx.overrides.end(override.id, override.ends_at, "")
        return override
    ended = replace(override, ended_at=now, ended_by=caller.actor.label)
    await tx.overrides.end(override.id, now, caller.actor.label)
    await tx.audit.record(caller.actor, "override.end", "user", override.user_id, label, _shown(override), {})
    tx.changed(PolicyChange(ChangeKind.USER, override.user_id))
    return ended


def _checked_value(new: NewOverride) -> int | None:
    if isinstance(new.target, Dimension):
        return check_limit(new.value, "limit")
    return check_cap(None if new.value is None else Nanos(new.value), "cap")


def _checked_reason(text: str) -> str:
    reason = " ".join(text.split())
    if not reason:
        raise InvalidInput("reason", "must not be empty; whoever meets this value will read it")
    if len(reason) > MAX_REASON_LENGTH:
        raise InvalidInput("reason", f"must have at most {MAX_REASON_LENGTH} characters")
    return reason


def _checked_end(ends_at: datetime, now: datetime) -> datetime:
    if ends_at <= now:
        raise InvalidInput("endsAt", "must lie in the future")
    if ends_at > now + timedelta(days=MAX_DAYS):
        raise InvalidInput("endsAt", f"must lie within {MAX_DAYS} days; set the limit itself for longer")
    return ends_at


def _shown(override: Override) -> dict[str, Any]:
    """What the audit log keeps, with dollars for money."""
    value: int | str | None = override.value
    if isinstance(override.target, Window) and value is not None:
        value = format_usd(int(value))
    return {
        "of": override.target.value,
        "value": "unlimited" if value is None else value,
        "reason": override.reason,
        "ends_at": override.ends_at,
    }
