"""The models that callers name, and what stands behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import Backend, Model, ModelKind, ModelStatus, parse_slug
from sluicegate.domain.user import parse_name
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import Conflict, InvalidInput, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.caller import Caller
from sluicegate.services.changes import CATALOG_CHANGED
from sluicegate.services.versions import hold

MAX_BACKENDS = 20
MAX_PRIORITY = 1000
MAX_WEIGHT = 1000


@dataclass(frozen=True, slots=True)
class NewBackend:
    provider_model_id: str
    priority: int = 0
    weight: int = 1


@dataclass(frozen=True, slots=True)
class NewModel:
    slug: str
    display_name: str = ""
    kind: ModelKind = ModelKind.CHAT
    status: ModelStatus = ModelStatus.DRAFT
    backends: tuple[NewBackend, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelChange:
    """Backends replace all."""

    slug: str | Absent = ABSENT
    display_name: str | Absent = ABSENT
    status: ModelStatus | Absent = ABSENT
    backends: tuple[NewBackend, ...] | Absent = ABSENT


@dataclass(frozen=True, slots=True)
class ModelFilter:
    """`search` matches anywhere in slug or display name."""

    search: str | None = None
    kind: ModelKind | None = None
    status: ModelStatus | None = None


class ModelService:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def get(self, caller: Caller, model_id: str) -> Model | None:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.catalog.model(model_id)

    async def named(self, caller: Caller, ids: Sequence[str]) -> dict[str, Model]:
        """For those who know the ids from a grant or policy of theirs; what stands behind is for administrators."""
        caller.require_scope(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.catalog.models(ids)

    async def behind(self, caller: Caller, provider_model_ids: Sequence[str]) -> dict[str, list[Model]]:
        """The models that each provider model stands behind."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.catalog.models_behind(provider_model_ids)

    async def page(self, caller: Caller, where: ModelFilter, page: PageRequest) -> Page[Model]:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.catalog.page_models(where.search, where.kind, where.status, page)

    async def count(self, caller: Caller, where: ModelFilter) -> int:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.catalog.count_models(where.search, where.kind, where.status)

    async def create(self, caller: Caller, new: NewModel) -> Model:
        caller.require_admin(TokenScope.CATALOG)
        async with self._store.write() as tx:
            return await add_model(tx, caller, new, self._clock.now())

    async def update(
        self, caller: Caller, model_id: str, change: ModelChange, expected_version: int | None = None
    ) -> Model:
        caller.require_admin(TokenScope.CATALOG)
        async with self._store.write() as tx:
            return await edit_model(tx, caller, model_id, change, expected_version)

    async def delete(self, caller: Caller, model_id: str) -> None:
        """All grants for it go too."""
        caller.require_admin(TokenScope.CATALOG)
        async with self._store.write() as tx:
            await remove_model(tx, caller, model_id)


async def add_model(tx: Transaction, caller: Caller, new: NewModel, at: datetime) -> Model:
    """Raises Conflict for a slug in use."""
    slug, name = parse_slug(new.slug), parse_name(new.display_name, "displayName", required=False)
    backends = await _backends(tx, new.kind, new.backends)
    model = Model(new_id(), slug, name, new.kind, new.status, backends, at)
    _require_servable(model)
    await _require_free_slug(tx, slug)
    await tx.catalog.add_model(model)
    await _record(tx, caller, "model.create", model, {}, _shown(model, await _names(tx, model)))
    return model


async def edit_model(
    tx: Transaction, caller: Caller, model_id: str, change: ModelChange, expected_version: int | None = None
) -> Model:
    """The model as it is then."""
    await _require(tx, model_id)
    await hold(tx, thing := Edited(Editable.MODEL, model_id), expected_version)
    before = await _require(tx, model_id)
    names = await _names(tx, before)
    # Others may be deleting provider models at this moment, and backends go with them.
    before = replace(before, backends=tuple(b for b in before.backends if b.provider_model_id in names))
    after = await _changed(tx, before, change)
    _require_servable(after)
    if after == before:
        return before
    if after.slug != before.slug:
        await _require_free_slug(tx, after.slug)
    shown = _shown(before, names), _shown(after, names | await _names(tx, after))
    await tx.versions.step(thing)
    await tx.catalog.update_model(model_id, slug=after.slug, display_name=after.display_name, status=after.status)
    if after.backends != before.backends:
        await tx.catalog.replace_backends(after)
    await _record(tx, caller, "model.update", after, *shown)
    return after


