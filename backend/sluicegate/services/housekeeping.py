"""What has to be tidied up as time goes by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sluicegate.domain.audit import SYSTEM
from sluicegate.kit.clock import Clock
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.sessions import SESSION_IDLE

# So long can a link that is of no use any more still tell its holder why.
_EXPLAINED = timedelta(days=90)
_AT_ONCE = 500
# So long can an assistant still be told what became of its sign-in.
_ANSWERED = timedelta(days=1)
# Longer than any process may fall behind and still be told change by change.
_CHANGES_KEPT = timedelta(days=1)
# So long is kept what secret rules found.
_FINDINGS_KEPT = timedelta(days=90)


class Housekeeping:
    """Each method may be run at any time, also by several processes at once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def remove_ended_sessions(self) -> None:
        now = self._clock.now()
        async with self._store.write() as tx:
            await tx.sessions.remove_ended(now, now - SESSION_IDLE)

    async def remove_ended_device_sign_ins(self) -> None:
        now = self._clock.now()
        async with self._store.write() as tx:
            await tx.devices.remove_ended(now, now - _ANSWERED)

    async def remove_dead_links(self) -> None:
        async with self._store.write() as tx:
            await tx.links.remove_dead(self._clock.now() - _EXPLAINED)

    async def note_lapsed_invitations(self) -> None:
        """The audit log tells once of every invitation that nobody accepted in time."""
        while await self._note_lapses() == _AT_ONCE:
            continue

    async def _note_lapses(self) -> int:
        now = self._clock.now()
        async with self._store.write() as tx:
            lapsed = await tx.links.lapsed_invitations(now, _AT_ONCE)
            invited = await tx.users.get_many([link.user_id for link in lapsed])
            for link in lapsed:
                user = invited.get(link.user_id)
                if user is not None and await tx.links.note_lapse(link.id, now):
                    after = {"expired_at": link.expires_at}
                    await tx.audit.record(SYSTEM, "invitation.expire", "user", user.id, user.label, {}, after)
        return len(lapsed)

    async def remove_old_changes(self) -> None:
        """Of policy changes that are in force everywhere, only the newest are of use: processes compare its number."""
        await self._remove(_CHANGES_KEPT, lambda tx, before: tx.policy.remove_changes(before, _AT_ONCE))

    async def remove_old_findings(self) -> None:
        await self._remove(_FINDINGS_KEPT, lambda tx, before: tx.secret_rules.remove_findings(before, _AT_ONCE))

    async def _remove(self, kept: timedelta, portion: Callable[[Transaction, datetime], Awaitable[int]]) -> None:
        """What is older than `kept`, `_AT_ONCE` in each transaction; `portion` gives how many went."""
        before, removed = self._clock.now() - kept, _AT_ONCE
        while removed == _AT_ONCE:
            async with self._store.write() as tx:
                removed = await portion(tx, before)
