"""Webhooks, and what is posted to them: written in the transaction of what it tells of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, select, update

from sluicegate.domain.policy import SubjectKind
from sluicegate.domain.webhook import Post, PostStatus, Webhook
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.paging import paged, to_page
from sluicegate.storage.repositories.rows import to_value
from sluicegate.storage.tables.alerts import POSTS, WEBHOOKS

_QUEUED = POSTS.c.status == PostStatus.QUEUED
_MAX_ERROR = 500


class SqlWebhookRepository:
    """Implements ports.alerts.WebhookRepository. Ids grow with time, so that they give the order of creation."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[Webhook]:
        ordered = select(WEBHOOKS).order_by(func.lower(WEBHOOKS.c.name), WEBHOOKS.c.id)
        return [_webhook(row) for row in await self._connection.execute(ordered)]

    async def get(self, webhook_id: str) -> Webhook | None:
        row = (await self._connection.execute(select(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id))).first()
        return _webhook(row) if row is not None else None

    async def add(self, webhook: Webhook, sealed_secret: str) -> None:
        values = _stored(asdict(webhook)) | {"sealed_secret": sealed_secret}
        await self._connection.execute(insert(WEBHOOKS).values(values))

    async def update(self, webhook_id: str, **values: Any) -> None:
        if values:
            await self._connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id).values(_stored(values)))

    async def set_secret(self, webhook_id: str, sealed_secret: str, at: datetime) -> None:
        values = {"sealed_secret": sealed_secret, "secret_updated_at": at}
        await self._connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id).values(values))

    async def sealed_secret(self, webhook_id: str) -> str | None:
        return (await self.sealed_secrets(webhook_id)).get(webhook_id)

    async def sealed_secrets(self, webhook_id: str | None = None) -> dict[str, str]:
        statement = select(WEBHOOKS.c.id, WEBHOOKS.c.sealed_secret)
        if webhook_id is not None:
            statement = statement.where(WEBHOOKS.c.id == webhook_id)
        return {row.id: row.sealed_secret for row in await self._connection.execute(statement)}

    async def delete(self, webhook_id: str) -> bool:
        return (await self._connection.execute(delete(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id))).rowcount > 0

    async def queue(self, posts: Sequence[Post]) -> None:
        if posts:
            await self._connection.execute(insert(POSTS), [asdict(post) for post in posts])

    async def post(self, post_id: str) -> Post | None:
        row = (await self._connection.execute(select(POSTS).where(POSTS.c.id == post_id))).first()
        return to_value(Post, row) if row is not None else None

    async def due(self, now: datetime, most: int) -> list[str]:
        statement = select(POSTS.c.id).where(_QUEUED, POSTS.c.due_at <= now).order_by(POSTS.c.due_at).limit(most)
        return list(await self._connection.scalars(statement))

    async def take(self, post_id: str, now: datetime, until: datetime) -> Post | None:
        statement = (
            update(POSTS)
            .where(POSTS.c.id == post_id, _QUEUED, POSTS.c.due_at <= now)
            .values(due_at=until, attempts=POSTS.c.attempts + 1)
            .returning(POSTS)
        )
        row = (await self._connection.execute(statement)).first()
        return to_value(Post, row) if row is not None else None

    async def finish(self, post: Post, status: PostStatus, at: datetime, answer: int | None, error: str) -> None:
        ended = {"status": status, "finished_at": at, "answer": answer, "error": error[:_MAX_ERROR]}
        await self._connection.execute(update(POSTS).where(_taken_as(post)).values(**ended))

    async def postpone(self, post: Post, due_at: datetime, answer: int | None, error: str) -> None:
        later = {"due_at": due_at, "answer": answer, "error": error[:_MAX_ERROR]}
        await self._connection.execute(update(POSTS).where(_taken_as(post)).values(**later))

    async def hasten(self, post_id: str, at: datetime, expires_at: datetime) -> bool:
        statement = (
            update(POSTS)
            .where(POSTS.c.id == post_id, POSTS.c.status != PostStatus.DELIVERED)
            .values(status=PostStatus.QUEUED, due_at=at, expires_at=expires_at, finished_at=None)
            .returning(POSTS.c.id)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def page_posts(self, webhook_id: str | None, status: PostStatus | None, page: PageRequest) -> Page[Post]:
        chosen = select(POSTS).where(*_matches(webhook_id, status))
        rows = (await self._connection.execute(paged(chosen, page, POSTS.c.id, descending=True))).all()
        return to_page(rows, page, lambda row: to_value(Post, row), lambda row: [row.id])

    async def count_posts(self, webhook_id: str | None, status: PostStatus | None) -> int:
        return await self._connection.scalar(select(func.count(POSTS.c.id)).where(*_matches(webhook_id, status))) or 0

    async def remove_finished(self, before: datetime) -> None:
        await self._connection.execute(delete(POSTS).where(POSTS.c.finished_at <= before))


def _webhook(row: Row[Any]) -> Webhook:
    return to_value(Webhook, row, subjects=tuple(SubjectKind(kind) for kind in row.subjects))


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"subjects": list(values["subjects"])} if "subjects" in values else values


def _taken_as(post: Post) -> ColumnElement[bool]:
    """Still as when it was taken: whoever was so slow that somebody else took it has no say any more."""
    return and_(POSTS.c.id == post.id, _QUEUED, POSTS.c.attempts == post.attempts)


def _matches(webhook_id: str | None, status: PostStatus | None) -> list[ColumnElement[bool]]:
    wanted = {POSTS.c.webhook_id: webhook_id, POSTS.c.status: status}
    return [column == value for column, value in wanted.items() if value is not None]