async def remove_model(tx: Transaction, caller: Caller, model_id: str) -> None:
    await _require(tx, model_id)
    await hold(tx, Edited(Editable.MODEL, model_id), None)
    model = await _require(tx, model_id)
    shown = _shown(model, await _names(tx, model))
    await tx.catalog.delete_model(model_id)
    await _record(tx, caller, "model.delete", model, shown, {})


async def _require(tx: Transaction, model_id: str) -> Model:
    model = await tx.catalog.model(model_id)
    if model is None:
        raise NotFound("model")
    return model


async def _require_free_slug(tx: Transaction, slug: str) -> None:
    if await tx.catalog.model_by_slug(slug) is not None:
        raise Conflict(f"There is a model called {slug} already.", field="slug")


def _require_servable(model: Model) -> None:
    if model.status is ModelStatus.ACTIVE and not model.backends:
        raise InvalidInput("backends", "must name at least one before the model can be active")


async def _changed(tx: Transaction, before: Model, change: ModelChange) -> Model:
    values: dict[str, Any] = {}
    if change.slug is not ABSENT:
        values["slug"] = parse_slug(change.slug)
    if change.display_name is not ABSENT:
        values["display_name"] = parse_name(change.display_name, "displayName", required=False)
    if change.status is not ABSENT:
        values["status"] = change.status
    if change.backends is not ABSENT:
        values["backends"] = await _backends(tx, before.kind, change.backends)
    return replace(before, **values)


async def _backends(tx: Transaction, kind: ModelKind, wanted: Sequence[NewBackend]) -> tuple[Backend, ...]:
    if len(wanted) > MAX_BACKENDS:
        raise InvalidInput("backends", f"takes at most {MAX_BACKENDS}")
    ids = [backend.provider_model_id for backend in wanted]
    if len(set(ids)) < len(ids):
        raise InvalidInput("backends", "must not name a provider model twice")
    found = await tx.catalog.provider_models(ids) if ids else {}
    for index, backend in enumerate(wanted):
        target = found.get(backend.provider_model_id)
        if target is None:
            raise NotFound("provider model", field=f"backends.{index}.providerModelId")
        if target.kind is not kind:
            raise InvalidInput("backends", f"{target.name} is for {target.kind.value}, this model for {kind.value}")
        if not 0 <= backend.priority <= MAX_PRIORITY:
            raise InvalidInput(f"backends.{index}.priority", f"must lie between 0 and {MAX_PRIORITY}")
        if not 1 <= backend.weight <= MAX_WEIGHT:
            raise InvalidInput(f"backends.{index}.weight", f"must lie between 1 and {MAX_WEIGHT}")
    return tuple(Backend(new_id(), b.provider_model_id, b.priority, b.weight) for b in wanted)


async def _record(
    tx: Transaction, caller: Caller, action: str, model: Model, before: dict[str, Any], after: dict[str, Any]
) -> None:
    await tx.audit.record(caller.actor, action, "model", model.id, model.slug, before, after)
    tx.changed(CATALOG_CHANGED)


async def _names(tx: Transaction, model: Model) -> dict[str, str]:
    """By id those of the provider models behind it, as far as they are there still."""
    found = await tx.catalog.provider_models([b.provider_model_id for b in model.backends])
    return {target.id: target.name for target in found.values()}


def _shown(model: Model, names: Mapping[str, str]) -> dict[str, Any]:
    """What the audit log keeps; names instead of ids, for these may be gone when somebody reads it."""
    backends = [
        {"model": names[b.provider_model_id], "priority": b.priority, "weight": b.weight}
        for b in model.backends
        if b.provider_model_id in names
    ]
    return {
        "slug": model.slug,
        "display_name": model.display_name,
        "kind": model.kind.value,
        "status": model.status.value,
        "backends": backends,
    }
