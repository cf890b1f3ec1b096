"""GraphQL over HTTP: POST only, JSON only, as a signed-in browser or with an automation token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from sluicegate.kit.errors import InvalidInput, Unavailable
from sluicegate.kit.ids import new_id
from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller
from sluicegate.web.callers import caller_of
from sluicegate.web.requests import read_json, text_of

Execute = Callable[[Caller | None, str, str, dict[str, Any], str | None], Awaitable[dict[str, Any]]]
"""Runs one operation: caller, request id, query, variables, operation name; gives the body of the answer."""


def graphql_routes(auth: AuthService, execute: Execute, is_secure: Callable[[], bool]) -> APIRouter:
    router = APIRouter()

    @router.post("/graphql")
    async def graphql(request: Request) -> JSONResponse:
        caller = await caller_of(auth, request, secure=is_secure())
        body = await read_json(request)
        variables, operation = body.get("variables") or {}, body.get("operationName")
        if not isinstance(variables, dict):
            raise InvalidInput("variables", "must be an object")
        if operation is not None and not isinstance(operation, str):
            raise InvalidInput("operationName", "must be text")
        request_id = new_id()
        answer = await execute(caller, request_id, text_of(body, "query"), variables, operation)
        headers = {"cache-control": "no-store", "x-request-id": request_id}
        wait = _wait_of(answer)
        if wait is not None:
            headers["retry-after"] = str(wait)
        return JSONResponse(answer, 200 if wait is None else 503, headers)

    return router


def _wait_of(answer: dict[str, Any]) -> int | None:
    """After how many seconds a request is worth repeating that brought nothing because the database is away."""
    done = any(value is not None for value in (answer.get("data") or {}).values())
    waits = [
        error["extensions"]["retryAfter"]
        for error in answer.get("errors", ())
        if error.get("extensions", {}).get("code") == Unavailable.code
    ]
    return max(waits) if waits and not done else None
