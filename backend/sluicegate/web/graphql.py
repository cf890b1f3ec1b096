"""GraphQL over HTTP: POST only, JSON only, as a signed-in browser or with an automation token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from sluicegate.kit.errors import InvalidInput, Unauthenticated
from sluicegate.kit.ids import new_id
from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller
from sluicegate.web.requests import read_json, require_own_page, session_token, text_of

Execute = Callable[[Caller | None, str, str, dict[str, Any], str | None], Awaitable[dict[str, Any]]]
"""Runs one operation: caller, request id, query, variables, operation name; gives the body of the answer."""


def graphql_routes(auth: AuthService, execute: Execute, is_secure: Callable[[], bool]) -> APIRouter:
    router = APIRouter()

    @router.post("/graphql")
    async def graphql(request: Request) -> JSONResponse:
        caller = await _caller(auth, request, secure=is_secure())
        body = await read_json(request)
        variables, operation = body.get("variables") or {}, body.get("operationName")
        if not isinstance(variables, dict):
            raise InvalidInput("variables", "must be an object")
        if operation is not None and not isinstance(operation, str):
            raise InvalidInput("operationName", "must be text")
        request_id = new_id()
        answer = await execute(caller, request_id, text_of(body, "query"), variables, operation)
        return JSONResponse(answer, headers={"cache-control": "no-store", "x-request-id": request_id})

    return router


async def _caller(auth: AuthService, request: Request, *, secure: bool) -> Caller | None:
    """None for the anonymous; raises Unauthenticated for a credential that is no good."""
    cookie = session_token(request, secure=secure)
    header = request.headers.get("authorization")
    if header is not None:
        if cookie is not None:
            raise Unauthenticated("Send a session cookie or an automation token, not both.")
        scheme, _, token = header.partition(" ")
        caller = await auth.caller_of_token(token.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            raise Unauthenticated("This automation token is unknown, revoked or expired.")
        return caller
    if cookie is None:
        return None
    require_own_page(request)
    return await auth.caller_of_session(cookie)
