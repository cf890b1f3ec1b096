"""Alerts in words: for letters, and for webhooks."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from sluicegate.domain.alert import Alert
from sluicegate.domain.policy import SubjectKind, Window
from sluicegate.kit.money import format_cents, format_usd

_ADJECTIVES = {Window.DAY: "daily", Window.WEEK: "weekly", Window.MONTH: "monthly"}


def alert_facts(alert: Alert, reader_id: str, zone: tzinfo) -> dict[str, str]:
    """What the letter of kind BUDGET_ALERT to somebody says; the reader may be the person concerned."""
    return {
        "percent": str(alert.threshold),
        "cap_name": _cap_name(alert, reader_id),
        "spent": f"${format_cents(alert.spent)}",
        "cap": f"${format_cents(alert.cap)}",
        "set_by": _setter(alert, reader_id),
        "resets": _moment(alert.resets_at, zone),
        "blocks": "yes" if alert.blocks else "",
    }


def alert_message(alert: Alert) -> dict[str, Any]:
    """The `data` of a webhook's message. Money is exact, in US dollars, as text."""
    return {
        "alert_id": alert.id,
        "subject": {"kind": alert.subject.kind.value, "id": alert.subject.id, "label": alert.subject_label},
        "user_id": alert.user_id,
        "window": alert.window.value,
        "period": alert.period,
        "threshold_percent": alert.threshold,
        "cap_usd": format_usd(alert.cap),
        "spent_usd": format_usd(alert.spent),
        "blocked": alert.blocks,
        "set_by": {"kind": alert.set_by.kind.value, "id": alert.set_by.id, "label": alert.set_by_label},
        "resets_at": alert.resets_at.isoformat(),
    }


def _cap_name(alert: Alert, reader_id: str) -> str:
    window, mine = _ADJECTIVES[alert.window], alert.user_id == reader_id
    match alert.subject.kind:
        case SubjectKind.POOL:
            return f"the {window} pool of {alert.subject_label}"
        case SubjectKind.KEY:
            return f"the {window} cap of {'your' if mine else 'the'} API key {alert.subject_label}"
        case _:
            return f"your {window} cap" if mine else f"the {window} cap of {alert.subject_label}"


def _setter(alert: Alert, reader_id: str) -> str:
    match alert.set_by.kind:
        case SubjectKind.GROUP:
            return f"set by the group {alert.set_by_label} for each member"
        case SubjectKind.POOL:
            return "drawn from by all members together"
        case SubjectKind.KEY:
            return "set for this key alone"
        case SubjectKind.USER:
            return "set for you" if alert.user_id == reader_id else "set for this person"


def _moment(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%A}, {local.day} {local:%B %Y, %H:%M} ({zone})"
