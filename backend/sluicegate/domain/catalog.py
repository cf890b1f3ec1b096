"""Providers, their models, and the models that callers name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sluicegate.domain.price_list import PlannedMultiplier, PriceList, in_force
from sluicegate.domain.usage import Prices
from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.money import ONE

UNKNOWN_PRICES = Prices()
# More than any call or any answer will have.
MAX_TOKENS = 1_000_000_000
MAX_CAPABILITIES = 20
# Capabilities that something depends on. The last two are told of Anthropic's models: whether one finds out itself how
# much to think, and whether it takes a bound on that in tokens.
VISION = "vision"
REASONING = "reasoning"
ADAPTIVE_THINKING = "adaptive-thinking"
THINKING_BUDGET = "thinking-budget"
_CAPABILITY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SLUG_PATTERN = r"[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?"
_SLUG = re.compile(SLUG_PATTERN)
_SNAPSHOT = re.compile(r"-20\d{2}(?:\d{4}|-\d{2}-\d{2})$")


class ProviderKind(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    AZURE_OPENAI = "azure-openai"
    GEMINI = "gemini"
    BEDROCK = "bedrock"
    MOONSHOT = "moonshot"
    OPENROUTER = "openrouter"
    CUSTOM_OPENAI = "custom-openai"
    CUSTOM_ANTHROPIC = "custom-anthropic"
    DEMO = "demo"


class Dialect(StrEnum):
    """A wire protocol family."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"


class Protocol(StrEnum):
    """A way to hold a conversation; a dialect may have several. Calls are translated between these."""

    CHAT = "chat"
    MESSAGES = "messages"
    RESPONSES = "responses"


# Azure says so itself, to calls of Responses at an earlier version of its interface.
_RESPONSES_SINCE = "2025-03-01"
PROTOCOLS = {
    Dialect.OPENAI: (Protocol.CHAT, Protocol.RESPONSES),
    Dialect.ANTHROPIC: (Protocol.MESSAGES,),
    Dialect.GEMINI: (),
}


def undated(name: str) -> str:
    """A provider's name for a model without the date of a snapshot at its end: `gpt-x` of `gpt-x-2026-01-31`."""
    return _SNAPSHOT.sub("", name)


def check_capabilities(names: Sequence[str], field: str) -> None:
    """Raises InvalidInput for what is no word such as `vision` or `structured-output`, or there twice."""
    if len(names) > MAX_CAPABILITIES:
        raise InvalidInput(field, f"takes at most {MAX_CAPABILITIES}")
    for index, name in enumerate(names):
        if len(name) > 40 or not _CAPABILITY.fullmatch(name):
            raise InvalidInput(f"{field}.{index}", "must be a word such as vision or structured-output")
        if name in names[:index]:
            raise InvalidInput(f"{field}.{index}", "is there twice")


class ModelKind(StrEnum):
    CHAT = "chat"
    EMBEDDING = "embedding"


class ModelStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class KindFacts:
    """What a provider kind needs and speaks. A `{region}` in `default_base_url` stands for the provider's, which is
    needed then; `takes_access_keys` tells that its credential may be a pair of AWS keys; `only` names the protocols
    where a kind has not all of its dialects', and with `chooses_responses` each provider says if it serves that."""

    label: str
    default_base_url: str | None
    dialects: tuple[Dialect, ...]
    base_url_required: bool = False
    credential_required: bool = True
    takes_organization: bool = False
    takes_region: bool = False
    takes_access_keys: bool = False
    takes_api_version: bool = False
    takes_headers: bool = False
    chooses_responses: bool = False
    only: tuple[Protocol, ...] | None = None

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        if self.only is not None:
            return self.only
        return tuple(protocol for dialect in self.dialects for protocol in PROTOCOLS[dialect])


KINDS: dict[ProviderKind, KindFacts] = {
    ProviderKind.OPENAI: KindFacts("OpenAI", "https://api.openai.com/v1", (Dialect.OPENAI,), takes_organization=True),
    ProviderKind.ANTHROPIC: KindFacts("Anthropic", "https://api.anthropic.com", (Dialect.ANTHROPIC,)),
    ProviderKind.AZURE_OPENAI: KindFacts(
        "Azure OpenAI", None, (Dialect.OPENAI,), base_url_required=True, takes_api_version=True
    ),
    ProviderKind.GEMINI: KindFacts("Google Gemini", "https://generativelanguage.googleapis.com", (Dialect.GEMINI,)),
    ProviderKind.BEDROCK: KindFacts(
        "Amazon Bedrock",
        "https://bedrock-runtime.{region}.amazonaws.com",
        (Dialect.ANTHROPIC,),
        takes_region=True,
        takes_access_keys=True,
    ),
    ProviderKind.MOONSHOT: KindFacts(
        "Moonshot AI", "https://api.moonshot.ai/v1", (Dialect.OPENAI,), only=(Protocol.CHAT,)
    ),
    ProviderKind.OPENROUTER: KindFacts(
        "OpenRouter", "https://openrouter.ai/api/v1", (Dialect.OPENAI,), takes_headers=True, only=(Protocol.CHAT,)
    ),
    ProviderKind.CUSTOM_OPENAI: KindFacts(
        "OpenAI-compatible",
        None,
        (Dialect.OPENAI,),
        base_url_required=True,
        credential_required=False,
        takes_organization=True,
        takes_headers=True,
        chooses_responses=True,
    ),
    ProviderKind.CUSTOM_ANTHROPIC: KindFacts(
        "Anthropic-compatible",
        None,
        (Dialect.ANTHROPIC,),
        base_url_required=True,
        credential_required=False,
        takes_headers=True,
    ),
    ProviderKind.DEMO: KindFacts("Demo", None, tuple(Dialect), credential_required=False),
}


