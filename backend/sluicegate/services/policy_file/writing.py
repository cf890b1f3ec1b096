"""What is there, as a policy file."""

from __future__ import annotations

from typing import Any

import yaml

from sluicegate.kit.money import format_usd
from sluicegate.services.policy_file.planning import GroupState, ModelState, PolicyState, Setting, UserState
from sluicegate.services.policy_file.reading import CAPS, LIMITS, THRESHOLDS, VERSION

_WIDTH = 120


def write_policy(state: PolicyState, *, members: bool = False, users: bool = False) -> str:
    """Everything is spelt out, so that whatever is changed elsewhere differs from the file; money is text. With `users`
    also what is set for people alone."""
    models = {slug: _model(state.models[slug]) for slug in sorted(state.models)}
    groups = {name: _group(state.groups[name], members=members) for name in sorted(state.groups, key=_order)}
    document: dict[str, Any] = {"version": VERSION, "models": models, "groups": groups}
    if users:
        mine = {email: user for email, user in sorted(state.users.items()) if user != UserState(email)}
        document["users"] = {email: _user(user) for email, user in mine.items()}
    # What holds nothing but plain values goes on one line.
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None)


def _order(name: str) -> tuple[str, str]:
    return name.lower(), name


def _model(model: ModelState) -> dict[str, Any]:
    # The first is called first, and among equals the one with the larger share.
    backends = sorted(model.backends, key=lambda b: (b.priority, -b.weight, b.provider, b.model))
    return {
        "name": model.name,
        "kind": model.kind.value,
        "status": model.status.value,
        "backends": [
            {"provider": b.provider, "model": b.model, "priority": b.priority, "weight": b.weight} for b in backends
        ],
    }


def _group(group: GroupState, *, members: bool) -> dict[str, Any]:
    written: dict[str, Any] = {"description": group.description, "grants": sorted(group.grants)}
    if members:
        written["members"] = sorted(group.members)
    return {**written, **_setting(group.each), "pool": _setting(group.pool)}


def _user(user: UserState) -> dict[str, Any]:
    return {"grants": sorted(user.grants), **_setting(user.own)}


def _setting(setting: Setting) -> dict[str, Any]:
    caps = {name: getattr(setting.budget, own) for name, own in CAPS.items()}
    return {
        "limits": {name: getattr(setting.limits, own) for name, own in LIMITS.items()},
        "budget": {
            **{name: None if cap is None else format_usd(cap) for name, cap in caps.items()},
            THRESHOLDS: list(setting.budget.alert_thresholds),
        },
    }
