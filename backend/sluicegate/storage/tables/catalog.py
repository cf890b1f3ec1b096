"""Providers with sealed credentials, provider models with prices, models with backends."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlmodel import Field

from sluicegate.domain.catalog import ModelKind, ModelStatus, ProviderKind
from sluicegate.storage.tables.types import EnumText, Row, UtcDateTime


class ProviderRow(Row, table=True):
    __tablename__ = "providers"
    __table_args__ = (Index("uq_providers_name", text("lower(name)"), unique=True),)

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=120)
    kind: ProviderKind = Field(sa_column=Column(EnumText(ProviderKind), nullable=False))
    base_url: str | None = Field(default=None, max_length=500)
    organization: str | None = Field(default=None, max_length=200)
    region: str | None = Field(default=None, max_length=100)
    api_version: str | None = Field(default=None, max_length=40)
    price_multiplier: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="1000000"))
    planned_multipliers: list[dict[str, str | int]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False, server_default="[]")
    )
    serves_responses: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=true()))
    enabled: bool = True
    sealed_credential: str | None = Field(default=None, max_length=8000)
    header_names: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False, server_default="[]"))
    sealed_headers: str | None = Field(default=None, sa_column=Column(Text))
    credential_prefix: str | None = Field(default=None, max_length=24)
    credential_updated_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class ProviderModelRow(Row, table=True):
    __tablename__ = "provider_models"
    __table_args__ = (UniqueConstraint("provider_id", "name"),)

    id: str = Field(primary_key=True, max_length=36)
    provider_id: str = Field(
        sa_column=Column(String(36), ForeignKey("providers.id", ondelete="CASCADE"), nullable=False)
    )
    name: str = Field(max_length=200)
    kind: ModelKind = Field(sa_column=Column(EnumText(ModelKind), nullable=False))
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False, server_default="[]"))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class PriceListRow(Row, table=True):
    """Prices in nano-dollars per million tokens; `long_context` has those of each tier by class, with what it begins
    `above`. No foreign key: calls in the ledger are explained by their list when
    its model is long gone."""

    __tablename__ = "price_lists"
    __table_args__ = (Index("ix_price_lists_model", "provider_model_id", "starts_at"),)

    id: str = Field(primary_key=True, max_length=36)
    provider_model_id: str = Field(max_length=36)
    starts_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    price_input: int | None = Field(default=None, sa_column=Column(BigInteger))
    price_cache_read: int | None = Field(default=None, sa_column=Column(BigInteger))
    price_cache_write_5m: int | None = Field(default=None, sa_column=Column(BigInteger))
    price_cache_write_1h: int | None = Field(default=None, sa_column=Column(BigInteger))
    price_output: int | None = Field(default=None, sa_column=Column(BigInteger))
    long_context: list[dict[str, int | None]] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    free: bool
    own: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    derived: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    multiplier: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="1000000"))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class ModelRow(Row, table=True):
    __tablename__ = "models"

    id: str = Field(primary_key=True, max_length=36)
    slug: str = Field(unique=True, max_length=100)
    display_name: str = Field(max_length=120)
    kind: ModelKind = Field(sa_column=Column(EnumText(ModelKind), nullable=False))
    status: ModelStatus = Field(sa_column=Column(EnumText(ModelStatus), nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class BackendRow(Row, table=True):
    __tablename__ = "backends"

    id: str = Field(primary_key=True, max_length=36)
    model_id: str = Field(
        sa_column=Column(String(36), ForeignKey("models.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    provider_model_id: str = Field(
        sa_column=Column(String(36), ForeignKey("provider_models.id", ondelete="CASCADE"), nullable=False, index=True)
    )
    priority: int
    weight: int
