"""What models cost by the price pages of their providers, as one file knows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sluicegate.domain.catalog import ModelKind, ProviderKind, undated
from sluicegate.domain.usage import Prices

# Whose models a kind offers under the same names, where it has no entries of its own.
_SAME_MODELS = {
    ProviderKind.AZURE_OPENAI: ProviderKind.OPENAI,
    ProviderKind.CUSTOM_OPENAI: ProviderKind.OPENAI,
    ProviderKind.CUSTOM_ANTHROPIC: ProviderKind.ANTHROPIC,
}


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model as its provider sells it. `source` is the address of the provider's public price page; `as_of` is the day
    on which the prices were taken down. `details_source` and `details_as_of` are those of the longest answer and the
    capabilities, where they are known."""

    kind: ProviderKind
    model: str
    serves: ModelKind
    prices: Prices
    source: str
    as_of: date
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: tuple[str, ...] = ()
    details_source: str | None = None
    details_as_of: date | None = None


# Profiles that route all over the world have prices of their own; all others, and none, have those of a region.
_REGIONAL = re.compile(r"^(?!global\.)[a-z-]{2,10}\.(?=anthropic\.)")
_EDITION = re.compile(r"(?:-20\d{6})?(?:-v\d+(?::\d+)?)?$")


def _at_bedrock(model: str) -> str:
    """What is left of a name or ARN without region, date and version: `anthropic.claude-x` of
    `eu.anthropic.claude-x-20260131-v1:0`."""
    return _EDITION.sub("", _REGIONAL.sub("", model.rpartition("/")[2]))


@dataclass(frozen=True, slots=True)
class PriceCatalog:
    """`refreshed` tells whether it was put in the place of the one that came with the release."""

    published: date
    refreshed: bool
    entries: Sequence[CatalogEntry]

    def of(self, kind: ProviderKind) -> list[CatalogEntry]:
        """What a provider of this kind may offer, by name."""
        wanted = _SAME_MODELS.get(kind, kind)
        return sorted((entry for entry in self.entries if entry.kind is wanted), key=lambda entry: entry.model)

    def find(self, kind: ProviderKind, model: str) -> CatalogEntry | None:
        """By name, or by what remains of it without a date at its end; Bedrock's also by whom it stands for."""
        if kind is ProviderKind.BEDROCK:
            wanted = _at_bedrock(model)
            near = [entry for entry in self.of(kind) if _at_bedrock(entry.model) == wanted]
            return next((entry for entry in near if entry.model == model), near[0] if near else None)
        plain = undated(model)
        found = {entry.model: entry for entry in self.of(kind) if entry.model in (model, plain)}
        return found.get(model) or found.get(plain)
