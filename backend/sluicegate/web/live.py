"""What goes on now, as a stream of server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sluicegate.kit.errors import InvalidInput
from sluicegate.services.caller import Caller
from sluicegate.services.live import Ended, LiveService, Watcher

# A stream in which nothing happens still tells this often that it is there.
HEARTBEAT_SECONDS = 10.0
# How long a reader may take nothing, once the buffers between here and there are full.
STALLED_SECONDS = 10.0
_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    # For proxies that would hold events back until there are enough of them.
    "x-accel-buffering": "no",
}


def live_routes(live: LiveService, known: Callable[[Request], Awaitable[Caller]]) -> APIRouter:
    router = APIRouter()

    @router.get("/events/live")
    async def events(request: Request) -> Response:
        everyone = request.query_params.get("everyone", "false")
        if everyone not in ("true", "false"):
            raise InvalidInput("everyone", "must be true or false")
        caller = await known(request)
        return _Events(live, live.watch(caller, everyone=everyone == "true"))

    return router


class _Events(Response):
    """Ends with an event that says why, unless the reader has left or takes nothing any more."""

    def __init__(self, live: LiveService, watcher: Watcher) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._live = live
        self._watcher = watcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tasks = [asyncio.create_task(self._write(send)), asyncio.create_task(_departure(receive))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._live.leave(self._watcher)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            while True:
                picture = await self._watcher.next(HEARTBEAT_SECONDS)
                if picture is None:
                    await _send(send, "heartbeat", b"{}")
                else:
                    await _send(send, "picture", msgspec.json.encode(picture))
        except Ended as ended:
            await _send(send, "end", msgspec.json.encode({"reason": ended.end.value}), more=False)
        except TimeoutError:
            # The server closes a connection whose answer was not brought to its end.
            return


async def _send(send: Send, event: str, data: bytes, *, more: bool = True) -> None:
    body = b"event: %b\ndata: %b\n\n" % (event.encode(), data)
    async with asyncio.timeout(STALLED_SECONDS):
        await send({"type": "http.response.body", "body": body, "more_body": more})


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
