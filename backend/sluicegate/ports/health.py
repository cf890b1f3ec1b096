"""How well the backends behind models answer, as one process sees it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class BackendState(StrEnum):
    """`HEALTHY` takes calls. `RESTING` takes none, or only those that no other backend takes. `PROBING` has rested and
    carries one call that decides whether it is well again."""

    HEALTHY = "healthy"
    RESTING = "resting"
    PROBING = "probing"


@dataclass(frozen=True, slots=True)
class BackendHealth:
    """Counts run since this process started, or since the provider's address or credential last changed. Times are
    seconds since the epoch. `refused` counts answers 429 and 5xx, `unreached` calls that got no answer, `broke_off`
    answers that ended too early; `head_ms` is the moving average until an answer's head, None before the first."""

    state: BackendState
    in_flight: int = 0
    answered: int = 0
    refused: int = 0
    unreached: int = 0
    broke_off: int = 0
    rests_until: float | None = None
    head_ms: float | None = None
    last_failure: str | None = None
    last_failure_at: float | None = None


UNTRIED = BackendHealth(BackendState.HEALTHY)


class HealthBoard(Protocol):
    def health_of(self, provider_id: str, provider_model: str) -> BackendHealth:
        """`UNTRIED` for a backend that was never called; `provider_model` by the name that the provider gives it."""
        ...
