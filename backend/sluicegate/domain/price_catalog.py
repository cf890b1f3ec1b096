"""What models cost by the price pages of their providers, as one file knows it."""

from __future__ import annotations

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
    on which the prices were taken down."""

    kind: ProviderKind
    model: str
    serves: ModelKind
    prices: Prices
    source: str
    as_of: date
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: tuple[str, ...] = ()


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
        """By name, or by what remains of it without a date at its end."""
        plain = undated(model)
        found = {entry.model: entry for entry in self.of(kind) if entry.model in (model, plain)}
        return found.get(model) or found.get(plain)
