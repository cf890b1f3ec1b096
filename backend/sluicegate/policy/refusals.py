"""Refusals of the gateway: a stable code, a status, words for people, figures for programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sluicegate.domain.policy import Dimension, Window
from sluicegate.kit.errors import AppError
from sluicegate.policy.merge import Source
from sluicegate.ports.policy import Room


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """What stood in the way: a dimension (tokens or requests) or a window (nano-dollars), its value, who set it, and
    when it is free."""

    dimension: Dimension | None
    window: Window | None
    limit: int
    used: int
    source: Source
    free_at: datetime | None


class Refusal(AppError):
    """A call that is not admitted. `retry_after` is whole seconds, at least 1; None when waiting does not help. `room`
    is set where a limit stood in the way, `model` where the caller named one and it was read."""

    def __init__(
        self,
        code: str,
        status: int,
        message: str,
        *,
        field: str | None = None,
        retry_after: int | None = None,
        facts: LimitFacts | None = None,
    ) -> None:
        super().__init__(message, field=field)
        self.code = code
        self.status = status
        self.retry_after = retry_after
        self.facts = facts
        self.room: Room | None = None
        self.model: str | None = None


def invalid_key(
    message: str = "The API key is missing, mistyped or unknown.",
) -> Refusal:
    return Refusal("invalid_api_key", 401, message)


def key_revoked() -> Refusal:
    return Refusal("key_revoked", 401, "This API key was revoked. Create a new one in the console.")


def key_expired(at: datetime) -> Refusal:
    return Refusal(
        "key_expired",
        401,
        f"This API key expired on {at:%Y-%m-%d %H:%M} UTC. Create a new one in the console.",
    )


def key_replaced(at: datetime) -> Refusal:
    return Refusal(
        "key_expired",
        401,
        f"This API key has a new secret, and the old one ended on {at:%Y-%m-%d %H:%M} UTC. Use the new one.",
    )


def user_suspended() -> Refusal:
    return Refusal("user_suspended", 401, "This account is suspended. Ask an administrator.")


def model_not_found(slug: str) -> Refusal:
    shown = slug if len(slug) <= 100 else slug[:100] + "…"
    return Refusal(
        "model_not_found",
        404,
        f"The model '{shown}' does not exist here or is not active.",
        field="model",
    )


def model_not_granted(slug: str) -> Refusal:
    return Refusal(
        "model_not_granted",
        403,
        f"You have no grant for the model '{slug}'. Ask an administrator for access.",
        field="model",
    )


def model_not_on_key(slug: str, key: str) -> Refusal:
    return Refusal(
        "model_not_granted",
        403,
        f"The key {key} may not be used for the model '{slug}', though you may call it: it is set to other models.",
        field="model",
    )


def invalid_request(message: str, *, field: str | None = None, status: int = 400) -> Refusal:
    return Refusal("invalid_request", status, message, field=field)


def request_timeout(what: str) -> Refusal:
    return Refusal("request_timeout", 408, f"The request came too slowly: {what}.")


def upstream_unavailable(message: str, status: int = 502, retry_after: int | None = None) -> Refusal:
    return Refusal("upstream_unavailable", status, message, retry_after=retry_after)


def undecided(message: str, retry_after: int) -> Refusal:
    """For what passes by itself, and is nobody's fault who calls."""
    return Refusal("temporarily_unavailable", 503, message, retry_after=retry_after)


def internal_error(request_id: str) -> Refusal:
    return Refusal("internal_error", 500, f"The gateway failed on this request. Its id is {request_id}.")
