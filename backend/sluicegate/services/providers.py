"""Where models come from: providers and their credentials."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import KINDS, Provider, ProviderKind, is_before
from sluicegate.domain.price_list import PlannedMultiplier
from sluicegate.domain.user import parse_name
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import SealBroken
from sluicegate.kit.errors import Conflict, InvalidInput, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import ONE, format_factor
from sluicegate.kit.secret import Secret
from sluicegate.policy.bedrock import is_region
from sluicegate.policy.compile import address_of
from sluicegate.policy.provider_headers import open_headers, seal_headers
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.ports.policy import Vault
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.base_urls import parse_base_url
from sluicegate.services.caller import Caller
from sluicegate.services.changes import CATALOG_CHANGED
from sluicegate.services.planned_multipliers import checked_plan
from sluicegate.services.price_lists import apply_multipliers
from sluicegate.services.provider_credentials import NewAccessKeys, credential_for, prefix_of
from sluicegate.services.provider_headers import NewHeader, checked, merged
from sluicegate.services.versions import hold

_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(?:-preview)?|preview", re.ASCII)
# `stream_options` came with 2024-09-01-preview (Azure OpenAI, "API version lifecycle").
_STREAMS_COUNT_SINCE = "2024-09-01"


@dataclass(frozen=True, slots=True)
class NewProvider:
    kind: ProviderKind
    name: str
    base_url: str | None = None
    organization: str | None = None
    region: str | None = None
    credential: Secret | None = None
    access_keys: NewAccessKeys | None = None
    api_version: str | None = None
    price_multiplier: int = ONE
    headers: tuple[NewHeader, ...] = ()
    serves_responses: bool = True


@dataclass(frozen=True, slots=True)
class ProviderChange:
    """An empty credential removes the stored one; headers and planned multipliers replace all. Another multiplier
    counts for calls from now on."""

    name: str | Absent = ABSENT
    base_url: str | Absent | None = ABSENT
    organization: str | Absent | None = ABSENT
    region: str | Absent | None = ABSENT
    enabled: bool | Absent = ABSENT
    credential: Secret | Absent = ABSENT
    access_keys: NewAccessKeys | Absent = ABSENT
    api_version: str | Absent | None = ABSENT
    price_multiplier: int | Absent = ABSENT
    planned_multipliers: tuple[PlannedMultiplier, ...] | Absent = ABSENT
    headers: tuple[NewHeader, ...] | Absent = ABSENT
    serves_responses: bool | Absent = ABSENT


class ProviderService:
    """`allow_private` lets providers live at private addresses."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, *, allow_private: bool) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._allow_private = allow_private

    async def get(self, caller: Caller, provider_id: str) -> Provider | None:
        return (await self.get_many(caller, [provider_id])).get(provider_id)

    async def get_many(self, caller: Caller, ids: Sequence[str]) -> dict[str, Provider]:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.catalog.providers(ids)

    async def page(self, caller: Caller, search: str | None, page: PageRequest) -> Page[Provider]:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.catalog.page_providers(search, page)

    async def count(self, caller: Caller, search: str | None) -> int:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.catalog.count_providers(search)

    async def create(self, caller: Caller, new: NewProvider) -> Provider:
        caller.require_admin(TokenScope.CATALOG)
        provider = Provider(
            id=new_id(),
            name=parse_name(new.name),
            kind=new.kind,
            base_url=self._base_url(new.kind, new.base_url),
            organization=_header_text(new.organization, "organization", 200),
            region=_region(new.kind, new.region),
            enabled=True,
            credential_prefix=None,
            credential_updated_at=None,
            created_at=self._clock.now(),
            api_version=_api_version(new.kind, new.api_version),
            price_multiplier=new.price_multiplier,
            serves_responses=_responses(new.kind, new.serves_responses),
        )
        credential, headers = credential_for(new.kind, new.credential, new.access_keys), checked(new.kind, new.headers)
        if credential is None and KINDS[new.kind].credential_required:
            raise InvalidInput("credential", f"is needed to call {KINDS[new.kind].label}")
        async with self._store.write() as tx:
            await _require_free_name(tx, provider)
            await tx.catalog.add_provider(provider)
            provider = await self._store_credential(tx, provider, credential) if credential else provider
            provider = await self._store_headers(tx, provider, merged(headers, {})) if headers else provider
            await tx.audit.record(
                caller.actor, "provider.create", "provider", provider.id, provider.name, {}, _shown(provider)
            )
            tx.changed(CATALOG_CHANGED)
        return provider

    async def update(
        self, caller: Caller, provider_id: str, change: ProviderChange, expected_version: int | None = None
    ) -> Provider:
        caller.require_admin(TokenScope.CATALOG)
        async with self._store.write() as tx:
            await _require(tx, provider_id)
            await hold(tx, thing := Edited(Editable.PROVIDER, provider_id), expected_version)
            before = await _require(tx, provider_id)
            after = self._changed(before, change)
            credential = _new_credential(before.kind, change)
            if after.name != before.name:
                await _require_free_name(tx, after)
            if credential is ABSENT and before.credential_prefix is not None and _origin(before) != _origin(after):
                # Otherwise whoever may edit providers could have the credential sent to a host of their own.
                raise InvalidInput("credential", "must be given again when the address moves to another host")
            headers = await self._new_headers(tx, before, after, change)
            names = [f.name for f in fields(after) if getattr(before, f.name) != getattr(after, f.name)]
            if again := {"price_multiplier", "planned_multipliers"} & set(names):
                # Both are stored, since one that was planned and has started stands in the place of the other.
                names = [*(name for name in names if name not in again), "price_multiplier", "planned_multipliers"]
            await tx.catalog.update_provider(provider_id, **{name: getattr(after, name) for name in names})
            if again:
                changed = after.price_multiplier != before.price_multiplier
                await apply_multipliers(tx, after, self._clock.now(), changed=changed)
            if credential is not ABSENT:
                after = await self._store_credential(tx, after, credential)
            if headers is not None:
                after = await self._store_headers(tx, after, headers)
            if after != before or credential is not ABSENT or headers is not None:
                await tx.versions.step(thing)
                await tx.audit.record(
                    caller.actor,
                    "provider.update",
                    "provider",
                    provider_id,
                    after.name,
                    _shown(before),
                    _shown(after),
                )
                tx.changed(CATALOG_CHANGED)
        return after

    async def delete(self, caller: Caller, provider_id: str) -> None:
        """Its models go too, and with them the backends that they stand behind."""
        caller.require_admin(TokenScope.CATALOG)
        async with self._store.write() as tx:
            await _require(tx, provider_id)
            await hold(tx, Edited(Editable.PROVIDER, provider_id), None)
            provider = await _require(tx, provider_id)
            await tx.catalog.delete_provider(provider_id)
            await tx.audit.record(
                caller.actor, "provider.delete", "provider", provider_id, provider.name, _shown(provider), {}
            )
            tx.changed(CATALOG_CHANGED)

    def _changed(self, before: Provider, change: ProviderChange) -> Provider:
        values: dict[str, Any] = {}
        if change.name is not ABSENT:
            values["name"] = parse_name(change.name)
        if change.base_url is not ABSENT:
            values["base_url"] = self._base_url(before.kind, change.base_url)
        if change.organization is not ABSENT:
            values["organization"] = _header_text(change.organization, "organization", 200)
        if change.region is not ABSENT:
            values["region"] = _region(before.kind, change.region)
        if change.api_version is not ABSENT and change.api_version != before.api_version:
            values["api_version"] = _api_version(before.kind, change.api_version)
        if change.price_multiplier is not ABSENT:
            values["price_multiplier"] = change.price_multiplier
        if change.planned_multipliers is not ABSENT:
            values["planned_multipliers"] = checked_plan(change.planned_multipliers, self._clock.now())
        if change.serves_responses is not ABSENT:
            values["serves_responses"] = _responses(before.kind, change.serves_responses)
        if change.enabled is not ABSENT:
            values["enabled"] = change.enabled
        return replace(before, **values)

    def _base_url(self, kind: ProviderKind, text: str | None) -> str | None:
        if text is None or not text.strip():
            if KINDS[kind].base_url_required:
                raise InvalidInput("baseUrl", f"is needed for {KINDS[kind].label}")
            return None
        if kind is ProviderKind.DEMO:
            raise InvalidInput("baseUrl", "must be empty: the demo provider answers inside this server")
        if kind is ProviderKind.AZURE_OPENAI and "/deployments/" in text.lower():
            wanted = "must end before /deployments: give the address of the resource, and name models like deployments"
            raise InvalidInput("baseUrl", wanted)
        return parse_base_url(text, allow_private=self._allow_private)

    async def _new_headers(
        self, tx: Transaction, before: Provider, after: Provider, change: ProviderChange
    ) -> dict[str, str] | None:
        """Values by name; None where the stored ones stay."""
        moved = bool(before.header_names) and _origin(before) != _origin(after)
        if change.headers is ABSENT:
            if moved:
                raise InvalidInput("headers", "must be given again when the address moves to another host")
            return None
        wanted = checked(before.kind, change.headers)
        stored: dict[str, str] = {}
        # Whoever gives all values needs none of the stored ones, which may be under a key that is lost.
        if not moved and any(header.value is None for header in wanted):
            try:
                stored = open_headers(self._vault, before.id, await tx.catalog.sealed_headers(before.id))
            except SealBroken:
                message = "cannot be opened with this server's key: give all values again"
                raise InvalidInput("headers", message) from None
        return merged(wanted, stored)

    async def _store_headers(self, tx: Transaction, provider: Provider, values: dict[str, str]) -> Provider:
        sealed = seal_headers(self._vault, provider.id, values)
        await tx.catalog.set_sealed_headers(provider.id, sealed, tuple(values))
        return replace(provider, header_names=tuple(values))

    async def _store_credential(self, tx: Transaction, provider: Provider, credential: Secret | None) -> Provider:
        sealed = self._vault.seal(credential, f"provider:{provider.id}") if credential else None
        prefix = prefix_of(credential) if credential else None
        now = self._clock.now()
        await tx.catalog.set_sealed_credential(provider.id, sealed, prefix, now)
        return replace(provider, credential_prefix=prefix, credential_updated_at=now)


