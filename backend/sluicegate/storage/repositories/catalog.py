"""Providers, provider models, models and their backends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sluicegate.domain.catalog import Backend, Model, ModelKind, ModelStatus, Provider, ProviderModel
from sluicegate.domain.usage import Prices
from sluicegate.ports.store import Page, PageRequest
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.rows import like_pattern, table_of, to_value
from sluicegate.storage.tables.catalog import BackendRow, ModelRow, ProviderModelRow, ProviderRow
from sluicegate.storage.tables.policy import GrantRow

PROVIDERS = table_of(ProviderRow)
PROVIDER_MODELS = table_of(ProviderModelRow)
MODELS = table_of(ModelRow)
BACKENDS = table_of(BackendRow)
_GRANTS = table_of(GrantRow)
_PRICES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")


def provider_value(row: Row[Any]) -> Provider:
    return to_value(Provider, row)


def provider_model_value(row: Row[Any]) -> ProviderModel:
    prices = Prices(*(getattr(row, f"price_{name}") for name in _PRICES))
    return to_value(ProviderModel, row, prices=prices)


def model_value(row: Row[Any], backends: Sequence[Backend]) -> Model:
    return to_value(Model, row, backends=tuple(backends))


def _price_columns(prices: Prices) -> dict[str, int | None]:
    return {f"price_{name}": getattr(prices, name) for name in _PRICES}


class SqlCatalogRepository:
    """Implements ports.store.CatalogRepository."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def provider(self, provider_id: str) -> Provider | None:
        return (await self.providers([provider_id])).get(provider_id)

    async def providers(self, ids: Sequence[str]) -> dict[str, Provider]:
        rows = await self._session.execute(select(PROVIDERS).where(PROVIDERS.c.id.in_(ids)))
        return {row.id: provider_value(row) for row in rows}

    async def provider_by_name(self, name: str) -> Provider | None:
        # Both sides are lowered by the database, as in the unique index.
        rows = await self._session.execute(select(PROVIDERS).where(func.lower(PROVIDERS.c.name) == func.lower(name)))
        row = rows.first()
        return provider_value(row) if row else None

    async def page_providers(self, search: str | None, page: PageRequest) -> Page[Provider]:
        key = func.lower(PROVIDERS.c.name)
        statement = select(PROVIDERS, key.label("sort_key")).where(*_named_like(search, PROVIDERS.c.name))
        rows = (await self._session.execute(paged(statement, page, key, PROVIDERS.c.id))).all()
        return to_page(rows, page, provider_value, lambda row: [row.sort_key, row.id])

    async def count_providers(self, search: str | None) -> int:
        return await self._count(PROVIDERS.c.id, _named_like(search, PROVIDERS.c.name))

    async def add_provider(self, provider: Provider) -> None:
        await self._session.execute(insert(PROVIDERS).values(_columns_of(provider)))

    async def update_provider(self, provider_id: str, **values: Any) -> None:
        if values:
            await self._session.execute(update(PROVIDERS).where(PROVIDERS.c.id == provider_id).values(**values))

    async def delete_provider(self, provider_id: str) -> None:
        await self._session.execute(delete(PROVIDERS).where(PROVIDERS.c.id == provider_id))

    async def sealed_credential(self, provider_id: str) -> str | None:
        statement = select(PROVIDERS.c.sealed_credential).where(PROVIDERS.c.id == provider_id)
        sealed: str | None = await self._session.scalar(statement)
        return sealed

    async def sealed_credentials(self) -> dict[str, str]:
        sealed = PROVIDERS.c.sealed_credential
        rows = await self._session.execute(select(PROVIDERS.c.id, sealed).where(sealed.is_not(None)))
        return {row.id: row.sealed_credential for row in rows}

    async def set_sealed_credential(
        self, provider_id: str, sealed: str | None, prefix: str | None, at: datetime
    ) -> None:
        await self.update_provider(
            provider_id, sealed_credential=sealed, credential_prefix=prefix, credential_updated_at=at
        )

    async def provider_model(self, model_id: str) -> ProviderModel | None:
        return (await self.provider_models([model_id])).get(model_id)

    async def provider_models(self, ids: Sequence[str]) -> dict[str, ProviderModel]:
        rows = await self._session.execute(select(PROVIDER_MODELS).where(PROVIDER_MODELS.c.id.in_(ids)))
        return {row.id: provider_model_value(row) for row in rows}

    async def models_of_providers(self, provider_ids: Sequence[str]) -> dict[str, list[ProviderModel]]:
        statement = (
            select(PROVIDER_MODELS)
            .where(PROVIDER_MODELS.c.provider_id.in_(provider_ids))
            .order_by(PROVIDER_MODELS.c.name)
        )
        found: dict[str, list[ProviderModel]] = {}
        for row in await self._session.execute(statement):
            found.setdefault(row.provider_id, []).append(provider_model_value(row))
        return found

    async def add_provider_model(self, model: ProviderModel) -> None:
        columns = {k: v for k, v in _columns_of(model).items() if k != "prices"}
        await self._session.execute(insert(PROVIDER_MODELS).values(columns | _price_columns(model.prices)))

    async def update_provider_model(self, model_id: str, **values: Any) -> None:
        if prices := values.pop("prices", None):
            values |= _price_columns(prices)
        if values:
            statement = update(PROVIDER_MODELS).where(PROVIDER_MODELS.c.id == model_id).values(**values)
            await self._session.execute(statement)

    async def delete_provider_model(self, model_id: str) -> None:
        await self._session.execute(delete(PROVIDER_MODELS).where(PROVIDER_MODELS.c.id == model_id))

    async def model(self, model_id: str) -> Model | None:
        return (await self.models([model_id])).get(model_id)

    async def models(self, ids: Sequence[str]) -> dict[str, Model]:
        rows = (await self._session.execute(select(MODELS).where(MODELS.c.id.in_(ids)))).all()
        return {model.id: model for model in await self._with_backends(rows)}

    async def model_by_slug(self, slug: str) -> Model | None:
        rows = (await self._session.execute(select(MODELS).where(MODELS.c.slug == slug))).all()
        return next(iter(await self._with_backends(rows)), None)

    async def models_behind(self, provider_model_ids: Sequence[str]) -> dict[str, list[Model]]:
        statement = select(BACKENDS.c.model_id).where(BACKENDS.c.provider_model_id.in_(provider_model_ids))
        models = await self.models(list((await self._session.scalars(statement.distinct())).all()))
        found: dict[str, list[Model]] = {model_id: [] for model_id in provider_model_ids}
        for model in sorted(models.values(), key=lambda model: model.slug):
            for backend in model.backends:
                if backend.provider_model_id in found:
                    found[backend.provider_model_id].append(model)
        return found

    async def page_models(
        self, search: str | None, kind: ModelKind | None, status: ModelStatus | None, page: PageRequest
    ) -> Page[Model]:
        statement = paged(select(MODELS).where(*_models_where(search, kind, status)), page, MODELS.c.slug)
        rows = (await self._session.execute(statement)).all()
        models = {model.id: model for model in await self._with_backends(rows[: page.first])}
        return to_page(rows, page, lambda row: models[row.id], lambda row: [row.slug])

    async def count_models(self, search: str | None, kind: ModelKind | None, status: ModelStatus | None) -> int:
        return await self._count(MODELS.c.id, _models_where(search, kind, status))

    async def add_model(self, model: Model) -> None:
        columns = {k: v for k, v in _columns_of(model).items() if k != "backends"}
        await self._session.execute(insert(MODELS).values(columns))
        await self.replace_backends(model)

    async def update_model(self, model_id: str, **values: Any) -> None:
        if values:
            await self._session.execute(update(MODELS).where(MODELS.c.id == model_id).values(**values))

    async def replace_backends(self, model: Model) -> None:
        await self._session.execute(delete(BACKENDS).where(BACKENDS.c.model_id == model.id))
        if model.backends:
            rows = [_columns_of(backend) | {"model_id": model.id} for backend in model.backends]
            await self._session.execute(insert(BACKENDS), rows)

    async def delete_model(self, model_id: str) -> None:
        await self._session.execute(delete(_GRANTS).where(_GRANTS.c.model_id == model_id))
        await self._session.execute(delete(MODELS).where(MODELS.c.id == model_id))

    async def _with_backends(self, rows: Sequence[Row[Any]]) -> list[Model]:
        statement = select(BACKENDS).where(BACKENDS.c.model_id.in_([row.id for row in rows]))
        backends = backends_by_model((await self._session.execute(statement)).all()) if rows else {}
        return [model_value(row, backends.get(row.id, [])) for row in rows]

    async def _count(self, column: ColumnElement[str], where: Sequence[ColumnElement[bool]]) -> int:
        return await self._session.scalar(select(func.count(column)).where(*where)) or 0


def backends_by_model(rows: Sequence[Row[Any]]) -> dict[str, list[Backend]]:
    """In the order in which they are tried."""
    found: dict[str, list[Backend]] = {}
    for row in sorted(rows, key=lambda row: (row.priority, -row.weight, row.id)):
        found.setdefault(row.model_id, []).append(to_value(Backend, row))
    return found


def _columns_of(value: Provider | ProviderModel | Model | Backend) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _named_like(search: str | None, *columns: ColumnElement[str]) -> list[ColumnElement[bool]]:
    if not search or not search.strip():
        return []
    pattern = like_pattern(search)
    return [or_(*(func.lower(column).like(pattern, escape="\\") for column in columns))]


def _models_where(search: str | None, kind: ModelKind | None, status: ModelStatus | None) -> list[ColumnElement[bool]]:
    where = _named_like(search, MODELS.c.slug, MODELS.c.display_name)
    if kind is not None:
        where.append(MODELS.c.kind == kind)
    if status is not None:
        where.append(MODELS.c.status == status)
    return where
