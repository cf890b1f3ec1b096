"""Alerts and the webhooks that they are posted to, as repositories of a transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sluicegate.domain.alert import Alert, Notice
from sluicegate.domain.policy import PolicyChange, Subject, SubjectKind, Window
from sluicegate.domain.webhook import Post, PostStatus, Webhook
from sluicegate.ports.pages import Page, PageRequest


@dataclass(frozen=True, slots=True)
class Spend:
    """What was settled for a subject in a period (nano-dollars)."""

    subject: Subject
    period: str
    spent: int


@dataclass(frozen=True, slots=True)
class Told:
    """That a threshold was told for a cap (nano-dollars) of a subject in a period."""

    subject: Subject
    period: str
    cap: int


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """`group_id` finds what a group set, for its members or its pool."""

    kind: SubjectKind | None = None
    user_id: str | None = None
    group_id: str | None = None


class AlertRepository(Protocol):
    async def moment(self) -> tuple[int, int]:
        """The database's time (milliseconds since the epoch), and the number of the newest policy change or 0."""
        ...

    async def changes(self, after: int, since: datetime) -> dict[int, PolicyChange]:
        """By their numbers, those with a greater one and those that were made since then, which may have had to wait
        for their turn; without those that no cap depends on."""
        ...

    async def spent_since(self, periods: Collection[str], since_ms: int) -> dict[Subject, int]:
        """Whose totals were written since then by the database's time, with the sum of those (nano-dollars)."""
        ...

    async def capped(self, kind: SubjectKind, after: str, most: int) -> list[str]:
        """The first ids after one, sorted: of all users, whom groups may cap, and of keys and pools with a budget."""
        ...

    async def near(self, subjects: Collection[Subject], periods: Mapping[str, Window], now: datetime) -> list[Subject]:
        """Of these all whose spending in one of the periods has reached a threshold of their cap, and few more: it may
        be that of any cap that is merged for them, and whoever has a running override for one is among them."""
        ...

    async def spends(self, subjects: Collection[Subject], periods: Collection[str]) -> list[Spend]:
        """By subject and period; those who spent nothing are absent."""
        ...

    async def told(self, subjects: Collection[Subject], periods: Collection[str]) -> Mapping[Told, int]:
        """The highest threshold that was told for each cap."""
        ...

    async def add(self, alert: Alert) -> bool:
        """False when the same threshold of the same cap, subject and period is there already; of many who try at once
        exactly one gets True."""
        ...

    async def notify(self, alert_id: str, user_ids: Sequence[str]) -> None: ...
    async def page(self, where: AlertFilter, page: PageRequest) -> Page[Alert]:
        """Newest first."""
        ...

    async def count(self, where: AlertFilter) -> int: ...
    async def notices(self, user_id: str, unread: bool, page: PageRequest) -> Page[Notice]:
        """Newest first."""
        ...

    async def count_notices(self, user_id: str, unread: bool) -> int: ...
    async def mark_read(self, user_id: str, alert_ids: Sequence[str] | None, at: datetime) -> None:
        """All of the user's for None."""
        ...

    async def remove(self, before: datetime) -> None: ...


class WebhookRepository(Protocol):
    async def all(self) -> list[Webhook]:
        """By name."""
        ...

    async def get(self, webhook_id: str) -> Webhook | None: ...
    async def add(self, webhook: Webhook, sealed_secret: str) -> None: ...
    async def update(self, webhook_id: str, **values: Any) -> None: ...
    async def set_secret(self, webhook_id: str, sealed_secret: str, at: datetime) -> None: ...
    async def sealed_secret(self, webhook_id: str) -> str | None: ...
    async def sealed_secrets(self) -> dict[str, str]:
        """By webhook id."""
        ...

    async def delete(self, webhook_id: str) -> bool:
        """What was posted to it goes too. False when there is none."""
        ...

    async def queue(self, posts: Sequence[Post]) -> None: ...
    async def post(self, post_id: str) -> Post | None: ...
    async def due(self, now: datetime, most: int) -> list[str]:
        """Ids of queued posts whose time has come."""
        ...

    async def take(self, post_id: str, now: datetime, until: datetime) -> Post | None:
        """Counts an attempt and hides a post that is due from everybody else until then; None when somebody else was
        quicker."""
        ...

    async def finish(self, post: Post, status: PostStatus, at: datetime, answer: int | None, error: str) -> None:
        """Has no effect when somebody else took the post meanwhile; neither has `postpone`."""
        ...

    async def postpone(self, post: Post, due_at: datetime, answer: int | None, error: str) -> None: ...
    async def hasten(self, post_id: str, at: datetime, expires_at: datetime) -> bool:
        """A post that was not delivered is due at once; False when it was delivered."""
        ...

    async def page_posts(self, webhook_id: str | None, status: PostStatus | None, page: PageRequest) -> Page[Post]:
        """Newest first."""
        ...

    async def count_posts(self, webhook_id: str | None, status: PostStatus | None) -> int: ...
    async def remove_finished(self, before: datetime) -> None: ...