async def _require(tx: Transaction, provider_id: str) -> Provider:
    provider = await tx.catalog.provider(provider_id)
    if provider is None:
        raise NotFound("provider")
    return provider


async def _require_free_name(tx: Transaction, provider: Provider) -> None:
    other = await tx.catalog.provider_by_name(provider.name)
    if other is not None and other.id != provider.id:
        raise Conflict(f"There is a provider called {other.name} already.", field="name")


def _new_credential(kind: ProviderKind, change: ProviderChange) -> Secret | Absent | None:
    if change.credential is ABSENT and change.access_keys is ABSENT:
        return ABSENT
    given = None if change.credential is ABSENT else change.credential
    return credential_for(kind, given, None if change.access_keys is ABSENT else change.access_keys)


def _origin(provider: Provider) -> object:
    if provider.kind is ProviderKind.BEDROCK and provider.base_url is None:
        # All regions are the same company's, and no region leads to another host than one of its own.
        return provider.kind
    address = address_of(provider)
    return address[0] if address else provider.base_url


def _region(kind: ProviderKind, text: str | None) -> str | None:
    text = _header_text(text, "region", 100)
    if not KINDS[kind].takes_region:
        return text
    if text is None:
        raise InvalidInput("region", f"is needed to call {KINDS[kind].label}, such as eu-central-1")
    if not is_region(text):
        raise InvalidInput("region", "must be the name of an AWS region, such as eu-central-1")
    return text


