"""Rows become immutable values that the hot path only reads: users, principals, the catalogue of models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.catalog import (
    KINDS,
    Dialect,
    Model,
    ModelKind,
    ModelStatus,
    Provider,
    ProviderKind,
    ProviderModel,
    obstacle_to,
)
from sluicegate.domain.usage import Prices
from sluicegate.domain.user import User
from sluicegate.kit.secret import Secret
from sluicegate.policy.effective import EffectivePolicy
from sluicegate.ports.policy import LimitSet
from sluicegate.ports.upstream import Origin


class CompiledUser:
    """One user's policy, ready to decide with. `valid` turns False, for good, when something it came from changed."""

    __slots__ = ("effective", "granted", "group_ids", "limits", "user", "valid")

    def __init__(self, effective: EffectivePolicy) -> None:
        self.effective = effective
        self.user = effective.user
        self.group_ids = tuple(g.id for g in effective.groups)
        self.granted = frozenset(effective.grants)
        self.limits: tuple[LimitSet, ...] = (effective.limit_set(),)
        self.valid = True


class Principal:
    """A verified key with its owner. Expired, revoked and suspended ones are kept too: refusing them stays cheap."""

    __slots__ = ("compiled", "current", "expires_at", "key")

    def __init__(self, key: ApiKey, compiled: CompiledUser) -> None:
        self.key = key
        self.compiled = compiled
        self.expires_at = key.expires_at.timestamp() if key.expires_at else None
        self.current = True

    @property
    def valid(self) -> bool:
        """Whether nothing that this was made from has changed since."""
        return self.current and self.compiled.valid

    @property
    def key_id(self) -> str:
        return self.key.id

    @property
    def key_label(self) -> str:
        return f"{self.key.name} ({self.key.prefix}…)"

    @property
    def user(self) -> User:
        return self.compiled.user

    @property
    def group_ids(self) -> tuple[str, ...]:
        return self.compiled.group_ids


@dataclass(frozen=True, slots=True)
class Route:
    """One backend of a model. `origin` is None for the embedded demo provider. `base_path` ends where both dialects'
    own paths begin: the request target is always `base_path + "/chat/completions"` or `base_path + "/messages"`."""

    provider_id: str
    provider_name: str
    kind: ProviderKind
    dialects: tuple[Dialect, ...]
    origin: Origin | None
    base_path: str
    credential: Secret | None
    organization: str | None
    provider_model: str
    prices: Prices
    priority: int
    weight: int


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """What callers name. `routes` holds only backends that can serve: provider enabled and routable, price known or
    free. `top_prices` takes the dearest price of each class, for estimates."""

    id: str
    slug: str
    display_name: str
    kind: ModelKind
    routes: tuple[Route, ...]
    top_prices: Prices
    context_window: int | None
    max_output_tokens: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Catalog:
    """All active models, by slug."""

    models: dict[str, CompiledModel]


def split_base_url(base_url: str, dialect: Dialect) -> tuple[Origin, str]:
    """Origin and base path of a provider's address; Anthropic's addresses are written with and without `/v1`."""
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = parts.path.rstrip("/")
    if dialect is Dialect.ANTHROPIC and not path.endswith("/v1"):
        path += "/v1"
    return Origin(parts.scheme, parts.hostname or "", port), path


def compile_route(
    provider: Provider,
    model: ProviderModel,
    credential: Secret | None,
    priority: int,
    weight: int,
) -> Route | None:
    """A route, or None when calls may not go there."""
    facts = KINDS[provider.kind]
    if obstacle_to(provider, model) is not None:
        return None
    if facts.credential_required and credential is None:
        return None
    origin, base_path = None, "/v1"
    base_url = provider.base_url or facts.default_base_url
    if base_url:
        origin, base_path = split_base_url(base_url, facts.dialects[0])
    elif provider.kind is not ProviderKind.DEMO:
        return None
    return Route(
        provider_id=provider.id,
        provider_name=provider.name,
        kind=provider.kind,
        dialects=facts.dialects,
        origin=origin,
        base_path=base_path,
        credential=credential,
        organization=provider.organization,
        provider_model=model.name,
        prices=Prices(0, 0, 0, 0, 0) if model.free else model.prices,
        priority=priority,
        weight=weight,
    )


def compile_model(
    model: Model,
    provider_models: dict[str, ProviderModel],
    providers: dict[str, Provider],
    credentials: dict[str, Secret],
) -> CompiledModel | None:
    """An active model with the routes that can serve; None for drafts and disabled ones."""
    if model.status is not ModelStatus.ACTIVE:
        return None
    routes: list[Route] = []
    served: list[ProviderModel] = []
    for backend in sorted(model.backends, key=lambda b: (b.priority, b.id)):
        target = provider_models[backend.provider_model_id]
        provider = providers[target.provider_id]
        route = compile_route(
            provider,
            target,
            credentials.get(provider.id),
            backend.priority,
            backend.weight,
        )
        if route:
            routes.append(route)
            served.append(target)
    first = served[0] if served else None
    return CompiledModel(
        id=model.id,
        slug=model.slug,
        display_name=model.display_name or model.slug,
        kind=model.kind,
        routes=tuple(routes),
        top_prices=_dearest([route.prices for route in routes]),
        context_window=first.context_window if first else None,
        max_output_tokens=first.max_output_tokens if first else None,
        created_at=model.created_at,
    )


def _dearest(prices: list[Prices]) -> Prices:
    def top(values: list[int | None]) -> int | None:
        known = [v for v in values if v is not None]
        return max(known) if known else None

    return Prices(
        top([p.input for p in prices]),
        top([p.cache_read for p in prices]),
        top([p.cache_write_5m for p in prices]),
        top([p.cache_write_1h for p in prices]),
        top([p.output for p in prices]),
    )
