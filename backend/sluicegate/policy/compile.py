"""The rows of the catalogue become immutable values that the hot path only reads."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf
from urllib.parse import quote, unquote, urlsplit

from sluicegate.domain.catalog import (
    KINDS,
    Dialect,
    Model,
    ModelKind,
    ModelStatus,
    Protocol,
    Provider,
    ProviderKind,
    ProviderModel,
    obstacle_to,
)
from sluicegate.domain.price_list import next_start
from sluicegate.domain.usage import LongContext, Prices
from sluicegate.kit.crypto import SealBroken
from sluicegate.kit.secret import Secret
from sluicegate.policy import bedrock
from sluicegate.policy.provider_headers import open_headers
from sluicegate.ports.policy import CatalogRows, Vault
from sluicegate.ports.upstream import Origin, RawHeaders

# Where a base URL of the dialect ends; the first is added where none is given.
_VERSIONS = {Dialect.ANTHROPIC: ("/v1",), Dialect.GEMINI: ("/v1beta", "/v1alpha", "/v1")}
_VERSION = "api-version"
_SHOWN = ("claude", "anthropic")


@dataclass(frozen=True, slots=True)
class Route:
    """One backend of a model. `origin` is None for the embedded demo provider. `base_path` ends where the paths of its
    dialects begin, such as `/chat/completions` or `/messages`; `api_version` is sent along where there is one. `prices`
    are those of the list `price_list_id`, by which every call is charged that begins while this is in force."""

    provider_id: str
    provider_name: str
    kind: ProviderKind
    dialects: tuple[Dialect, ...]
    protocols: tuple[Protocol, ...]
    origin: Origin | None
    base_path: str
    credential: Secret | None
    organization: str | None
    provider_model: str
    prices: Prices
    price_list_id: str
    priority: int
    weight: int
    max_output_tokens: int | None
    api_version: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    region: str | None = None
    capabilities: tuple[str, ...] = ()

    def target(self, path: str, query: str = "") -> str:
        """Where `path` of the provider is called, with `query`, which is empty or begins with a question mark."""
        if self.api_version is None:
            return f"{self.base_path}{path}{query}"
        if by_deployment(self.api_version) and path != "/responses":
            path = f"/deployments/{quote(self.provider_model, safe='')}{path}"
        return f"{self.base_path}{path}{versioned(query, self.api_version)}"


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """What callers name: by its slug, or by `alias` where it has one. `routes` holds only backends that can serve:
    provider enabled and routable, price known or free. `top_prices` takes the dearest price of each class, for
    estimates; sizes are the smallest, and capabilities those that all have, so that they hold whichever backend
    answers."""

    id: str
    slug: str
    alias: str | None
    display_name: str
    kind: ModelKind
    routes: tuple[Route, ...]
    top_prices: Prices
    context_window: int | None
    max_output_tokens: int | None
    created_at: datetime
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """What is stored sealed, by provider id."""

    credentials: dict[str, Secret] = field(default_factory=dict[str, Secret])
    headers: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])


def opened_of(rows: CatalogRows, vault: Vault) -> Opened:
    opened = Opened()
    for provider_id, sealed in rows.credentials.items():
        # A credential that cannot be opened is as good as none; `doctor` and the connection test tell of it.
        with suppress(SealBroken):
            opened.credentials[provider_id] = vault.unseal(sealed, f"provider:{provider_id}")
    for provider_id, sealed in rows.headers.items():
        with suppress(SealBroken):
            opened.headers[provider_id] = open_headers(vault, provider_id, sealed)
    return opened


class Catalog:
    """All active models, by slug. A name means the same model for everybody: a slug goes before an alias. `until` is
    when the next price starts, in seconds since the epoch: then it has to be compiled anew."""

    __slots__ = ("_aliases", "models", "until")

    def __init__(self, models: Iterable[CompiledModel], until: float = inf) -> None:
        self.until = until
        self.models = {model.slug: model for model in models}
        self._aliases = {model.alias: model for model in self.models.values() if model.alias}

    def find(self, name: str) -> CompiledModel | None:
        return self.models.get(name) or self._aliases.get(name)


def alias_of(slug: str) -> str | None:
    """A second name for a model that Claude Code would not show: its list keeps only names that begin like its own."""
    return None if slug.startswith(_SHOWN) else f"claude-{slug}"


def split_base_url(base_url: str, dialect: Dialect) -> tuple[Origin, str]:
    """Origin and base path of a provider's address; some are written with and without their version."""
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/")
    if dialect in _VERSIONS and not path.endswith(_VERSIONS[dialect]):
        path += _VERSIONS[dialect][0]
    return Origin.of(parts), path


