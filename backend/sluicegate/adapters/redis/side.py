"""What processes tell each other through Redis beside limits, over connections of its own: nothing of it is in the way
of a call that is let in or settled, and none of it need be there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from sluicegate.adapters.redis.line import Away, Reply
from sluicegate.adapters.redis.scripts import SIDE_SOURCES

_CONNECTIONS = 8
# How long a Redis that did not answer is left alone, in seconds.
_REST = 0.5


class Side:
    """`patience` is how long an answer may take, in seconds. Keys lie below `{prefix}:`."""

    def __init__(self, url: str, prefix: str, patience: float = 0.3) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=patience,
            socket_timeout=patience,
            socket_connect_timeout=patience,
            retry=Retry(NoBackoff(), 0),
            client_name="sluicegate-side",
            protocol=2,
        )
        self._patience = patience
        self._root = f"{{{prefix}}}:"
        self._client = Redis(connection_pool=pool)
        self._scripts: dict[str, AsyncScript] = {
            name: cast(Any, self._client).register_script(source) for name, source in SIDE_SOURCES.items()
        }
        self._rests_until = 0.0

    @property
    def there(self) -> bool:
        """Whether Redis answered when it was asked last."""
        return time.monotonic() >= self._rests_until

    async def run(self, script: str, keys: Sequence[str], *args: str | bytes | int | float) -> Reply:
        """Raises Away, at once where Redis did not answer a moment ago."""
        if not self.there:
            raise Away("Redis did not answer a moment ago")
        try:
            # Waiting for a connection, making it and sending a script that Redis does not have may each take theirs.
            async with asyncio.timeout(3 * self._patience):
                return await self._scripts[script]([self._root + key for key in keys], args)
        except (RedisError, OSError, TimeoutError) as error:
            self._rests_until = time.monotonic() + _REST
            raise Away(f"{type(error).__name__}: {error}") from None

    async def close(self) -> None:
        await self._client.aclose()
        await self._client.connection_pool.disconnect()
