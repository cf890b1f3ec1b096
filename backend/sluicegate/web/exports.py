"""Files to download, written as they are read: however long they are, only a batch of rows is in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import StreamingResponse

from sluicegate.domain.audit import AuditEvent
from sluicegate.domain.user import Group, Role, User, UserStatus
from sluicegate.kit.csv_text import csv_lines
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import AuditFilter, UserFilter, UserSort
from sluicegate.services.audit import AuditService
from sluicegate.services.caller import Caller
from sluicegate.services.users import UserService

_AUDIT_COLUMNS = (
    "at", "actor_kind", "actor", "actor_id", "action", "target_kind", "target_id", "target", "before", "after"
)  # fmt: skip
_USER_COLUMNS = ("email", "name", "role", "status", "groups", "created_at", "last_active_at")
E = TypeVar("E", bound=StrEnum)


def export_routes(audit: AuditService, users: UserService, known: Callable[[Request], Awaitable[Caller]]) -> APIRouter:
    router = APIRouter(prefix="/export")

    @router.get("/users.csv")
    async def users_csv(request: Request) -> StreamingResponse:
        where = UserFilter(
            text_of(request, "search"),
            choice_of(request, "role", Role),
            choice_of(request, "status", UserStatus),
            text_of(request, "groupId"),
        )
        sort = choice_of(request, "sort", UserSort) or UserSort.NAME_ASC
        batches = users.export(await known(request), where, sort.value)
        return streamed("users.csv", "text/csv; charset=utf-8", _users_csv(batches))

    @router.get("/audit-log.csv")
    async def audit_csv(request: Request) -> StreamingResponse:
        return streamed("audit-log.csv", "text/csv; charset=utf-8", _audit_csv(await _audit_events(request)))

    @router.get("/audit-log.json")
    async def audit_json(request: Request) -> StreamingResponse:
        return streamed("audit-log.json", "application/json", _audit_json(await _audit_events(request)))

    async def _audit_events(request: Request) -> AsyncIterator[Sequence[AuditEvent]]:
        caller = await known(request)
        where = AuditFilter(
            actor=text_of(request, "actor"),
            action=text_of(request, "action"),
            target_kind=text_of(request, "targetKind"),
            target_id=text_of(request, "targetId"),
            since=instant_of(request, "from"),
            until=instant_of(request, "to"),
            search=text_of(request, "search"),
        )
        # A refusal has to come before the first byte.
        audit.check(caller, where)
        return audit.export(caller, where)

    return router


async def _users_csv(batches: AsyncIterator[Sequence[tuple[User, Sequence[Group]]]]) -> AsyncIterator[str]:
    yield csv_lines([_USER_COLUMNS])
    async for batch in batches:
        yield csv_lines(
            [
                user.email,
                user.name,
                user.role.value,
                user.status.value,
                "; ".join(group.name for group in groups),
                user.created_at.isoformat(),
                user.last_active_at.isoformat() if user.last_active_at else "",
            ]
            for user, groups in batch
        )


async def _audit_csv(batches: AsyncIterator[Sequence[AuditEvent]]) -> AsyncIterator[str]:
    yield csv_lines([_AUDIT_COLUMNS])
    async for events in batches:
        yield csv_lines(
            [
                event.at.isoformat(),
                event.actor.kind.value,
                event.actor.label,
                event.actor.user_id or "",
                event.action,
                event.target_kind,
                event.target_id,
                event.target_label,
                _json(event.before),
                _json(event.after),
            ]
            for event in events
        )


async def _audit_json(batches: AsyncIterator[Sequence[AuditEvent]]) -> AsyncIterator[str]:
    before = "[\n"
    async for events in batches:
        for event in events:
            yield before + _json(_audit_object(event))
            before = ",\n"
    yield "]\n" if before == ",\n" else "[]\n"


def _audit_object(event: AuditEvent) -> dict[str, object]:
    return {
        "id": event.id,
        "at": event.at.isoformat(),
        "actor": {
            "kind": event.actor.kind.value,
            "label": event.actor.label,
            "userId": event.actor.user_id,
            "tokenId": event.actor.token_id,
        },
        "action": event.action,
        "target": {"kind": event.target_kind, "id": event.target_id, "label": event.target_label},
        "before": event.before,
        "after": event.after,
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def streamed(name: str, kind: str, lines: AsyncIterator[str]) -> StreamingResponse:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return StreamingResponse(lines, media_type=kind, headers=headers)


def text_of(request: Request, name: str) -> str | None:
    value = request.query_params.get(name) or None
    if value is not None and ("\0" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        raise InvalidInput(name, "must be text")
    return value


def choice_of(request: Request, name: str, kind: type[E]) -> E | None:
    value = request.query_params.get(name)
    if not value:
        return None
    try:
        return kind(value.lower())
    except ValueError:
        raise InvalidInput(name, f"must be one of {', '.join(kind)}") from None


def instant_of(request: Request, name: str) -> datetime | None:
    value = request.query_params.get(name)
    if not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not 1970 <= at.year <= 9998:
        raise InvalidInput(name, "must be an instant with its zone, like 2026-11-24T09:30:00Z")
    return at.astimezone(UTC)
