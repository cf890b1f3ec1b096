"""The answer to `GET /api/oauth/usage`, where Claude Code looks for the dollars that belong to its notice of a cap."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from sluicegate.domain.policy import Window
from sluicegate.gateway.asgi import Reply
from sluicegate.kit.money import NANOS_PER_USD
from sluicegate.policy.account import Account
from sluicegate.ports.policy import CapRoom, tighter_cap

_NANOS_PER_CENT = NANOS_PER_USD // 100
_GROUPS = {Window.DAY: "daily", Window.WEEK: "weekly", Window.MONTH: "monthly"}


def spending_reply(account: Account) -> Reply:
    """Of all caps that hold, the one that the headers of calls tell of is the active one. Whoever has none is told what
    they spent."""
    caps = [
        CapRoom(balance.target, balance.limit, balance.used, balance.resets_at)
        for balance in account.balances
        if isinstance(balance.target, Window) and balance.resets_at is not None
    ]
    tightest: CapRoom | None = None
    for cap in caps:
        tightest = tighter_cap(tightest, cap)
    extra = _without_cap(account) if tightest is None else _figures("monthly_limit", tightest.cap, tightest.spent)
    body = {
        "extra_usage": {"is_enabled": True, **extra, "currency": "USD"},
        "limits": [_row(cap, active=cap is tightest) for cap in caps],
    }
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    return Reply(200, headers, msgspec.json.encode(body))


def _row(cap: CapRoom, *, active: bool) -> dict[str, Any]:
    return {
        "kind": "spend",
        "group": _GROUPS[cap.window],
        "percent": _percent(cap.spent, cap.cap),
        "resets_at": _instant(cap.resets_at),
        "severity": "normal",
        "is_active": active,
    }


def _without_cap(account: Account) -> dict[str, Any]:
    daily, weekly = (_figures("limit", None, account.spent.get(w, 0)) for w in (Window.DAY, Window.WEEK))
    return {**_figures("monthly_limit", None, account.spent.get(Window.MONTH, 0)), "daily": daily, "weekly": weekly}


def _figures(name: str, limit: int | None, spent: int) -> dict[str, Any]:
    """Whole cents, those that were begun not counted."""
    return {
        name: None if limit is None else limit // _NANOS_PER_CENT,
        "used_credits": spent // _NANOS_PER_CENT,
        "utilization": None if limit is None else _percent(spent, limit),
    }


def _percent(spent: int, limit: int) -> int:
    return spent * 100 // limit if limit else 100


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
