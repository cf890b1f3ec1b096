"""OAuth 2.0 for assistants that sign in by way of a browser, as Claude Code speaks it.

RFC 8414 for the addresses, 8628 for the code, 6749 for tokens, 7009 for signing out.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sluicegate.domain.device import GRANT_DEVICE, GRANT_REFRESH, POLL_SECONDS, DeviceProblem
from sluicegate.kit.errors import Throttled
from sluicegate.services.device_sign_in import DeviceSignInService, Issued
from sluicegate.web.requests import address_of, user_agent_of

_MAX_FORM = 16_384
_FRESH = {"cache-control": "no-store", "pragma": "no-cache"}
_METADATA = "/.well-known/oauth-authorization-server"
_BEGIN, _TOKEN, _REVOKE = "/oauth/device_authorization", "/oauth/token", "/oauth/revoke"
PAGE = "/device"
# A client that holds what is of no use has to sign in again; all else passes, or is for the person to see.
_STATUS = {DeviceProblem.INVALID: 401}
_WORDS = {
    DeviceProblem.PENDING: "Nobody has answered yet.",
    DeviceProblem.SLOW_DOWN: f"Ask every {POLL_SECONDS} seconds at most.",
    DeviceProblem.DENIED: "The sign-in was refused in the browser.",
    DeviceProblem.EXPIRED: "This sign-in has expired or was used already. Begin again.",
    DeviceProblem.INVALID: "This sign-in has ended. Sign in again.",
}


def device_routes(sign_in: DeviceSignInService) -> APIRouter:
    router = APIRouter()

    @router.get(_METADATA)
    async def metadata() -> JSONResponse:
        if not sign_in.enabled:
            return _turned_off()
        base = sign_in.public_url()
        return JSONResponse(
            {
                "issuer": base,
                "device_authorization_endpoint": base + _BEGIN,
                "token_endpoint": base + _TOKEN,
                "revocation_endpoint": base + _REVOKE,
                "grant_types_supported": [GRANT_DEVICE, GRANT_REFRESH],
                "response_types_supported": [],
                "token_endpoint_auth_methods_supported": ["none"],
                "gateway_protocol_version": 1,
            },
            headers=_FRESH,
        )

    @router.post(_BEGIN)
    async def begin(request: Request) -> JSONResponse:
        if not sign_in.enabled:
            return _turned_off()
        form = await _form(request)
        if form is None:
            return _unreadable()
        try:
            begun = await sign_in.begin(form.get("surface", ""), user_agent_of(request), address_of(request))
        except Throttled as error:
            return _throttled(error)
        page = sign_in.public_url() + PAGE
        return _answer(
            {
                "device_code": begun.device_code.reveal(),
                "user_code": begun.user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={begun.user_code}",
                "expires_in": begun.seconds,
                "interval": POLL_SECONDS,
            }
        )

    @router.post(_TOKEN)
    async def token(request: Request) -> JSONResponse:
        form = await _form(request)
        if form is None:
            return _unreadable()
        grant = form.get("grant_type", "")
        if grant == GRANT_DEVICE and form.get("device_code"):
            return _issued(await sign_in.redeem(form["device_code"]))
        if grant == GRANT_REFRESH and form.get("refresh_token"):
            return _issued(await sign_in.renew(form["refresh_token"]))
        if grant in (GRANT_DEVICE, GRANT_REFRESH):
            return _problem("invalid_request", f"{'device_code' if grant == GRANT_DEVICE else grant} is missing.")
        return _problem("unsupported_grant_type", f"grant_type must be {GRANT_DEVICE} or {GRANT_REFRESH}.")

    @router.post(_REVOKE)
    async def revoke(request: Request) -> Response:
        form = await _form(request)
        if form is None or not form.get("token"):
            return _unreadable() if form is None else _problem("invalid_request", "token is missing.")
        try:
            await sign_in.revoke(form["token"], address_of(request))
        except Throttled as error:
            return _throttled(error)
        return Response(status_code=200, headers=_FRESH)

    return router


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a form, the first of each name, whatever else is among them; None for what is no form."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            return None
    try:
        fields = parse_qsl(body.decode(), max_num_fields=100)
    except ValueError:
        return None
    return dict(reversed(fields))


def _issued(outcome: Issued | DeviceProblem) -> JSONResponse:
    if isinstance(outcome, DeviceProblem):
        return _problem(outcome.value, _WORDS[outcome], _STATUS.get(outcome, 400))
    return _answer(
        {
            "access_token": outcome.access_token.reveal(),
            "token_type": "Bearer",
            "expires_in": outcome.seconds,
            "refresh_token": outcome.refresh_token.reveal(),
            "email": outcome.email,
        }
    )


def _answer(content: dict[str, Any]) -> JSONResponse:
    return JSONResponse(content, headers=_FRESH)


def _problem(error: str, words: str, status: int = 400, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": words}, status, _FRESH | (headers or {}))


def _throttled(error: Throttled) -> JSONResponse:
    return _problem("slow_down", error.message, 429, {"retry-after": str(error.retry_after)})


def _unreadable() -> JSONResponse:
    return _problem("invalid_request", f"Send a form of at most {_MAX_FORM} bytes.")


def _turned_off() -> JSONResponse:
    return _problem("not_found", "Assistants do not sign in by way of a browser here. Use a key.", 404)
