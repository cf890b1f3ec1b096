"""What administrators set about single sign-on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.sso import (
    CALLBACK_PATH,
    MAX_MAPPINGS,
    SECRET_PLACE,
    GroupMapping,
    SsoSettings,
    parse_client_id,
    parse_client_secret,
    parse_domains,
    parse_groups_claim,
    parse_label,
    parse_scopes,
    parse_values,
)
from sluicegate.domain.version import Editable, Edited
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import Conflict, InvalidInput, NotFound
from sluicegate.kit.secret import Secret
from sluicegate.ports.policy import Vault
from sluicegate.ports.sso import Examined, OpenIdProvider
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.base_urls import parse_issuer
from sluicegate.services.caller import Caller
from sluicegate.services.versions import hold

THING = Edited(Editable.SSO, "sso")
_LABEL = "single sign-on"
_CHANGING = "change how people sign in"


@dataclass(frozen=True, slots=True)
class SsoChange:
    """No client secret is a public client's; with ABSENT the one that there is stays."""

    enabled: bool | Absent = ABSENT
    issuer: str | Absent = ABSENT
    client_id: str | Absent = ABSENT
    client_secret: Secret | Absent | None = ABSENT
    label: str | Absent = ABSENT
    scopes: Sequence[str] | Absent = ABSENT
    groups_claim: str | Absent = ABSENT
    creates_people: bool | Absent = ABSENT
    domains: Sequence[str] | Absent = ABSENT
    members_use_passwords: bool | Absent = ABSENT
    trusts_email: bool | Absent = ABSENT


@dataclass(frozen=True, slots=True)
class SsoSetup:
    """The settings with the mapping of groups. `redirect_url` is what the provider has to know."""

    settings: SsoSettings
    mappings: Sequence[GroupMapping]
    redirect_url: str


