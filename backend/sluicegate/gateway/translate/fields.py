"""Fields of a caller's body, read with errors that name them."""

from __future__ import annotations

from typing import Any

from sluicegate.gateway.translate.form import Object
from sluicegate.policy.refusals import Refusal, invalid_request

# Beyond it no provider has a setting, and numbers come near what a float cannot hold.
_MAX_NUMBER = 1e18


def wrong(field: str, problem: str) -> Refusal:
    return invalid_request(f"The field '{field}' {problem}.", field=field)


def untranslatable(field: str, what: str) -> Refusal:
    """Something that the provider behind the model cannot be told."""
    return invalid_request(
        f"The field '{field}' has {what}, which the provider of this model does not take.", field=field
    )


def as_object(value: Any, field: str) -> Object:
    if not isinstance(value, dict):
        raise wrong(field, "must be an object")
    return value


def as_list(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong(field, "must be a list")
    return value


def as_text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise wrong(field, "must be text")
    return value


def optional_text(value: Any, field: str) -> str | None:
    return None if value is None else as_text(value, field)


def optional_object(value: Any, field: str) -> Object | None:
    return None if value is None else as_object(value, field)


def optional_list(value: Any, field: str) -> list[Any]:
    return [] if value is None else as_list(value, field)


def optional_count(value: Any, field: str) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise wrong(field, "must be a whole number above zero")
    return value


def optional_number(value: Any, field: str) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or abs(value) > _MAX_NUMBER:
        raise wrong(field, "must be a number of common size")
    return float(value)


def optional_flag(value: Any, field: str) -> bool | None:
    if value is None:
        return None
    if type(value) is not bool:
        raise wrong(field, "must be true or false")
    return value


def split_data_url(url: str) -> tuple[str, str] | None:
    """Media type and base64 payload of a data URL; None for any other URL."""
    if not url.startswith("data:"):
        return None
    head, comma, payload = url[5:].partition(",")
    if not comma or not head.endswith(";base64"):
        return None
    return head.removesuffix(";base64"), payload