def is_before(api_version: str, date: str) -> bool:
    """Whether a version of Azure's interface is a date before `date`, which is written like 2024-10-21."""
    return api_version[0].isdigit() and api_version[:10] < date


@dataclass(frozen=True, slots=True)
class Provider:
    """`api_version` is what Azure's interface by deployments wants; None is its newer one, which has no versions.
    `header_names` are those of further headers that are sent to it; their values are stored sealed.
    `price_multiplier`, in millionths, is what was agreed on for all prices of its models but own ones, as in force when
    this was read; `planned_multipliers` are those to come, oldest first. Calls of Responses are translated to Chat
    Completions where it does not serve them."""

    id: str
    name: str
    kind: ProviderKind
    base_url: str | None
    organization: str | None
    region: str | None
    enabled: bool
    credential_prefix: str | None
    credential_updated_at: datetime | None
    created_at: datetime
    api_version: str | None = None
    price_multiplier: int = ONE
    header_names: tuple[str, ...] = ()
    serves_responses: bool = True
    planned_multipliers: tuple[PlannedMultiplier, ...] = ()

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """Those in which it may be called."""
        spoken = KINDS[self.kind].protocols
        serves = self.serves_responses and not (self.api_version and is_before(self.api_version, _RESPONSES_SINCE))
        return spoken if serves else tuple(p for p in spoken if p is not Protocol.RESPONSES)


@dataclass(frozen=True, slots=True)
class ProviderModel:
    """`capabilities` are words such as `tools`, `vision` and `reasoning`; none where they are not known. `price_lists`
    are those in force at some time, oldest first: all of them, or all from the current one on.
    `current` is the one in force when this was read; without one, what calls cost is unknown."""

    id: str
    provider_id: str
    name: str
    kind: ModelKind
    context_window: int | None
    max_output_tokens: int | None
    created_at: datetime
    capabilities: tuple[str, ...] = ()
    price_lists: tuple[PriceList, ...] = ()
    current: PriceList | None = None

    @property
    def prices(self) -> Prices:
        return self.current.prices if self.current else UNKNOWN_PRICES

    @property
    def free(self) -> bool:
        return self.current is not None and self.current.free

    @property
    def own(self) -> bool:
        return self.current is not None and self.current.own

    @property
    def priced(self) -> bool:
        return is_priced(self.kind, self.prices, free=self.free)

    def at(self, now: datetime) -> ProviderModel:
        """With what is in force at that time."""
        current = in_force(self.price_lists, now)
        return self if current is self.current else replace(self, current=current)

    def costing(
        self, prices: Prices, *, free: bool = False, own: bool = False, multiplier: int = ONE, list_id: str
    ) -> ProviderModel:
        """With these prices since it exists, and no others."""
        made = PriceList(list_id, self.id, self.created_at, prices, free, self.created_at, own, multiplier)
        return replace(self, price_lists=(made,), current=made)


def is_priced(kind: ModelKind, prices: Prices, *, free: bool) -> bool:
    """Whether calls may be served; embeddings have no output to pay for."""
    return free or prices.known(output_needed=kind is ModelKind.CHAT)


def obstacle_to(provider: Provider, model: ProviderModel) -> str | None:
    """Why no call goes to a provider's model whatever stands in front of it; None when calls may go there."""
    facts = KINDS[provider.kind]
    if not provider.enabled:
        return "The provider is disabled"
    if facts.takes_region and provider.region is None:
        return "The provider has no region"
    if facts.credential_required and provider.credential_prefix is None:
        return "The provider has no credential"
    return None if model.priced else "No price is set"


@dataclass(frozen=True, slots=True)
class Backend:
    """One provider model behind a model. Lowest `priority` goes first, `weight` shares among equals."""

    id: str
    provider_model_id: str
    priority: int
    weight: int


@dataclass(frozen=True, slots=True)
class Model:
    id: str
    slug: str
    display_name: str
    kind: ModelKind
    status: ModelStatus
    backends: tuple[Backend, ...]
    created_at: datetime


def parse_slug(text: str, field: str = "slug") -> str:
    """A model's name as callers send it; raises InvalidInput unless it is lower-case letters, digits, hyphens, dots."""
    if not _SLUG.fullmatch(text):
        raise InvalidInput(
            field,
            "may hold lower-case letters, digits, hyphens and dots, at most 100, and must begin and end with a letter "
            "or digit, like claude-sonnet-4.5",
        )
    return text