class SsoSettingsService:
    """`provider` gives what asks issuers, `public_url` the address under which people reach the console, and
    `allow_private` tells whether an issuer may have a private address."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        provider: Callable[[], Awaitable[OpenIdProvider]],
        public_url: Callable[[], str],
        *,
        allow_private: bool,
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._provider = provider
        self._public_url = public_url
        self._allow_private = allow_private

    async def get(self, caller: Caller) -> SsoSetup:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await self._setup(tx)

    async def update(self, caller: Caller, change: SsoChange, expected_version: int | None = None) -> SsoSetup:
        """Raises InvalidInput, Conflict when it is turned on without what it needs, StaleVersion."""
        _require_change(caller)
        given = {f.name: value for f in fields(change) if (value := getattr(change, f.name)) is not ABSENT}
        changes_secret, secret = "client_secret" in given, given.pop("client_secret", None)
        values = {name: self._parsed(name, value) for name, value in given.items()}
        sealed = None if secret is None else self._vault.seal(_parsed_secret(secret), SECRET_PLACE)
        async with self._store.write() as tx:
            await hold(tx, THING, expected_version)
            before = await tx.sso.settings()
            after = replace(before, **values)
            if changes_secret:
                after = replace(after, secret_updated_at=None if sealed is None else self._clock.now())
            elif before.secret_updated_at is not None and before.issuer != after.issuer:
                # Otherwise whoever may edit this could have the secret sent to a host of their own.
                raise InvalidInput("clientSecret", "must be given again, or removed, when the issuer changes")
            _require_whole(after)
            if after != before or sealed is not None:
                await tx.versions.step(THING)
                await tx.sso.save(after)
                if changes_secret:
                    await tx.sso.set_sealed_secret(sealed, after.secret_updated_at)
                await _record(tx, caller, "sso.update", _shown(before), _shown(after))
            return await self._setup(tx)

    async def set_mapping(
        self,
        caller: Caller,
        mappings: Sequence[GroupMapping],
        admin_values: Sequence[str],
        expected_version: int | None = None,
    ) -> SsoSetup:
        """In place of all there was. It takes effect for each person at the next sign-in."""
        _require_change(caller)
        rows = _checked_mappings(mappings)
        admins = parse_values(admin_values, "adminValues")
        async with self._store.write() as tx:
            await hold(tx, THING, expected_version)
            groups = await tx.groups.get_many([row.group_id for row in rows])
            if missing := [row.group_id for row in rows if row.group_id not in groups]:
                raise NotFound(f"group as {missing[0][:40]!r}", field="mappings")
            before, settings = await tx.sso.mappings(), await tx.sso.settings()
            if set(before) != set(rows) or settings.admin_values != admins:
                names = {group.id: group.name for group in (await _groups_of(tx, before)).values()}
                names |= {group.id: group.name for group in groups.values()}
                await tx.versions.step(THING)
                await tx.sso.save(replace(settings, admin_values=admins))
                await tx.sso.set_mappings(rows)
                states = _shown_mapping(before, settings.admin_values, names), _shown_mapping(rows, admins, names)
                await _record(tx, caller, "sso.set_mapping", *states)
            return await self._setup(tx)

    async def test(self, caller: Caller, issuer: str | None = None) -> Examined:
        """Asks the issuer what it offers; the one of the settings when none is given."""
        _require_change(caller)
        if issuer is None:
            async with self._store.read() as tx:
                issuer = (await tx.sso.settings()).issuer
        if not issuer:
            raise InvalidInput("issuer", "must be given; there is none yet to test")
        address = parse_issuer(issuer, allow_private=self._allow_private)
        return await (await self._provider()).examine(address)

    async def _setup(self, tx: Transaction) -> SsoSetup:
        return SsoSetup(await tx.sso.settings(), await tx.sso.mappings(), self._public_url() + CALLBACK_PATH)

    def _parsed(self, name: str, value: Any) -> Any:
        match name:
            case "issuer":
                return parse_issuer(value, allow_private=self._allow_private) if value.strip() else ""
            case "client_id":
                return parse_client_id(value)
            case "label":
                return parse_label(value)
            case "scopes":
                return parse_scopes(value)
            case "groups_claim":
                return parse_groups_claim(value)
            case "domains":
                return parse_domains(value)
            case _:
                return value


def _require_change(caller: Caller) -> None:
    """Whoever names the issuer can come in as anybody."""
    caller.require_admin(TokenScope.SETTINGS)
    caller.require_every_scope(_CHANGING)


def _require_whole(settings: SsoSettings) -> None:
    if settings.enabled and not (settings.issuer and settings.client_id):
        field = "clientId" if settings.issuer else "issuer"
        raise Conflict("Single sign-on needs an issuer and a client id before it can be on.", field=field)


def _parsed_secret(secret: Secret) -> Secret:
    return Secret(parse_client_secret(secret.reveal()))


def _checked_mappings(mappings: Sequence[GroupMapping]) -> list[GroupMapping]:
    if len(mappings) > MAX_MAPPINGS:
        raise InvalidInput("mappings", f"takes at most {MAX_MAPPINGS} rows")
    rows = [GroupMapping(parse_values([row.value], "mappings")[0], row.group_id) for row in mappings]
    return list(dict.fromkeys(rows))


async def _groups_of(tx: Transaction, mappings: Sequence[GroupMapping]) -> dict[str, Any]:
    return await tx.groups.get_many(list({row.group_id for row in mappings}))


async def _record(tx: Transaction, caller: Caller, action: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    await tx.audit.record(caller.actor, action, THING.what.value, THING.id, _LABEL, before, after)


def _shown(settings: SsoSettings) -> dict[str, Any]:
    return {
        "enabled": settings.enabled,
        "issuer": settings.issuer,
        "client_id": settings.client_id,
        "label": settings.label,
        "scopes": list(settings.scopes),
        "groups_claim": settings.groups_claim,
        "creates_people": settings.creates_people,
        "domains": list(settings.domains),
        "members_use_passwords": settings.members_use_passwords,
        "trusts_email": settings.trusts_email,
        "secret_updated_at": settings.secret_updated_at.isoformat() if settings.secret_updated_at else None,
    }


def _shown_mapping(rows: Sequence[GroupMapping], admins: Sequence[str], names: dict[str, str]) -> dict[str, Any]:
    """By name: somebody reads it when a group may be gone."""
    return {
        "mapping": sorted(f"{row.value} → {names.get(row.group_id, row.group_id)}" for row in rows),
        "admin_values": list(admins),
    }
