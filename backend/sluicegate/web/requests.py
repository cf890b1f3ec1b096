"""What every route asks of a request: its body within bounds, its origin, its cookie."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sluicegate.kit.errors import AppError, Forbidden, InvalidInput
from sluicegate.kit.secret import Secret
from sluicegate.services.sessions import SESSION_DAYS
from sluicegate.web.plain import refused

MAX_BODY = 1024 * 1024
CSRF_HEADER = "x-sluicegate-csrf"
# Browsers take the prefixed name only over https, and then from nobody but this very host.
_SECURE_COOKIE = "__Host-sluicegate"
_PLAIN_COOKIE = "sluicegate"


class TooLarge(AppError):
    code = "invalid_input"
    status = 413


class WrongType(AppError):
    code = "invalid_input"
    status = 415


async def read_json(request: Request) -> dict[str, Any]:
    """The body, an object; raises AppError for another type, size or form."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise WrongType("Send the body as application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(f"The body must have at most {MAX_BODY} bytes.")
    try:
        # The standard library lets NaN through, so that GraphQL can name the field that holds it.
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise InvalidInput("body", "is not a JSON object")
    return content


def text_of(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise InvalidInput(name, "must be given as text")
    return value


def require_own_page(request: Request) -> None:
    """Where the cookie is what lets somebody in. Only scripts of our own pages can set the header; raises Forbidden."""
    if CSRF_HEADER not in request.headers:
        raise Forbidden(f"Requests with a cookie need the header {CSRF_HEADER}.")
    refuse_other_sites(request)


def refuse_other_sites(request: Request) -> None:
    """Raises Forbidden for what a browser says another site made it send; other clients say nothing."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise Forbidden("Requests from other sites are refused.")
        return
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise Forbidden("Requests from other sites are refused.")


def address_of(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def user_agent_of(request: Request) -> str:
    return request.headers.get("user-agent", "")


def session_token(request: Request, *, secure: bool) -> str | None:
    return request.cookies.get(_cookie_name(secure)) or None


def give_session(response: Response, token: Secret, *, secure: bool) -> None:
    response.set_cookie(
        _cookie_name(secure),
        token.reveal(),
        max_age=SESSION_DAYS * 24 * 3600,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def take_session(response: Response, *, secure: bool) -> None:
    response.delete_cookie(_cookie_name(secure), path="/", secure=secure, httponly=True, samesite="lax")


def _cookie_name(secure: bool) -> str:
    return _SECURE_COOKIE if secure else _PLAIN_COOKIE


def refusal(error: AppError) -> JSONResponse:
    """An expected error as the console reads it."""
    status, content, headers = refused(error)
    return JSONResponse(content, status, headers)
