"""Providers, provider models, models and their backends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, String, delete, func, insert, select, update

from sluicegate.domain.catalog import Backend, Model, ModelKind, ModelStatus, Provider, ProviderModel
from sluicegate.domain.price_list import PlannedMultiplier, PriceList, multiplier_at
from sluicegate.kit.clock import Clock
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.price_lists import columns_of, lists_by_model
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.repositories.search import named_like, same_name
from sluicegate.storage.tables.catalog import BACKENDS, MODELS, PRICE_LISTS, PROVIDER_MODELS, PROVIDERS
from sluicegate.storage.tables.policy import GRANTS


def provider_value(row: Row[Any], now: datetime) -> Provider:
    """With the multiplier that is in force `now`."""
    planned = [
        PlannedMultiplier(datetime.fromisoformat(plan["starts_at"]), plan["multiplier"])
        for plan in row.planned_multipliers
    ]
    return to_value(
        Provider,
        row,
        header_names=tuple(row.header_names),
        price_multiplier=multiplier_at(row.price_multiplier, planned, now),
        planned_multipliers=tuple(plan for plan in planned if plan.starts_at > now),
    )


def _stored_plan(planned: Sequence[PlannedMultiplier]) -> list[dict[str, Any]]:
    return [{"starts_at": plan.starts_at.isoformat(), "multiplier": plan.multiplier} for plan in planned]


def provider_model_value(row: Row[Any], lists: Sequence[PriceList], now: datetime) -> ProviderModel:
    return to_value(
        ProviderModel, row, capabilities=tuple(row.capabilities), price_lists=tuple(lists), current=None
    ).at(now)


def model_value(row: Row[Any], backends: Sequence[Backend]) -> Model:
    return to_value(Model, row, backends=tuple(backends))


class SqlCatalogRepository:
    """Implements ports.store.CatalogRepository."""

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def provider(self, provider_id: str) -> Provider | None:
        return (await self.providers([provider_id])).get(provider_id)

    async def providers(self, ids: Sequence[str]) -> dict[str, Provider]:
        rows = await self._connection.execute(select(PROVIDERS).where(PROVIDERS.c.id.in_(ids)))
        now = self._clock.now()
        return {row.id: provider_value(row, now) for row in rows}

    async def provider_by_name(self, name: str) -> Provider | None:
        same = same_name(self._connection, PROVIDERS.c.name, name)
        row = (await self._connection.execute(select(PROVIDERS).where(same))).first()
        return provider_value(row, self._clock.now()) if row else None

    async def page_providers(self, search: str | None, page: PageRequest) -> Page[Provider]:
        # Of a known type, so that cursors are looked at.
        key = func.lower(PROVIDERS.c.name, type_=String)
        statement = select(PROVIDERS, key.label("sort_key")).where(
            *named_like(self._connection, search, func.lower(PROVIDERS.c.name))
        )
        rows = (await self._connection.execute(paged(statement, page, key, PROVIDERS.c.id))).all()
        now = self._clock.now()
        return to_page(rows, page, lambda row: provider_value(row, now), lambda row: [row.sort_key, row.id])

    async def count_providers(self, search: str | None) -> int:
        return await self._count(PROVIDERS.c.id, named_like(self._connection, search, func.lower(PROVIDERS.c.name)))

    async def add_provider(self, provider: Provider) -> None:
        await self._connection.execute(insert(PROVIDERS).values(**_stored(_columns_of(provider))))

    async def update_provider(self, provider_id: str, **values: Any) -> None:
        if values:
            await self._connection.execute(
                update(PROVIDERS).where(PROVIDERS.c.id == provider_id).values(**_stored(values))
            )

    async def delete_provider(self, provider_id: str) -> None:
        offers = select(PROVIDER_MODELS.c.id).where(PROVIDER_MODELS.c.provider_id == provider_id)
        await self._forget_coming_prices(PRICE_LISTS.c.provider_model_id.in_(offers))
        await self._connection.execute(delete(PROVIDERS).where(PROVIDERS.c.id == provider_id))

    async def sealed_credential(self, provider_id: str) -> str | None:
        statement = select(PROVIDERS.c.sealed_credential).where(PROVIDERS.c.id == provider_id)
        sealed: str | None = await self._connection.scalar(statement)
        return sealed

    async def sealed_credentials(self) -> dict[str, str]:
        sealed = PROVIDERS.c.sealed_credential
        rows = await self._connection.execute(select(PROVIDERS.c.id, sealed).where(sealed.is_not(None)))
        return {row.id: row.sealed_credential for row in rows}

    async def set_sealed_credential(
        self, provider_id: str, sealed: str | None, prefix: str | None, at: datetime
    ) -> None:
        await self.update_provider(
            provider_id, sealed_credential=sealed, credential_prefix=prefix, credential_updated_at=at
        )

    async def sealed_headers(self, provider_id: str) -> str | None:
        statement = select(PROVIDERS.c.sealed_headers).where(PROVIDERS.c.id == provider_id)
        sealed: str | None = await self._connection.scalar(statement)
        return sealed

    async def set_sealed_headers(self, provider_id: str, sealed: str | None, names: Sequence[str]) -> None:
        await self.update_provider(provider_id, sealed_headers=sealed, header_names=list(names))

    async def provider_model(self, model_id: str) -> ProviderModel | None:
        return (await self.provider_models([model_id])).get(model_id)

    async def provider_models(self, ids: Sequence[str]) -> dict[str, ProviderModel]:
        found = await self._provider_models(PROVIDER_MODELS.c.id.in_(ids))
        return {model.id: model for model in found}

    async def models_of_providers(self, provider_ids: Sequence[str]) -> dict[str, list[ProviderModel]]:
        found: dict[str, list[ProviderModel]] = {}
        for model in await self._provider_models(PROVIDER_MODELS.c.provider_id.in_(provider_ids)):
            found.setdefault(model.provider_id, []).append(model)
        return found

    async def _provider_models(self, which: ColumnElement[bool]) -> list[ProviderModel]:
        """By name, with all their price lists."""
        rows = (
            await self._connection.execute(select(PROVIDER_MODELS).where(which).order_by(PROVIDER_MODELS.c.name))
        ).all()
        if not rows:
            return []
        ids = select(PROVIDER_MODELS.c.id).where(which)
        lists = await self._connection.execute(select(PRICE_LISTS).where(PRICE_LISTS.c.provider_model_id.in_(ids)))
        by_model, now = lists_by_model(lists), self._clock.now()
        return [provider_model_value(row, by_model.get(row.id, ()), now) for row in rows]

    async def add_provider_model(self, model: ProviderModel) -> None:
        columns = {k: v for k, v in _columns_of(model).items() if k not in ("price_lists", "current")}
        await self._connection.execute(insert(PROVIDER_MODELS).values(columns))
        if model.price_lists:
            await self._connection.execute(insert(PRICE_LISTS), [columns_of(made) for made in model.price_lists])

    async def update_provider_model(self, model_id: str, **values: Any) -> None:
        if values:
            statement = update(PROVIDER_MODELS).where(PROVIDER_MODELS.c.id == model_id).values(**values)
            await self._connection.execute(statement)

    async def delete_provider_model(self, model_id: str) -> None:
        await self._forget_coming_prices(PRICE_LISTS.c.provider_model_id == model_id)
        await self._connection.execute(delete(PROVIDER_MODELS).where(PROVIDER_MODELS.c.id == model_id))

    async def _forget_coming_prices(self, which: ColumnElement[bool]) -> None:
        # No call was charged by them; the others stay, for the calls that were.
        await self._connection.execute(delete(PRICE_LISTS).where(which, PRICE_LISTS.c.starts_at > self._clock.now()))

    async def model(self, model_id: str) -> Model | None:
        return (await self.models([model_id])).get(model_id)

    async def models(self, ids: Sequence[str]) -> dict[str, Model]:
        rows = (await self._connection.execute(select(MODELS).where(MODELS.c.id.in_(ids)))).all()
        return {model.id: model for model in await self._with_backends(rows)}

    async def model_by_slug(self, slug: str) -> Model | None:
        rows = (await self._connection.execute(select(MODELS).where(MODELS.c.slug == slug))).all()
        return next(iter(await self._with_backends(rows)), None)

    async def models_behind(self, provider_model_ids: Sequence[str]) -> dict[str, list[Model]]:
        statement = select(BACKENDS.c.model_id).where(BACKENDS.c.provider_model_id.in_(provider_model_ids))
        models = await self.models(list((await self._connection.scalars(statement.distinct())).all()))
        found: dict[str, list[Model]] = {model_id: [] for model_id in provider_model_ids}
        for model in sorted(models.values(), key=lambda model: model.slug):
            for backend in model.backends:
                if backend.provider_model_id in found:
                    found[backend.provider_model_id].append(model)
        return found

    async def page_models(
        self, search: str | None, kind: ModelKind | None, status: ModelStatus | None, page: PageRequest
    ) -> Page[Model]:
        statement = paged(
            select(MODELS).where(*_models_where(self._connection, search, kind, status)), page, MODELS.c.slug
        )
        rows = (await self._connection.execute(statement)).all()
        models = {model.id: model for model in await self._with_backends(rows[: page.first])}
        return to_page(rows, page, lambda row: models[row.id], lambda row: [row.slug])

    async def count_models(self, search: str | None, kind: ModelKind | None, status: ModelStatus | None) -> int:
        return await self._count(MODELS.c.id, _models_where(self._connection, search, kind, status))

    async def add_model(self, model: Model) -> None:
        columns = {k: v for k, v in _columns_of(model).items() if k != "backends"}
        await self._connection.execute(insert(MODELS).values(columns))
        await self.replace_backends(model)

    async def update_model(self, model_id: str, **values: Any) -> None:
        if values:
            await self._connection.execute(update(MODELS).where(MODELS.c.id == model_id).values(**values))

    async def replace_backends(self, model: Model) -> None:
        await self._connection.execute(delete(BACKENDS).where(BACKENDS.c.model_id == model.id))
        if model.backends:
            rows = [_columns_of(backend) | {"model_id": model.id} for backend in model.backends]
            await self._connection.execute(insert(BACKENDS), rows)

    async def delete_model(self, model_id: str) -> None:
        await self._connection.execute(delete(GRANTS).where(GRANTS.c.model_id == model_id))
        await self._connection.execute(delete(MODELS).where(MODELS.c.id == model_id))

    async def _with_backends(self, rows: Sequence[Row[Any]]) -> list[Model]:
        statement = select(BACKENDS).where(BACKENDS.c.model_id.in_([row.id for row in rows]))
        backends = backends_by_model((await self._connection.execute(statement)).all()) if rows else {}
        return [model_value(row, backends.get(row.id, [])) for row in rows]

    async def _count(self, column: ColumnElement[str], where: Sequence[ColumnElement[bool]]) -> int:
        return await self._connection.scalar(select(func.count(column)).where(*where)) or 0


def backends_by_model(rows: Sequence[Row[Any]]) -> dict[str, list[Backend]]:
    """In the order in which they are tried."""
    found: dict[str, list[Backend]] = {}
    for row in sorted(rows, key=lambda row: (row.priority, -row.weight, row.id)):
        found.setdefault(row.model_id, []).append(to_value(Backend, row))
    return found


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    planned = values.get("planned_multipliers")
    return values if planned is None else values | {"planned_multipliers": _stored_plan(planned)}


def _columns_of(value: Provider | ProviderModel | Model | Backend) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _models_where(
    connection: AsyncConnection, search: str | None, kind: ModelKind | None, status: ModelStatus | None
) -> list[ColumnElement[bool]]:
    where = named_like(connection, search, MODELS.c.slug, func.lower(MODELS.c.display_name))
    if kind is not None:
        where.append(MODELS.c.kind == kind)
    if status is not None:
        where.append(MODELS.c.status == status)
    return where
