"""What is kept of assistants that sign in by way of a browser."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from sluicegate.domain.device import DeviceSignIn, DeviceState


class DeviceRepository(Protocol):
    async def add(self, sign_in: DeviceSignIn) -> None: ...
    async def by_user_code(self, user_code: str) -> DeviceSignIn | None:
        """Whatever has become of it."""
        ...

    async def by_code(self, digest: str) -> DeviceSignIn | None: ...
    async def by_refresh(self, digest: str) -> DeviceSignIn | None: ...
    async def by_key(self, key_id: str) -> DeviceSignIn | None: ...
    async def step(self, sign_in_id: str, before: DeviceState, after: DeviceState, **values: Any) -> bool:
        """False when it is in another state than `before`, since somebody was quicker."""
        ...

    async def update(self, sign_in_id: str, **values: Any) -> None: ...
    async def remove_ended(self, now: datetime, before: datetime) -> int:
        """Those that came to nothing and expired before `before`, and those whose key is of no use any more; gives
        how many."""
        ...
