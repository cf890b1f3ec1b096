"""Sign-ins of assistants by way of a browser."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from sluicegate.domain.device import DeviceState
from sluicegate.storage.tables.types import ID, METADATA, EnumText, UtcDateTime, belonging

DEVICE_SIGN_INS = Table(
    "device_sign_ins",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_code", String(16), nullable=False, unique=True),
    Column("code_digest", String(64), nullable=False, unique=True),
    Column("program", String(60), nullable=False),
    Column("address", String(45), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("state", EnumText(DeviceState), nullable=False),
    belonging("user_id", "users.id", index=True),
    belonging("key_id", "api_keys.id", unique=True),
    Column("refresh_digest", String(64), unique=True),
    Column("issued_public_id", String(16)),
    Column("issued_at", UtcDateTime),
)
