"""Webhooks: signed, again until they are taken, refused where they must not go, and told of in a log."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from fakes.identity import Site
from fakes.webhook_receiver import Receiver, webhook_receiver
from services.test_alerts import cap, dollars, hooks, spend, user, watch
from sluicegate.adapters.upstream import Http11Upstream
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import SubjectKind
from sluicegate.domain.user import Role
from sluicegate.domain.webhook import Post, PostKind, PostStatus
from sluicegate.kit.errors import Conflict, Forbidden, InvalidInput, NotFound
from sluicegate.kit.secret import Secret
from sluicegate.ports.pages import PageRequest
from sluicegate.services.caller import Caller
from sluicegate.services.webhooks import NewWebhook, WebhookChange, WebhookService


async def log_of(site: Site, admin: Caller) -> list[Post]:
    return [post for post, _ in (await hooks(site).posts(admin, None, None, PageRequest(100))).items]


async def alerted(site: Site, url: str, **values: object) -> tuple[Caller, Secret]:
    """An administrator with a webhook, to which one alert is about to be posted."""
    ada, mia = await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com")
    _, secret = await hooks(site).create(ada, NewWebhook("pager", url, **values))  # type: ignore[arg-type]
    await cap(site, user(mia), day=dollars(10))
    await spend(site, mia, 8.125)
    await watch(site).look()
    return ada, secret


def check_signature(receiver: Receiver, secret: Secret) -> None:
    """As a receiver would."""
    for message in receiver.received:
        signed = f"{message.headers['x-sluicegate-timestamp']}.".encode() + message.body
        expected = hmac.new(secret.reveal().encode(), signed, hashlib.sha256).hexdigest()
        assert message.headers["x-sluicegate-signature"] == f"v1={expected}"


async def test_an_alert_is_posted_with_a_signature_that_a_receiver_can_check(site: Site) -> None:
    async with webhook_receiver() as receiver:
        ada, secret = await alerted(site, receiver.url)
        await hooks(site).deliver_due()
        await hooks(site).deliver_due()
    (message,) = receiver.received
    check_signature(receiver, secret)
    assert message.target == "POST /hooks/budget?team=a%20b"
    body = json.loads(message.body)
    assert message.headers["x-sluicegate-delivery"] == body["id"]
    assert message.headers["content-type"] == "application/json"
    assert int(message.headers["x-sluicegate-timestamp"]) == int(site.clock.now().timestamp())
    assert body["type"] == "budget.threshold_reached"
    data = body["data"]
    assert (data["threshold_percent"], data["cap_usd"], data["spent_usd"], data["blocked"]) == (
        80,
        "10",
        "8.125",
        False,
    )
    assert data["subject"]["label"] == "Mia <mia@example.com>"
    assert (data["window"], data["period"], data["set_by"]["kind"]) == ("day", "2026-11-24", "user")
    (post,) = await log_of(site, ada)
    assert (post.status, post.attempts, post.answer, post.error) == (PostStatus.DELIVERED, 1, 204, "")


async def test_it_is_tried_again_later_and_later_under_the_same_id_until_it_is_taken(site: Site) -> None:
    async with webhook_receiver(500, 302, 429, 200) as receiver:
        ada, secret = await alerted(site, receiver.url)
        for wait in (0, 10, 20, 40):
            site.clock.advance(wait - 1 if wait else 0)
            await hooks(site).deliver_due()
            if wait:
                site.clock.advance(1)
                await hooks(site).deliver_due()
    check_signature(receiver, secret)
    assert len(receiver.received) == 4
    assert len({message.headers["x-sluicegate-delivery"] for message in receiver.received}) == 1
    assert len({message.headers["x-sluicegate-timestamp"] for message in receiver.received}) == 4
    (post,) = await log_of(site, ada)
    assert (post.status, post.attempts, post.answer) == (PostStatus.DELIVERED, 4, 200)


async def test_it_is_given_up_after_a_day_and_can_be_asked_for_again(site: Site) -> None:
    async with webhook_receiver(503) as receiver:
        ada, _ = await alerted(site, receiver.url)
        while (post := (await log_of(site, ada))[0]).status is PostStatus.QUEUED:
            await hooks(site).deliver_due()
            site.clock.advance(3600)
        assert (post.status, post.answer) == (PostStatus.FAILED, 503)
        assert post.error == "Answered with status 503."
        assert 20 < post.attempts < 40
        receiver.statuses = [200]
        assert (await hooks(site).retry(ada, post.id)).status is PostStatus.QUEUED
        await hooks(site).deliver_due()
    (post,) = await log_of(site, ada)
    assert post.status is PostStatus.DELIVERED
    with pytest.raises(Conflict):
        await hooks(site).retry(ada, post.id)
    with pytest.raises(NotFound):
        await hooks(site).retry(ada, "none")


async def test_what_waits_for_a_webhook_that_is_turned_off_waits_until_it_is_on(site: Site) -> None:
    async with webhook_receiver(503, 200) as receiver:
        ada, _ = await alerted(site, receiver.url)
        await hooks(site).deliver_due()
        (post,) = await log_of(site, ada)
        await hooks(site).update(ada, post.webhook_id, WebhookChange(enabled=False))
        site.clock.advance(3600)
        await hooks(site).deliver_due()
        assert len(receiver.received) == 1
        (post,) = await log_of(site, ada)
        assert (post.status, post.answer, post.error) == (PostStatus.QUEUED, None, "The webhook is off.")
        await hooks(site).update(ada, post.webhook_id, WebhookChange(enabled=True))
        site.clock.advance(3600)
        await hooks(site).deliver_due()
    (post,) = await log_of(site, ada)
    assert (post.status, post.attempts, len(receiver.received)) == (PostStatus.DELIVERED, 3, 2)


async def test_an_endpoint_that_is_gone_is_not_asked_again(site: Site) -> None:
    async with webhook_receiver(410) as receiver:
        ada, _ = await alerted(site, receiver.url)
        await hooks(site).deliver_due()
    (post,) = await log_of(site, ada)
    assert (post.status, post.answer, post.attempts) == (PostStatus.FAILED, 410, 1)


async def test_nobody_there_is_a_reason_and_no_status(site: Site) -> None:
    ada, _ = await alerted(site, "http://127.0.0.1:1/")
    await hooks(site).deliver_due()
    (post,) = await log_of(site, ada)
    assert (post.status, post.answer) == (PostStatus.QUEUED, None)
    assert "127.0.0.1" in post.error


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ({}, 1),
        ({"subjects": (SubjectKind.USER,)}, 1),
        ({"subjects": (SubjectKind.POOL, SubjectKind.KEY)}, 0),
        ({"enabled": False}, 0),
    ],
)
async def test_a_webhook_gets_what_it_is_for(site: Site, values: dict[str, object], count: int) -> None:
    ada, _ = await alerted(site, "http://127.0.0.1:1/", **values)
    assert len(await log_of(site, ada)) == count


async def test_a_test_is_posted_at_once_and_tried_this_once(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with webhook_receiver(200, 500) as receiver:
        webhook, secret = await hooks(site).create(ada, NewWebhook("pager", receiver.url, enabled=False))
        good = await hooks(site).test(ada, webhook.id)
        bad = await hooks(site).test(ada, webhook.id)
        await hooks(site).deliver_due()
    assert (good.kind, good.status, good.answer, good.attempts) == (PostKind.TEST, PostStatus.DELIVERED, 200, 1)
    assert (bad.status, bad.answer, bad.error) == (PostStatus.FAILED, 500, "Answered with status 500.")
    check_signature(receiver, secret)
    assert json.loads(receiver.received[0].body)["type"] == "test"
    assert [post.id for post in await log_of(site, ada)] == [bad.id, good.id]


async def test_a_new_secret_signs_from_then_on_and_neither_is_stored_in_the_open(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with webhook_receiver() as receiver:
        webhook, first = await hooks(site).create(ada, NewWebhook("pager", receiver.url))
        site.clock.advance(60)
        changed, second = await hooks(site).rotate_secret(ada, webhook.id)
        await hooks(site).test(ada, webhook.id)
    assert first != second
    check_signature(receiver, second)
    assert changed.secret_updated_at - webhook.secret_updated_at == timedelta(seconds=60)
    async with site.store.engine.connect() as connection:
        stored = [str(row) for row in await connection.execute(text("SELECT * FROM webhooks"))]
        stored += [str(row) for row in await connection.execute(text("SELECT * FROM audit_events"))]
    assert not any(secret.reveal() in row for secret in (first, second) for row in stored)
    # The address may hold a token of the receiver's.
    assert not any("team=" in row for row in stored[1:])


async def test_without_its_key_a_secret_is_asked_for_again(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    webhook, _ = await hooks(site).create(ada, NewWebhook("pager", "http://127.0.0.1:1/"))
    post = await hooks(site, EnvelopeVault(b"x" * 32)).test(ada, webhook.id)
    assert (post.status, post.error) == (
        PostStatus.FAILED, "Its secret is sealed with a key that is gone: make a new secret."
    )  # fmt: skip


def guarded(site: Site, *addresses: str) -> WebhookService:
    """As a deployment that allows no private addresses, where every name stands for `addresses`."""

    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    upstream = Http11Upstream(resolve=resolve, private_setting="SLUICEGATE_ALLOW_PRIVATE_WEBHOOKS")
    return WebhookService(site.store, EnvelopeVault(b"k" * 32), site.clock, upstream, lambda: None, allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "https://localhost/hook",
        "http://10.1.2.3/",
        "http://[fd00::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://2130706433/",
        "ftp://example.com/",
        "https://user:pass@example.com/",
        "https://example.com/#part",
        "https://example.com/?a=%zz",
        "https://example.com/?" + "a" * 401,
        "example.com",
        "",
    ],
)
async def test_an_address_that_nobody_may_post_to_is_refused(site: Site, url: str) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    with pytest.raises(InvalidInput) as caught:
        await guarded(site).create(ada, NewWebhook("pager", url))
    assert caught.value.field == "url"


@pytest.mark.parametrize("address", ["169.254.169.254", "127.0.0.1", "fd00::1"])
async def test_a_name_that_stands_for_a_private_address_gets_nothing(site: Site, address: str) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    service = guarded(site, "93.184.216.34", address)
    webhook, _ = await service.create(ada, NewWebhook("pager", "https://hooks.example.com/x/"))
    assert webhook.url == "https://hooks.example.com/x/"
    post = await service.test(ada, webhook.id)
    assert post.status is PostStatus.FAILED
    assert "set SLUICEGATE_ALLOW_PRIVATE_WEBHOOKS=true" in post.error


async def test_managing_is_for_administrators_with_the_scope_and_checks_what_it_is_given(site: Site) -> None:
    ada, mia = await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com")
    service = hooks(site)
    webhook, _ = await service.create(ada, NewWebhook(" pager ", "http://127.0.0.1:1/"))
    assert webhook.name == "pager"
    token = Caller(ada.user, ada.actor, frozenset({TokenScope.READ}))
    assert await service.all(token) == [webhook]
    for caller in (mia, token):
        with pytest.raises(Forbidden):
            await service.create(caller, NewWebhook("x", "http://127.0.0.1:1/"))
        with pytest.raises(Forbidden):
            await service.test(caller, webhook.id)
    changed = await service.update(ada, webhook.id, WebhookChange(name="siren", subjects=(SubjectKind.POOL,)))
    assert (changed.name, changed.url, changed.subjects) == ("siren", webhook.url, (SubjectKind.POOL,))
    for kinds in ((), (SubjectKind.GROUP,)):
        with pytest.raises(InvalidInput, match="USER, POOL, KEY"):
            await service.update(ada, webhook.id, WebhookChange(subjects=kinds))
    for number in range(19):
        await service.create(ada, NewWebhook(f"{number}", "http://127.0.0.1:1/"))
    with pytest.raises(Conflict, match="20 webhooks"):
        await service.create(ada, NewWebhook("one too many", "http://127.0.0.1:1/"))
    await service.delete(ada, webhook.id)
    with pytest.raises(NotFound):
        await service.delete(ada, webhook.id)


async def test_what_is_long_over_is_forgotten(site: Site) -> None:
    async with webhook_receiver() as receiver:
        ada, _ = await alerted(site, receiver.url)
        await hooks(site).deliver_due()
    site.clock.advance(timedelta(days=89).total_seconds())
    await hooks(site).tidy()
    assert len(await log_of(site, ada)) == 1
    site.clock.advance(timedelta(days=2).total_seconds())
    await hooks(site).tidy()
    assert await log_of(site, ada) == []