def _responses(kind: ProviderKind, serves: bool) -> bool:
    if not serves and not KINDS[kind].chooses_responses:
        raise InvalidInput("servesResponses", f"must be true: what {KINDS[kind].label} serves is known")
    return serves


def _api_version(kind: ProviderKind, text: str | None) -> str | None:
    text = (text or "").strip()
    if not text:
        return None
    if not KINDS[kind].takes_api_version:
        raise InvalidInput("apiVersion", f"must be empty: {KINDS[kind].label} has no versions of its interface")
    if not _API_VERSION.fullmatch(text):
        raise InvalidInput("apiVersion", "must be a date, such as 2024-10-21 or 2025-03-01-preview, or `preview`")
    if is_before(text, _STREAMS_COUNT_SINCE):
        wanted = "must be 2024-10-21 or later, or empty for the newest: older ones refuse streams that tell their usage"
        raise InvalidInput("apiVersion", wanted)
    return text


def _header_text(text: str | None, field: str, length: int) -> str | None:
    text = (text or "").strip()
    if len(text) > length:
        raise InvalidInput(field, f"must have at most {length} characters")
    if not all(32 <= ord(c) <= 126 for c in text):
        raise InvalidInput(field, "must not contain control characters or letters beyond ASCII")
    return text or None


def _shown(provider: Provider) -> dict[str, Any]:
    """What the audit log keeps."""
    updated = provider.credential_updated_at
    return {
        "name": provider.name,
        "kind": provider.kind.value,
        "base_url": provider.base_url,
        "organization": provider.organization,
        "region": provider.region,
        "api_version": provider.api_version,
        "header_names": list(provider.header_names),
        "price_multiplier": format_factor(provider.price_multiplier),
        "planned_multipliers": [
            {"starts_at": plan.starts_at.isoformat(), "multiplier": format_factor(plan.multiplier)}
            for plan in provider.planned_multipliers
        ],
        "serves_responses": provider.serves_responses,
        "enabled": provider.enabled,
        "credential_prefix": provider.credential_prefix,
        "credential_updated_at": updated.isoformat() if updated else None,
    }
