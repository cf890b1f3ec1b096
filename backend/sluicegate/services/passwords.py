"""Password hashes, made off the event loop and only a few at once: each takes 64 MiB."""

from __future__ import annotations

import asyncio
from functools import cache

from sluicegate.kit.crypto import hash_password, random_token, verify_hash

_AT_ONCE = 4


class Passwords:
    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(hash_password, password)

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Takes as long when there is no hash, so that nobody learns from the time which addresses have accounts."""
        async with self._slots:
            matches = await asyncio.to_thread(lambda: verify_hash(hashed or _nobody(), password))
        return matches and hashed is not None


@cache
def _nobody() -> str:
    return hash_password(random_token())
