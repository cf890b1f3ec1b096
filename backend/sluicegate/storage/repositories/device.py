"""Sign-ins of assistants by way of a browser."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update

from sluicegate.domain.device import DeviceSignIn, DeviceState
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.tables.credentials import KEYS
from sluicegate.storage.tables.device import DEVICE_SIGN_INS as DEVICES


class SqlDeviceRepository:
    """Implements ports.device.DeviceRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, sign_in: DeviceSignIn) -> None:
        await self._connection.execute(insert(DEVICES).values(asdict(sign_in)))

    async def by_user_code(self, user_code: str) -> DeviceSignIn | None:
        return await self._one(DEVICES.c.user_code == user_code)

    async def by_code(self, digest: str) -> DeviceSignIn | None:
        return await self._one(DEVICES.c.code_digest == digest)

    async def by_refresh(self, digest: str) -> DeviceSignIn | None:
        return await self._one(DEVICES.c.refresh_digest == digest)

    async def by_key(self, key_id: str) -> DeviceSignIn | None:
        return await self._one(DEVICES.c.key_id == key_id)

    async def _one(self, condition: ColumnElement[bool]) -> DeviceSignIn | None:
        row = (await self._connection.execute(select(DEVICES).where(condition))).first()
        return to_value(DeviceSignIn, row) if row else None

    async def step(self, sign_in_id: str, before: DeviceState, after: DeviceState, **values: Any) -> bool:
        here = update(DEVICES).where(DEVICES.c.id == sign_in_id, DEVICES.c.state == before)
        return (await self._connection.execute(here.values(state=after, **values))).rowcount == 1

    async def update(self, sign_in_id: str, **values: Any) -> None:
        await self._connection.execute(update(DEVICES).where(DEVICES.c.id == sign_in_id).values(values))

    async def remove_ended(self, now: datetime, before: datetime) -> int:
        ended = select(KEYS.c.id).where(or_(KEYS.c.revoked_at.is_not(None), KEYS.c.expires_at <= now))
        came_to_nothing = and_(DEVICES.c.key_id.is_(None), DEVICES.c.expires_at < before)
        statement = delete(DEVICES).where(or_(came_to_nothing, DEVICES.c.key_id.in_(ended)))
        return (await self._connection.execute(statement)).rowcount
