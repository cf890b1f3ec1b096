"""The way to an identity provider and back: two addresses that browsers go to, and one that the console asks."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from sluicegate.domain.sso import CALLBACK_PATH, SsoProblem
from sluicegate.services.sso.sign_in import FLOW_SECONDS, Departure, SsoSignIn, own_page
from sluicegate.web.requests import address_of, give_session, user_agent_of

# See web.requests on the two names.
_SECURE_COOKIE = "__Host-sluicegate-sso"
_PLAIN_COOKIE = "sluicegate-sso"
_FRESH = {"cache-control": "no-store"}
_MOST = 4096


def sso_routes(sign_in: SsoSignIn, is_secure: Callable[[], bool]) -> APIRouter:
    """`is_secure` tells whether people reach this server by https."""
    router = APIRouter()

    @router.get("/auth/sso")
    async def ways() -> JSONResponse:
        found = await sign_in.ways()
        content = {"enabled": found.enabled, "label": found.label, "passwords": found.passwords}
        return JSONResponse(content, headers=_FRESH)

    @router.get("/auth/sso/start")
    async def start(request: Request) -> Response:
        wanted = own_page(request.query_params.get("next", "/"))
        begun = await sign_in.begin(wanted)
        if isinstance(begun, SsoProblem):
            return _back(wanted, begun)
        response = RedirectResponse(begun.url, 303, _FRESH)
        _give(response, begun, secure=is_secure())
        return response

    @router.get(CALLBACK_PATH)
    async def callback(request: Request) -> Response:
        secure = is_secure()
        answer = {name: value for name, value in request.query_params.items() if len(value) <= _MOST}
        cookie = request.cookies.get(_name(secure))
        ended = await sign_in.finish(answer, cookie, address_of(request), user_agent_of(request))
        if isinstance(ended.outcome, SsoProblem):
            response = _back(ended.next, ended.outcome)
        else:
            response = RedirectResponse(ended.next, 303, _FRESH)
            give_session(response, ended.outcome, secure=secure)
        # What is of no use here may belong to a sign-in that was begun in another tab.
        if ended.outcome is not SsoProblem.EXPIRED:
            _take(response, secure=secure)
        return response

    return router


def _back(wanted: str, problem: SsoProblem) -> RedirectResponse:
    """The sign-in page, which says what is wrong and keeps the page that was wanted."""
    query = {"problem": problem.value}
    if wanted != "/":
        query["next"] = wanted
    return RedirectResponse(f"/sign-in?{urlencode(query)}", 303, _FRESH)


def _give(response: Response, begun: Departure, *, secure: bool) -> None:
    response.set_cookie(
        _name(secure),
        begun.cookie.reveal(),
        max_age=FLOW_SECONDS,
        path="/",
        secure=secure,
        httponly=True,
        # The way back comes from the identity provider's page.
        samesite="lax",
    )


def _take(response: Response, *, secure: bool) -> None:
    response.delete_cookie(_name(secure), path="/", secure=secure, httponly=True, samesite="lax")


def _name(secure: bool) -> str:
    return _SECURE_COOKIE if secure else _PLAIN_COOKIE
