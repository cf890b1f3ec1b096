"""What is answered when a request fails, by whichever part of the web edge."""

from __future__ import annotations

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from sluicegate.kit.errors import AppError
from sluicegate.web.headers import SecurityHeaders
from sluicegate.web.requests import refusal

log = structlog.get_logger(__name__)


def answer_faults(app: Starlette) -> None:
    """These and all other answers with headers that browsers heed."""
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(AppError, _refuse)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _fail)


async def _refuse(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)  # noqa: S101 registered for nothing else
    return refusal(error)


async def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody is there to read it.
    return Response(status_code=400)


async def _fail(_request: Request, error: Exception) -> JSONResponse:
    log.error("web.failed", exc_info=error)
    content = {"error": {"code": "internal", "message": "Something went wrong here.", "field": None}}
    return JSONResponse(content, 500)
