"""When a key was last used and by which program, written beside the calls, to the minute."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sluicegate.domain.usage import CallRecord

_APART_MS = 60_000
_REMEMBERED = 100_000
Use = tuple[int, str | None]
Line = tuple[str | datetime, str | None, str, str | datetime]


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
    """Parameters of `UsageStatements.use_key`; SQLite keeps instants as text."""
    lines: list[Line] = []
    for key_id, (ms, client) in uses.items():
        at = datetime.fromtimestamp(ms / 1000, UTC)
        shown = at.replace(tzinfo=None).isoformat(" ", "microseconds") if sqlite else at
        lines.append((shown, client, key_id, shown))
    return lines
