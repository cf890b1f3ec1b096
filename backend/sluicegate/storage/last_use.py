"""When a key was last used and by which program, and its owner last active, written beside the calls, to the minute."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sluicegate.domain.usage import CallRecord

_APART_MS = 60_000
_REMEMBERED = 100_000
Use = tuple[int, str | None]
Line = tuple[str | datetime | None, ...]


class LastUse:
    """Remembers what is stored, so that a busy key costs one update a minute and not one per batch."""

    def __init__(self) -> None:
        self._stored: dict[str, Use] = {}

    def due(self, records: Iterable[CallRecord]) -> dict[str, Use]:
        """By key id, sorted, so that two writers lock rows in the same order: the latest use that is worth storing."""
        latest: dict[str, Use] = {}
        for r in records:
            known = latest.get(r.key_id)
            if known is None or r.started_ms > known[0]:
                latest[r.key_id] = r.started_ms, r.client_app
        return {key_id: latest[key_id] for key_id in sorted(latest) if self._new(key_id, *latest[key_id])}

    def _new(self, key_id: str, at: int, client: str | None) -> bool:
        stored = self._stored.get(key_id)
        return stored is None or at >= stored[0] + _APART_MS or (at > stored[0] and client != stored[1])

    def stored(self, uses: dict[str, Use]) -> None:
        """Call when their transaction is committed."""
        if len(self._stored) > _REMEMBERED:
            self._stored.clear()
        self._stored.update(uses)


def lines_for(uses: dict[str, Use], *, sqlite: bool) -> list[Line]:
    """Parameters of `UsageStatements.use_key`."""
    lines: list[Line] = []
    for key_id, (ms, client) in uses.items():
        at = _instant(ms, sqlite=sqlite)
        lines.append((at, client, key_id, at))
    return lines


def active_lines(records: Iterable[CallRecord], uses: dict[str, Use], *, sqlite: bool) -> list[Line]:
    """Parameters of `UsageStatements.be_active`, for the owners of those keys, sorted as the keys are."""
    owners: dict[str, int] = {}
    for r in records:
        if r.key_id in uses:
            owners[r.user_id] = max(owners.get(r.user_id, 0), r.started_ms)
    lines: list[Line] = []
    for user_id in sorted(owners):
        at = _instant(owners[user_id], sqlite=sqlite)
        lines.append((at, user_id, at))
    return lines


def _instant(ms: int, *, sqlite: bool) -> datetime | str:
    """SQLite keeps instants as text."""
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return at.replace(tzinfo=None).isoformat(" ", "microseconds") if sqlite else at
