"""Single sign-on: settings, identities, and what the identity provider gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from sluicegate.domain.sso import GroupMapping, Identity, LastSignIn, SsoSettings
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.repositories.upsert import insert_missing, inserting, upsert
from sluicegate.storage.tables.sso import (
    IDENTITIES,
    LAST_SIGN_INS,
    SPENT_STATES,
    SSO_ADMINS,
    SSO_MAPPINGS,
    SSO_MEMBERSHIPS,
    SSO_SETTINGS,
)

_ID = "sso"
_LISTS = ("scopes", "domains", "admin_values")


class SqlSsoRepository:
    """Implements ports.sso.SsoRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def settings(self) -> SsoSettings:
        row = (await self._connection.execute(select(SSO_SETTINGS).where(SSO_SETTINGS.c.id == _ID))).first()
        if row is None:
            return SsoSettings()
        return to_value(SsoSettings, row, **{name: tuple(getattr(row, name)) for name in _LISTS})

    async def save(self, settings: SsoSettings) -> None:
        values = asdict(settings)
        # Goes with the secret.
        del values["secret_updated_at"]
        lists = {name: list(values[name]) for name in _LISTS}
        await upsert(self._connection, SSO_SETTINGS, {"id": _ID, **values, **lists})

    async def sealed_secret(self) -> str | None:
        sealed: str | None = await self._connection.scalar(
            select(SSO_SETTINGS.c.sealed_secret).where(SSO_SETTINGS.c.id == _ID)
        )
        return sealed

    async def set_sealed_secret(self, sealed: str | None, at: datetime | None) -> None:
        values = {"sealed_secret": sealed, "secret_updated_at": at}
        await self._connection.execute(update(SSO_SETTINGS).where(SSO_SETTINGS.c.id == _ID).values(values))

    async def mappings(self) -> list[GroupMapping]:
        rows = await self._connection.execute(
            select(SSO_MAPPINGS).order_by(SSO_MAPPINGS.c.value, SSO_MAPPINGS.c.group_id)
        )
        return [to_value(GroupMapping, row) for row in rows]

    async def set_mappings(self, mappings: Sequence[GroupMapping]) -> None:
        await self._connection.execute(delete(SSO_MAPPINGS))
        if mappings:
            await self._connection.execute(insert(SSO_MAPPINGS), [asdict(mapping) for mapping in mappings])

    async def identity(self, issuer: str, subject: str) -> Identity | None:
        these = IDENTITIES.c.issuer == issuer, IDENTITIES.c.subject == subject
        row = (await self._connection.execute(select(IDENTITIES).where(*these))).first()
        return to_value(Identity, row) if row is not None else None

    async def identity_by_id(self, identity_id: str) -> Identity | None:
        row = (await self._connection.execute(select(IDENTITIES).where(IDENTITIES.c.id == identity_id))).first()
        return to_value(Identity, row) if row is not None else None

    async def identities_of(self, user_ids: Sequence[str]) -> dict[str, list[Identity]]:
        statement = (
            select(IDENTITIES)
            .where(IDENTITIES.c.user_id.in_(user_ids))
            .order_by(IDENTITIES.c.last_used_at.desc(), IDENTITIES.c.id)
        )
        found: dict[str, list[Identity]] = {user_id: [] for user_id in user_ids}
        for row in await self._connection.execute(statement):
            found[row.user_id].append(to_value(Identity, row))
        return found

    async def link(self, identity: Identity) -> None:
        await self._connection.execute(insert(IDENTITIES).values(asdict(identity)))

    async def use(self, identity_id: str, email: str, at: datetime) -> None:
        values = {"email": email, "last_used_at": at}
        await self._connection.execute(update(IDENTITIES).where(IDENTITIES.c.id == identity_id).values(values))

    async def unlink(self, identity_id: str) -> None:
        await self._connection.execute(delete(IDENTITIES).where(IDENTITIES.c.id == identity_id))

    async def given_groups(self, user_id: str) -> set[str]:
        statement = select(SSO_MEMBERSHIPS.c.group_id).where(SSO_MEMBERSHIPS.c.user_id == user_id)
        return set(await self._connection.scalars(statement))

    async def note_given(self, user_id: str, group_ids: Sequence[str]) -> None:
        if group_ids:
            rows = [{"group_id": group_id, "user_id": user_id} for group_id in group_ids]
            await insert_missing(self._connection, SSO_MEMBERSHIPS, rows)

    async def gave_admin(self, user_id: str) -> bool:
        found = await self._connection.scalar(select(SSO_ADMINS.c.user_id).where(SSO_ADMINS.c.user_id == user_id))
        return found is not None

    async def note_admin(self, user_id: str, given: bool) -> None:
        if given:
            await insert_missing(self._connection, SSO_ADMINS, [{"user_id": user_id}])
        else:
            await self._connection.execute(delete(SSO_ADMINS).where(SSO_ADMINS.c.user_id == user_id))

    async def spend_state(self, digest: str, now: datetime, until: datetime) -> bool:
        await self._connection.execute(delete(SPENT_STATES).where(SPENT_STATES.c.expires_at <= now))
        statement = (
            inserting(self._connection, SPENT_STATES).values(digest=digest, expires_at=until).on_conflict_do_nothing()
        )
        return (await self._connection.execute(statement.returning(SPENT_STATES.c.digest))).first() is not None

    async def note_sign_in(self, last: LastSignIn) -> None:
        await upsert(self._connection, LAST_SIGN_INS, asdict(last))

    async def last_sign_ins(self, user_ids: Sequence[str]) -> dict[str, LastSignIn]:
        rows = await self._connection.execute(select(LAST_SIGN_INS).where(LAST_SIGN_INS.c.user_id.in_(user_ids)))
        return {row.user_id: to_value(LastSignIn, row) for row in rows}
