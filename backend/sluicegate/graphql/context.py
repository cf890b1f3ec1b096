"""What every resolver gets: who calls, the services, loaders that live as long as the request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar, cast

import strawberry
from strawberry.dataloader import DataLoader

from sluicegate.kit.errors import Unauthenticated
from sluicegate.services.bundle import Services
from sluicegate.services.caller import Caller

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass
class Context:
    """One request. `caller` is None for the anonymous."""

    caller: Caller | None
    services: Services
    request_id: str = ""
    _loaders: dict[Callable[..., Any], DataLoader[Any, Any]] = field(default_factory=dict)

    def require_caller(self) -> Caller:
        if self.caller is None:
            raise Unauthenticated("Sign in first.")
        return self.caller

    def loader(self, batch: Callable[[Context, list[K]], Awaitable[list[V]]]) -> DataLoader[K, V]:
        """The request's one loader for `batch`, which gets keys and gives as many values in the same order."""
        if batch not in self._loaders:

            async def load(keys: list[K]) -> list[V]:
                return await batch(self, keys)

            self._loaders[batch] = DataLoader(load_fn=load)
        return cast("DataLoader[K, V]", self._loaders[batch])


Info: TypeAlias = strawberry.Info[Context, None]
