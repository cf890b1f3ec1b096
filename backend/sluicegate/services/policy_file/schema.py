"""The JSON Schema of policy files, by which editors complete and check them."""

from __future__ import annotations

from typing import Any

from sluicegate.domain.catalog import SLUG_PATTERN, ModelKind, ModelStatus
from sluicegate.domain.policy import MAX_LIMIT
from sluicegate.domain.user import MAX_EMAIL_LENGTH, MAX_NAME_LENGTH
from sluicegate.services.groups import MAX_DESCRIPTION_LENGTH
from sluicegate.services.models import MAX_BACKENDS, MAX_PRIORITY, MAX_WEIGHT
from sluicegate.services.policy_file.reading import CAPS, LIMITS, SHARED_PREFIX, THRESHOLDS, VERSION


def json_schema() -> dict[str, Any]:
    """Draft 2020-12. Whether what a file refers to is there, only a plan tells."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sluicegate policy",
        "description": "What is left out is not managed by the file and stays as it is.",
        **_object(
            {
                "version": {"const": VERSION, "description": "The format's version."},
                "models": _named(
                    _model(), "Models by slug, the name that callers send.", pattern=SLUG_PATTERN, longest=100
                ),
                "groups": _named(_group(), "Groups by name.", longest=MAX_NAME_LENGTH),
                "users": _named(_user(), "What is set for people alone, by e-mail address.", longest=MAX_EMAIL_LENGTH),
            },
            required=["version"],
        ),
        "patternProperties": {f"^{SHARED_PREFIX}": {"description": "A place for anchors; means nothing by itself."}},
    }


def _model() -> dict[str, Any]:
    backend = _object(
        {
            "provider": _text("The provider's name; upper and lower case are the same."),
            "model": _text("The provider model's name."),
            "priority": _whole("Lowest goes first.", 0, MAX_PRIORITY) | {"default": 0},
            "weight": _whole("Share among equals.", 1, MAX_WEIGHT) | {"default": 1},
        },
        required=["provider", "model"],
    )
    return _object(
        {
            "name": _text("Its name for people.") | {"maxLength": MAX_NAME_LENGTH},
            "kind": {"enum": [kind.value for kind in ModelKind], "description": "Cannot change later."},
            "status": {"enum": [status.value for status in ModelStatus], "description": "A new one is a draft."},
            "backends": {
                "type": "array",
                "items": backend,
                "maxItems": MAX_BACKENDS,
                "description": "What stands behind it, as a whole.",
            },
        }
    )


def _group() -> dict[str, Any]:
    return _object(
        {
            "description": _text("For people.") | {"maxLength": MAX_DESCRIPTION_LENGTH},
            "grants": _names("Slugs of the models that members may call."),
            "members": _names("E-mail addresses of people who have an account or an invitation."),
            **_setting("of each member's own use"),
            "pool": _object(_setting("of what all members use together")),
        }
    )


def _user() -> dict[str, Any]:
    grants = _names("Slugs of the models that this person may call, beside those of groups.")
    return _object({"grants": grants, **_setting("of this person's use")})


def _setting(whose: str) -> dict[str, Any]:
    limit = {"type": ["integer", "null"], "minimum": 0, "maximum": MAX_LIMIT}
    cap = {"type": ["string", "number", "null"], "minimum": 0}
    thresholds = {
        "type": "array",
        "items": {"type": "integer", "minimum": 1, "maximum": 100},
        "maxItems": 10,
        "description": "Per cent of each cap at which an alert is due; [] for none.",
    }
    caps = {name: cap | {"description": f"Cap {whose}, in US dollars; null for none."} for name in CAPS}
    return {
        "limits": _object({name: limit | {"description": f"Limit {whose}; null for none."} for name in LIMITS}),
        "budget": _object(caps | {THRESHOLDS: thresholds}),
    }


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return made | {"required": required} if required else made


def _named(of: dict[str, Any], description: str, *, longest: int, pattern: str | None = None) -> dict[str, Any]:
    names: dict[str, Any] = {"minLength": 1, "maxLength": longest}
    if pattern is not None:
        names["pattern"] = f"^{pattern}$"
    return {"type": "object", "description": description, "propertyNames": names, "additionalProperties": of}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _whole(description: str, least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most, "description": description}


def _names(description: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "description": description}
