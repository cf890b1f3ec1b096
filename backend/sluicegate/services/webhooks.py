"""Endpoints of others that get alerts, signed, and again until they take them.

A message is posted at least once: its id stays the same when it is sent again, so that a receiver can tell.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog

from sluicegate.domain.alert import Alert
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import SubjectKind
from sluicegate.domain.user import parse_name
from sluicegate.domain.webhook import (
    ALERTED,
    MAX_WEBHOOKS,
    SECRET_PREFIX,
    Post,
    PostKind,
    PostStatus,
    Webhook,
    signature,
)
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import SealBroken, random_token
from sluicegate.kit.errors import Conflict, InvalidInput, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.secret import Secret
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.ports.policy import Vault
from sluicegate.ports.store import Store, Transaction
from sluicegate.ports.upstream import Origin, RawHeaders, Timeouts, Upstream, UpstreamError, UpstreamRequest
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.alert_letters import alert_message
from sluicegate.services.base_urls import parse_webhook_url
from sluicegate.services.caller import Caller
from sluicegate.services.outbox import deliver_all, retry_wait

log = structlog.get_logger(__name__)
_SECONDS = 10.0
_TIMEOUTS = Timeouts(connect=_SECONDS, first_byte=_SECONDS, idle=_SECONDS)
# Longer than an endpoint is ever waited for.
_HIDDEN = timedelta(minutes=1)
_FIRST_RETRY = timedelta(seconds=10)
_LIFE = timedelta(days=1)
_REMEMBERED = timedelta(days=90)
_GONE = 410


@dataclass(frozen=True, slots=True)
class NewWebhook:
    name: str
    url: str
    subjects: Sequence[SubjectKind] = ALERTED
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class WebhookChange:
    name: str | Absent = ABSENT
    url: str | Absent = ABSENT
    subjects: Sequence[SubjectKind] | Absent = ABSENT
    enabled: bool | Absent = ABSENT


class WebhookService:
    """`upstream` refuses private addresses unless a setting allows them; `allow_private` says whether it does. `nudge`
    makes the delivery job run at once."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        upstream: Upstream,
        nudge: Callable[[], None],
        *,
        allow_private: bool,
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._upstream = upstream
        self._nudge = nudge
        self._allow_private = allow_private

    # Managing

    async def all(self, caller: Caller) -> list[Webhook]:
        """By name."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.webhooks.all()

    async def get_many(self, caller: Caller, ids: Sequence[str]) -> dict[str, Webhook]:
        return {webhook.id: webhook for webhook in await self.all(caller) if webhook.id in ids}

    async def create(self, caller: Caller, new: NewWebhook) -> tuple[Webhook, Secret]:
        """The secret is shown this once."""
        caller.require_admin(TokenScope.SETTINGS)
        now = self._clock.now()
        webhook = Webhook(
            id=new_id(),
            name=parse_name(new.name),
            url=self._url(new.url),
            subjects=_checked_subjects(new.subjects),
            enabled=new.enabled,
            created_at=now,
            secret_updated_at=now,
        )
        secret = _new_secret()
        async with self._store.write() as tx:
            if len(await tx.webhooks.all()) >= MAX_WEBHOOKS:
                raise Conflict(f"There are {MAX_WEBHOOKS} webhooks already; delete one first.")
            await tx.webhooks.add(webhook, self._vault.seal(secret, _place(webhook.id)))
            await tx.audit.record(
                caller.actor, "webhook.create", "webhook", webhook.id, webhook.name, {}, _shown(webhook)
            )
        return webhook, secret

    async def update(self, caller: Caller, webhook_id: str, change: WebhookChange) -> Webhook:
        caller.require_admin(TokenScope.SETTINGS)
        values: dict[str, Any] = {name: value for name, value in asdict(change).items() if value is not ABSENT}
        if change.name is not ABSENT:
            values["name"] = parse_name(change.name)
        if change.url is not ABSENT:
            values["url"] = self._url(change.url)
        if change.subjects is not ABSENT:
            values["subjects"] = _checked_subjects(change.subjects)
        async with self._store.write() as tx:
            before = await _require(tx, webhook_id)
            after = replace(before, **values)
            if after != before:
                await tx.webhooks.update(webhook_id, **values)
                shown = _shown(before), _shown(after)
                await tx.audit.record(caller.actor, "webhook.update", "webhook", webhook_id, after.name, *shown)
        return after

    async def rotate_secret(self, caller: Caller, webhook_id: str) -> tuple[Webhook, Secret]:
        """From now on everything is signed with the new secret, which is shown this once."""
        caller.require_admin(TokenScope.SETTINGS)
        now, secret = self._clock.now(), _new_secret()
        async with self._store.write() as tx:
            before = await _require(tx, webhook_id)
            webhook = replace(before, secret_updated_at=now)
            await tx.webhooks.set_secret(webhook_id, self._vault.seal(secret, _place(webhook_id)), now)
            shown = _shown(before), _shown(webhook)
            await tx.audit.record(caller.actor, "webhook.rotate_secret", "webhook", webhook_id, webhook.name, *shown)
        return webhook, secret

    async def delete(self, caller: Caller, webhook_id: str) -> None:
        """Its log goes too."""
        caller.require_admin(TokenScope.SETTINGS)
        async with self._store.write() as tx:
            webhook = await _require(tx, webhook_id)
            if not await tx.webhooks.delete(webhook_id):
                raise NotFound("webhook")
            await tx.audit.record(
                caller.actor, "webhook.delete", "webhook", webhook_id, webhook.name, _shown(webhook), {}
            )

    async def test(self, caller: Caller, webhook_id: str) -> Post:
        """Posts a test message at once, also to a webhook that is off; it is tried this once."""
        caller.require_admin(TokenScope.SETTINGS)
        now = self._clock.now()
        async with self._store.write() as tx:
            webhook = await _require(tx, webhook_id)
            post = self._post(webhook, PostKind.TEST, None, {"sent_by": caller.user.label})
            # Nobody else takes it, unless this process dies now.
            post = replace(post, due_at=now + _HIDDEN, expires_at=now + _HIDDEN, attempts=1)
            await tx.webhooks.queue([post])
            await tx.audit.record(caller.actor, "webhook.test", "webhook", webhook_id, webhook.name)
        answer, error = await self._attempt(post)
        status = PostStatus.FAILED if error else PostStatus.DELIVERED
        async with self._store.write() as tx:
            await tx.webhooks.finish(post, status, self._clock.now(), answer, error)
            return await tx.webhooks.post(post.id) or post

    async def retry(self, caller: Caller, post_id: str) -> Post:
        """Tries again at once what was not delivered, given up or not."""
        caller.require_admin(TokenScope.SETTINGS)
        now = self._clock.now()
        async with self._store.write() as tx:
            post = await tx.webhooks.post(post_id)
            if post is None:
                raise NotFound("delivery")
            if not await tx.webhooks.hasten(post_id, now, now + _LIFE):
                raise Conflict("This message was delivered.", field="id")
            webhook = await _require(tx, post.webhook_id)
            await tx.audit.record(caller.actor, "webhook.retry", "webhook", webhook.id, webhook.name)
            post = await tx.webhooks.post(post_id) or post
        self._nudge()
        return post

    async def posts(
        self, caller: Caller, webhook_id: str | None, status: PostStatus | None, page: PageRequest
    ) -> Page[Post]:
        """Newest first."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.webhooks.page_posts(webhook_id, status, page)

    async def count_posts(self, caller: Caller, webhook_id: str | None, status: PostStatus | None) -> int:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.webhooks.count_posts(webhook_id, status)

    # Posting

    async def queue_alert(self, tx: Transaction, alert: Alert) -> None:
        """Call `nudge` after the transaction."""
        wanted = [w for w in await tx.webhooks.all() if w.enabled and alert.subject.kind in w.subjects]
        message = alert_message(alert)
        await tx.webhooks.queue([self._post(webhook, PostKind.ALERT, alert.id, message) for webhook in wanted])

    def nudge(self) -> None:
        """Posts what was queued without waiting for the job's time; call it after the transaction."""
        self._nudge()

    async def deliver_due(self) -> None:
        """Posts everything whose time has come."""
        await deliver_all(self._due, self._deliver)

    async def _due(self, limit: int) -> Sequence[str]:
        async with self._store.read() as tx:
            return await tx.webhooks.due(self._clock.now(), limit)

    async def tidy(self) -> None:
        """Forgets what is long over."""
        async with self._store.write() as tx:
            await tx.webhooks.remove_finished(self._clock.now() - _REMEMBERED)

    async def _deliver(self, post_id: str) -> None:
        now = self._clock.now()
        async with self._store.write() as tx:
            post = await tx.webhooks.take(post_id, now, now + _HIDDEN)
        if post is None:
            return
        answer, error = await self._attempt(post)
        now = self._clock.now()
        async with self._store.write() as tx:
            if not error:
                await tx.webhooks.finish(post, PostStatus.DELIVERED, now, answer, "")
                return
            wait = retry_wait(_FIRST_RETRY, post.attempts)
            over = answer == _GONE or now + wait >= post.expires_at
            log.warning("webhook.failed", delivery=post.id, attempts=post.attempts, reason=error, given_up=over)
            if over:
                await tx.webhooks.finish(post, PostStatus.FAILED, now, answer, error)
            else:
                await tx.webhooks.postpone(post, now + wait, answer, error)

    async def _attempt(self, post: Post) -> tuple[int | None, str]:
        """The status that was answered, and why it is not delivered; nothing else of the answer is looked at."""
        async with self._store.read() as tx:
            webhook, sealed = await tx.webhooks.get(post.webhook_id), await tx.webhooks.sealed_secret(post.webhook_id)
        if webhook is None or sealed is None:
            return None, "The webhook was deleted."
        if not webhook.enabled and post.kind is not PostKind.TEST:
            return None, "The webhook is off."
        try:
            secret = self._vault.unseal(sealed, _place(webhook.id))
        except SealBroken:
            return None, "Its secret is sealed with a key that is gone: make a new secret."
        try:
            async with asyncio.timeout(_SECONDS * 2):
                response = await self._upstream.send(self._request(webhook, post, secret))
                status = response.status
                await response.aclose()
        except TimeoutError:
            return None, f"No answer within {_SECONDS * 2:.0f} seconds."
        except UpstreamError as error:
            return None, str(error)
        if 200 <= status < 300:
            return status, ""
        if 300 <= status < 400:
            return status, f"Answered with status {status}; redirects are not followed."
        return status, f"Answered with status {status}."

    def _request(self, webhook: Webhook, post: Post, secret: Secret) -> UpstreamRequest:
        body, timestamp = post.body.encode(), int(self._clock.now().timestamp())
        headers: RawHeaders = [
            (b"content-type", b"application/json"),
            (b"user-agent", b"Sluicegate-Webhook/1"),
            (b"x-sluicegate-delivery", post.id.encode()),
            (b"x-sluicegate-timestamp", str(timestamp).encode()),
            (b"x-sluicegate-signature", signature(secret.reveal(), timestamp, body).encode()),
        ]
        parts = urlsplit(webhook.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return UpstreamRequest(Origin.of(parts), "POST", target, headers, body, _TIMEOUTS)

    def _post(self, webhook: Webhook, kind: PostKind, alert_id: str | None, data: dict[str, Any]) -> Post:
        post_id, now = new_id(), self._clock.now()
        name = "budget.threshold_reached" if kind is PostKind.ALERT else "test"
        body = {"id": post_id, "type": name, "created_at": now.isoformat(), "data": data}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return Post(post_id, webhook.id, kind, alert_id, text, PostStatus.QUEUED, 0, now, now, now + _LIFE)

    def _url(self, text: str) -> str:
        return parse_webhook_url(text, allow_private=self._allow_private)


async def _require(tx: Transaction, webhook_id: str) -> Webhook:
    webhook = await tx.webhooks.get(webhook_id)
    if webhook is None:
        raise NotFound("webhook")
    return webhook


def _new_secret() -> Secret:
    return Secret(SECRET_PREFIX + random_token())


def _place(webhook_id: str) -> str:
    return f"webhook:{webhook_id}"


def _checked_subjects(kinds: Sequence[SubjectKind]) -> tuple[SubjectKind, ...]:
    if not kinds or not set(kinds) <= set(ALERTED):
        known = ", ".join(kind.name for kind in ALERTED)
        raise InvalidInput("subjects", f"must name at least one of {known}; a group's cap for each member is a USER's")
    return tuple(kind for kind in ALERTED if kind in kinds)


def _shown(webhook: Webhook) -> dict[str, Any]:
    """What the audit log keeps. The address may hold a token of the receiver's in path or query."""
    parts = urlsplit(webhook.url)
    return {
        "name": webhook.name,
        "host": f"{parts.scheme}://{parts.netloc}",
        "subjects": [kind.value for kind in webhook.subjects],
        "enabled": webhook.enabled,
        "secret_updated_at": webhook.secret_updated_at.isoformat(),
    }