def address_of(provider: Provider) -> tuple[Origin, str] | None:
    """Origin and base path of a provider that is called over the network; None where it has no address."""
    facts = KINDS[provider.kind]
    if provider.kind is ProviderKind.BEDROCK:
        return bedrock.runtime_address(provider)
    base_url = provider.base_url or facts.default_base_url
    if not base_url:
        return None
    origin, path = split_base_url(base_url, facts.dialects[0])
    if provider.kind is ProviderKind.AZURE_OPENAI:
        # People paste the resource's address with or without what follows it.
        path = path.removesuffix("/v1").removesuffix("/openai") + "/openai"
        if provider.api_version is None or not by_deployment(provider.api_version):
            path += "/v1"
    return origin, path


def credential_headers(kind: ProviderKind, dialect: Dialect, key: Secret) -> RawHeaders:
    """The provider's own credential, in the form that its dialect and its kind want."""
    secret = key.reveal().encode()
    if kind is ProviderKind.AZURE_OPENAI:
        return [(b"api-key", secret)]
    match dialect:
        case Dialect.ANTHROPIC:
            return [(b"x-api-key", secret)]
        case Dialect.GEMINI:
            return [(b"x-goog-api-key", secret)]
        case Dialect.OPENAI:
            return [(b"authorization", b"Bearer " + secret)]


def by_deployment(api_version: str) -> bool:
    """Whether Azure's older interface is meant, where a version is a date and deployments stand in the path. The newer
    one, at `/openai/v1`, knows at most the version `preview`."""
    return api_version[0].isdigit()


def versioned(query: str, api_version: str) -> str:
    """The query, which is empty or begins with a question mark, with this version in place of any other."""
    kept = [part for part in query[1:].split("&") if part and _parameter(part) != _VERSION]
    return "?" + "&".join([*kept, f"{_VERSION}={api_version}"])


def _parameter(part: str) -> str:
    return unquote(part.partition("=")[0]).lower()


def compile_route(
    provider: Provider,
    model: ProviderModel,
    credential: Secret | None,
    priority: int,
    weight: int,
    headers: dict[str, str],
) -> Route | None:
    """A route, or None when calls may not go there."""
    facts = KINDS[provider.kind]
    if model.current is None or obstacle_to(provider, model) is not None:
        return None
    if facts.credential_required and credential is None:
        return None
    address = address_of(provider)
    if address is None and provider.kind is not ProviderKind.DEMO:
        return None
    origin, base_path = address or (None, "/v1")
    return Route(
        provider_id=provider.id,
        provider_name=provider.name,
        kind=provider.kind,
        dialects=facts.dialects,
        protocols=provider.protocols,
        origin=origin,
        base_path=base_path,
        credential=credential,
        organization=provider.organization,
        provider_model=model.name,
        prices=model.current.charged,
        price_list_id=model.current.id,
        priority=priority,
        weight=weight,
        max_output_tokens=model.max_output_tokens,
        api_version=provider.api_version,
        headers=raw_headers(headers),
        region=provider.region,
        capabilities=model.capabilities,
    )


def raw_headers(headers: dict[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode(), value.encode()) for name, value in headers.items())


def compile_catalog(rows: CatalogRows, opened: Opened, now: datetime) -> Catalog:
    """With the prices in force `now`."""
    offers = {model_id: offer.at(now) for model_id, offer in rows.provider_models.items()}
    starts = (next_start(offer.price_lists, now) for offer in offers.values())
    until = min((start.timestamp() for start in starts if start is not None), default=inf)
    # Even a draft owns its name: an alias must not come to mean another model when that one goes live.
    owned = {model.slug for model in rows.models}
    compiled = (compile_model(m, offers, rows.providers, opened) for m in rows.models)
    return Catalog((replace(m, alias=None) if m.alias in owned else m for m in compiled if m is not None), until)


def compile_model(
    model: Model,
    provider_models: dict[str, ProviderModel],
    providers: dict[str, Provider],
    opened: Opened,
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
            opened.credentials.get(provider.id),
            backend.priority,
            backend.weight,
            opened.headers.get(provider.id, {}),
        )
        if route:
            routes.append(route)
            served.append(target)
    return CompiledModel(
        id=model.id,
        slug=model.slug,
        alias=alias_of(model.slug) if model.kind is ModelKind.CHAT else None,
        display_name=model.display_name or model.slug,
        kind=model.kind,
        routes=tuple(routes),
        top_prices=_dearest([route.prices for route in routes]),
        context_window=_smallest([target.context_window for target in served]),
        max_output_tokens=_smallest([target.max_output_tokens for target in served]),
        created_at=model.created_at,
        capabilities=_common([target.capabilities for target in served]),
    )


def _common(lists: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted(set(lists[0]).intersection(*lists[1:]))) if lists else ()


def _smallest(sizes: list[int | None]) -> int | None:
    return min((size for size in sizes if size is not None), default=None)


def _dearest(prices: list[Prices]) -> Prices:
    starts = sorted({tier.above for found in prices for tier in found.long_context})
    tiers = (LongContext(above, _dearest_of([found.at(above + 1) for found in prices])) for above in starts)
    return replace(_dearest_of(prices), long_context=tuple(tiers))


def _dearest_of(prices: list[Prices]) -> Prices:
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
