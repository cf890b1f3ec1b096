"""Requests and answers of SCIM: bodies within bounds, errors in the protocol's own shape (RFC 7644, section 3.12)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from sluicegate.kit.errors import AppError, Conflict, InvalidInput, Later, NotFound
from sluicegate.services.scim.faults import ScimFault, invalid_value
from sluicegate.services.scim.paths import is_plain
from sluicegate.web.requests import TooLarge, WrongType

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/scim+json"
MAX_BODY = 4 * 1024 * 1024
MAX_DEPTH = 12
_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
# Larger ones are read and written in a thread, so that calls go on meanwhile.
_SMALL = 32 * 1024
_TAKEN = ("email", "name")

Handler = Callable[[Request], Awaitable[Response]]


class ScimRoute(APIRoute):
    """Answers whatever goes wrong as SCIM does."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except AppError as error:
                return refused(error)
            except ClientDisconnect:
                raise
            except Exception as error:
                log.error("scim.failed", exc_info=error)
                return _error(500, "Something went wrong here.")

        return answered


async def read_body(request: Request) -> dict[str, Any]:
    """An object; raises AppError for another type, size, depth or form."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in (MEDIA_TYPE, "application/json"):
        raise WrongType(f"Send the body as {MEDIA_TYPE} or application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(f"The body must have at most {MAX_BODY} bytes; send fewer members at once.")
    return _parsed(body) if len(body) <= _SMALL else await asyncio.to_thread(_parsed, body)


def _parsed(body: bytearray) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ScimFault("invalidSyntax", "The body is not a JSON object.")
    _check(content)
    return content


def _check(content: dict[str, Any]) -> None:
    """Depth, and texts that no database takes."""
    level: list[Any] = [content]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, str) and not is_plain(value):
                raise invalid_value("A text has characters that no text holds.")
        if not below:
            return
        level = below
    raise ScimFault("invalidSyntax", f"The body is nested more than {MAX_DEPTH} deep.")


async def answer(content: dict[str, Any], status: int = 200, location: str | None = None) -> Response:
    headers = {"cache-control": "no-store"} | ({"location": location} if location else {})
    many = len(content.get("members", ())) + len(content.get("Resources", ())) > 100
    body = await asyncio.to_thread(_written, content) if many else _written(content)
    return Response(body, status, headers, MEDIA_TYPE)


def _written(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def refused(error: AppError) -> Response:
    detail = f"{error.field}: {error.message}" if isinstance(error, InvalidInput) else error.message
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, Later) else {}
    if error.status == 401:
        headers["www-authenticate"] = 'Bearer realm="scim"'
    return _error(error.status, detail, _type_of(error), headers)


def _type_of(error: AppError) -> str | None:
    if isinstance(error, ScimFault):
        return error.scim_type
    if isinstance(error, InvalidInput):
        return "invalidValue"
    return "uniqueness" if isinstance(error, Conflict) and error.field in _TAKEN else None


def _error(status: int, detail: str, scim_type: str | None = None, headers: dict[str, str] | None = None) -> Response:
    content = {"schemas": [_ERROR], "status": str(status), "detail": detail}
    if scim_type is not None:
        content["scimType"] = scim_type
    return Response(_written(content), status, {"cache-control": "no-store"} | (headers or {}), MEDIA_TYPE)


class NoSuchEndpoint(NotFound):
    def __init__(self) -> None:
        super().__init__("SCIM endpoint", field=None)


class NotOffered(AppError):
    code = "invalid_input"
    status = 501

    def __init__(self) -> None:
        super().__init__("This server does not offer this part of SCIM; see /ServiceProviderConfig for what it does.")


class WrongMethod(AppError):
    code = "invalid_input"
    status = 405

    def __init__(self) -> None:
        super().__init__("This endpoint does not take this method.")
