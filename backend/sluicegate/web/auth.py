"""Signing in and out, and the links that let people in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from sluicegate.services.auth import AuthService
from sluicegate.services.recovery import RecoveryService
from sluicegate.web.requests import (
    address_of,
    give_session,
    read_json,
    refuse_other_sites,
    require_own_page,
    session_token,
    take_session,
    text_of,
    user_agent_of,
)


def auth_routes(auth: AuthService, recovery: RecoveryService, is_secure: Callable[[], bool]) -> APIRouter:
    """`is_secure` tells whether people reach this server by https."""
    router = APIRouter(prefix="/auth")

    @router.post("/sign-in")
    async def sign_in(request: Request) -> JSONResponse:
        refuse_other_sites(request)
        body = await read_json(request)
        email, password = text_of(body, "email"), text_of(body, "password")
        token = await auth.sign_in(email, password, address_of(request), user_agent_of(request))
        response = _answer({})
        give_session(response, token, secure=is_secure())
        return response

    @router.post("/sign-out")
    async def sign_out(request: Request) -> JSONResponse:
        require_own_page(request)
        token = session_token(request, secure=is_secure())
        if token is not None:
            await auth.sign_out(token)
        response = _answer({})
        take_session(response, secure=is_secure())
        return response

    @router.get("/session")
    async def session(request: Request) -> JSONResponse:
        token = session_token(request, secure=is_secure())
        caller = await auth.caller_of_session(token) if token is not None else None
        return _answer({"authenticated": caller is not None})

    @router.get("/help")
    async def help_with_passwords() -> JSONResponse:
        return _answer({"resetByMail": recovery.by_mail})

    @router.post("/forgot")
    async def forgot(request: Request) -> JSONResponse:
        refuse_other_sites(request)
        body = await read_json(request)
        await recovery.forgot(text_of(body, "email"), address_of(request))
        return _answer({"resetByMail": recovery.by_mail})

    @router.get("/link/{token}")
    async def link(token: str) -> JSONResponse:
        state = await auth.link(token)
        return _answer(
            {
                "kind": state.kind.value,
                "email": state.email,
                "name": state.name,
                "status": state.status.value,
                "password": state.password,
            }
        )

    @router.post("/link/{token}")
    async def accept(token: str, request: Request) -> JSONResponse:
        refuse_other_sites(request)
        body = await read_json(request)
        name = text_of(body, "name") if body.get("name") is not None else None
        password = text_of(body, "password")
        session = await auth.accept(token, name, password, address_of(request), user_agent_of(request))
        response = _answer({})
        give_session(response, session, secure=is_secure())
        return response

    return router


def _answer(content: dict[str, Any]) -> JSONResponse:
    return JSONResponse(content, headers={"cache-control": "no-store"})
