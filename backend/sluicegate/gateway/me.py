"""The answer to `GET /gateway/v1/me`: who the key speaks for, what it may call, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from sluicegate.domain.policy import Dimension
from sluicegate.gateway.asgi import Reply
from sluicegate.kit.money import format_usd
from sluicegate.policy.account import Account, Balance
from sluicegate.policy.compile import CompiledModel
from sluicegate.policy.principals import Principal


def me_reply(principal: Principal, models: Sequence[CompiledModel], account: Account, now: datetime) -> Reply:
    key, user = principal.key, principal.user
    body = {
        "at": _instant(now),
        "key": {"name": key.name, "prefix": key.prefix, "expires_at": _instant(key.expires_at)},
        "user": {"name": user.name, "email": user.email, "role": user.role.value},
        "groups": [group.name for group in principal.effective.groups],
        "models": [_model(model) for model in models],
        "limits": [_limit(b) for b in account.balances if isinstance(b.target, Dimension)],
        "budgets": [_budget(b) for b in account.balances if not isinstance(b.target, Dimension)],
        "spent_usd": {window.value: format_usd(spent) for window, spent in account.spent.items()},
    }
    return Reply(200, [(b"content-type", b"application/json")], msgspec.json.encode(body))


def _model(model: CompiledModel) -> dict[str, Any]:
    return {
        "id": model.slug,
        "alias": model.alias,
        "display_name": model.display_name,
        "kind": model.kind.value,
        "context_length": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "capabilities": model.capabilities,
    }


def _limit(balance: Balance) -> dict[str, Any]:
    return {
        "dimension": balance.target.value,
        **_origin(balance),
        "limit": balance.limit,
        "used": balance.used,
        "remaining": balance.left,
        "resets_at": _instant(balance.resets_at),
    }


def _budget(balance: Balance) -> dict[str, Any]:
    return {
        "window": balance.target.value,
        **_origin(balance),
        "cap_usd": format_usd(balance.limit),
        "spent_usd": format_usd(balance.used),
        "held_usd": format_usd(balance.held),
        "remaining_usd": format_usd(balance.left),
        "resets_at": _instant(balance.resets_at),
    }


def _origin(balance: Balance) -> dict[str, Any]:
    """`counts` tells whose use is meant: the user's own, that of all who share the pool, or the key's alone."""
    source = balance.source
    set_by: dict[str, Any] = {"kind": source.subject.kind.value, "name": source.name}
    if source.override is not None:
        set_by["override_until"] = _instant(source.override.ends_at)
    return {"counts": balance.subject.kind.value, "set_by": set_by}


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")
