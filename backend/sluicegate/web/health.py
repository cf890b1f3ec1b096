"""Whether the process lives, and whether it can serve: asked for ever, also of servers that carry calls alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sluicegate.web.headers import SecurityHeaders
from sluicegate.web.plain import Receive, Send, answer

LIVES, READY = "/healthz", "/readyz"
# Without them calls are still decided, by the last known policy or by shares of the limits, and written down: no
# reason to send them elsewhere.
_SPARED = frozenset({"database", "redis"})


class Health:
    """An ASGI application. `ready` names each thing that the server needs, and whether it is there."""

    def __init__(self, ready: Callable[[], Awaitable[dict[str, bool]]]) -> None:
        self._ready = ready
        self._tell = SecurityHeaders(self._answer)

    def serves(self, scope: MutableMapping[str, Any]) -> bool:
        return scope["path"] in (LIVES, READY) and scope["method"] == "GET"

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        await self._tell(scope, receive, send)

    async def _answer(self, scope: MutableMapping[str, Any], _receive: Receive, send: Send) -> None:
        if scope["path"] == LIVES:
            await answer(send, 200, {"status": "ok"})
            return
        checks = await self._ready()
        missing = {name for name, there in checks.items() if not there}
        status = "failing" if missing - _SPARED else "degraded" if missing else "ok"
        await answer(send, 503 if status == "failing" else 200, {"status": status, "checks": checks})
