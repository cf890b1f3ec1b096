"""Domain enums of the catalogue under their names in the schema: imported once, they may be used in any annotation."""

from __future__ import annotations

import strawberry

from sluicegate.domain.catalog import ModelKind, ModelStatus, ProviderKind

strawberry.enum(ModelKind, name="ModelKind", description="What a model is called for.")
strawberry.enum(ModelStatus, name="ModelStatus", description="Only ACTIVE models are served.")
strawberry.enum(
    ProviderKind, name="ProviderKind", description="Whose interface a provider has, and what it needs to be called."
)
