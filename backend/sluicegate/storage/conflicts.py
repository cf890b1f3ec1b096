"""What the database refuses because somebody else was quicker, in words for whoever was slower.

Services look before they write, so only two writers at the same moment come this far.
"""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from sluicegate.kit.errors import Conflict

# SQLSTATE, as PostgreSQL has it; SQLite's single writer cannot be overtaken.
_UNIQUE, _REFERENCE = "23505", "23503"
_OVERTAKEN = ("40001", "40P01")
_TAKEN = {
    "uq_users_email": ("email", "There is an account with this address already."),
    "uq_groups_name": ("name", "There is a group with this name already."),
    "uq_providers_name": ("name", "There is a provider with this name already."),
    "uq_provider_models_provider_id": ("name", "The provider has a model with this name already."),
    "uq_secret_rules_name": ("name", "There is a rule with this name already."),
    "uq_models_slug": ("slug", "There is a model with this slug already."),
}


def conflict_of(error: DBAPIError) -> Conflict | None:
    """The refusal that `error` stands for; None for a fault of ours or of the database."""
    state = getattr(error.orig, "sqlstate", None)
    if state == _UNIQUE:
        taken = _TAKEN.get(getattr(getattr(error.orig, "diag", None), "constraint_name", None) or "")
        return Conflict(taken[1], field=taken[0]) if taken else _again()
    if state == _REFERENCE:
        return Conflict("Something that this change refers to has just been deleted. Reload and try again.")
    return _again() if state in _OVERTAKEN else None


def _again() -> Conflict:
    return Conflict("Somebody else changed this at the same moment. Try again.")
