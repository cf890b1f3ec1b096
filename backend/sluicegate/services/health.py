"""How the backends that calls are routed to answer."""

from __future__ import annotations

from dataclasses import dataclass

from sluicegate.domain.apikey import TokenScope
from sluicegate.policy.service import PolicyService
from sluicegate.ports.health import BackendHealth, BackendState, HealthBoard
from sluicegate.services.caller import Caller

_WORST_FIRST = (BackendState.RESTING, BackendState.PROBING, BackendState.HEALTHY)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """`alone` tells that no other backend serves it that takes calls now."""

    id: str
    slug: str
    alone: bool


@dataclass(frozen=True, slots=True)
class ServingBackend:
    """A model of a provider that at least one active model is routed to."""

    provider_id: str
    provider_name: str
    provider_model: str
    serves: tuple[ServedModel, ...]
    health: BackendHealth


class HealthService:
    """For administrators."""

    def __init__(self, policy: PolicyService, board: HealthBoard) -> None:
        self._policy = policy
        self._board = board

    async def backends(self, caller: Caller) -> list[ServingBackend]:
        """Every backend of every active model, those that rest first, then by provider and model."""
        caller.require_admin(TokenScope.READ)
        return await self.all_backends()

    async def all_backends(self) -> list[ServingBackend]:
        """For whoever has been asked already who they are."""
        catalog = await self._policy.current_catalog()
        names: dict[tuple[str, str], str] = {}
        serves: dict[tuple[str, str], list[ServedModel]] = {}
        healths: dict[tuple[str, str], BackendHealth] = {}
        for model in catalog.models.values():
            routed = {(route.provider_id, route.provider_model): route.provider_name for route in model.routes}
            for backend in routed:
                healths.setdefault(backend, self._board.health_of(*backend))
            well = {backend for backend in routed if healths[backend].state is not BackendState.RESTING}
            for backend, name in routed.items():
                names[backend] = name
                serves.setdefault(backend, []).append(ServedModel(model.id, model.slug, alone=not well - {backend}))
        found = [
            ServingBackend(
                backend[0],
                names[backend],
                backend[1],
                tuple(sorted(serves[backend], key=lambda model: model.slug)),
                healths[backend],
            )
            for backend in names
        ]
        return sorted(
            found, key=lambda b: (_WORST_FIRST.index(b.health.state), b.provider_name.lower(), b.provider_model)
        )
