"""Providers with sealed credentials, provider models with prices, models with backends."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from sluicegate.domain.catalog import ModelKind, ModelStatus, ProviderKind
from sluicegate.storage.tables.types import ID, METADATA, EnumText, UtcDateTime, belonging

PROVIDERS = Table(
    "providers",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("kind", EnumText(ProviderKind), nullable=False),
    Column("base_url", String(500)),
    Column("organization", String(200)),
    Column("region", String(100)),
    Column("api_version", String(40)),
    Column("price_multiplier", BigInteger, nullable=False, server_default="1000000"),
    Column("planned_multipliers", JSON, nullable=False, server_default="[]"),
    Column("serves_responses", Boolean, nullable=False, server_default=true()),
    Column("enabled", Boolean, nullable=False),
    Column("sealed_credential", String(8000)),
    Column("header_names", JSON, nullable=False, server_default="[]"),
    Column("sealed_headers", Text),
    Column("credential_prefix", String(24)),
    Column("credential_updated_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Index("uq_providers_name", text("lower(name)"), unique=True),
)

PROVIDER_MODELS = Table(
    "provider_models",
    METADATA,
    Column("id", ID, primary_key=True),
    belonging("provider_id", "providers.id", nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", EnumText(ModelKind), nullable=False),
    Column("context_window", Integer),
    Column("max_output_tokens", Integer),
    Column("capabilities", JSON, nullable=False, server_default="[]"),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("provider_id", "name"),
)

# Prices in nano-dollars per million tokens; `long_context` has those of each tier by class, with what it begins
# `above`. No foreign key: calls in the ledger are explained by their list when its model is long gone.
PRICE_LISTS = Table(
    "price_lists",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("provider_model_id", ID, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("price_input", BigInteger),
    Column("price_cache_read", BigInteger),
    Column("price_cache_write_5m", BigInteger),
    Column("price_cache_write_1h", BigInteger),
    Column("price_output", BigInteger),
    Column("long_context", JSON(none_as_null=True)),
    Column("free", Boolean, nullable=False),
    Column("own", Boolean, nullable=False, server_default=false()),
    Column("derived", Boolean, nullable=False, server_default=false()),
    Column("multiplier", BigInteger, nullable=False, server_default="1000000"),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_price_lists_model", "provider_model_id", "starts_at"),
)

MODELS = Table(
    "models",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("slug", String(100), nullable=False, unique=True),
    Column("display_name", String(120), nullable=False),
    Column("kind", EnumText(ModelKind), nullable=False),
    Column("status", EnumText(ModelStatus), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

BACKENDS = Table(
    "backends",
    METADATA,
    Column("id", ID, primary_key=True),
    belonging("model_id", "models.id", nullable=False, index=True),
    belonging("provider_model_id", "provider_models.id", nullable=False, index=True),
    Column("priority", Integer, nullable=False),
    Column("weight", Integer, nullable=False),
)
