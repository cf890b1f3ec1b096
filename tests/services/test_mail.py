"""Letters leave with what they tell of, arrive at a real mail server, and everybody sees what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from fakes.identity import SITE_URL, Site
from fakes.mail_server import MailServer, mail_server
from sluicegate.domain.mail import Delivery, MailStatus
from sluicegate.domain.user import Role, UserStatus
from sluicegate.kit.errors import Conflict, Forbidden, InvalidInput, NotFound
from sluicegate.ports.pages import PageRequest
from sluicegate.services.auth import AuthService, LinkStatus
from sluicegate.services.caller import Caller
from sluicegate.services.mail import MailNotSent
from sluicegate.services.users import UserService

PASSWORD = "correct horse battery"


async def deliveries(site: Site, admin: Caller) -> list[Delivery]:
    return [delivery for delivery, _ in (await site.mail().page(admin, None, PageRequest(100))).items]


async def outbox(site: Site) -> list[tuple[str, str | None]]:
    async with site.store.engine.connect() as connection:
        rows = await connection.execute(text("SELECT status, sealed FROM mail_outbox ORDER BY id"))
        return [(row.status, row.sealed) for row in rows]


def token_in(server: MailServer, index: int = -1) -> str:
    body = server.messages[index].get_body(("plain",))
    assert body is not None
    (url,) = [line for line in body.get_content().splitlines() if line.startswith(SITE_URL + "/")]
    return url.rsplit("/", 1)[1]


async def test_an_invitation_arrives_by_mail_and_is_shown_to_nobody(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with mail_server() as server:
        mailer = server.mailer(site.clock)
        (result,) = await site.invitations(mailer).invite(ada, ["grace@example.com"])
        assert result.user is not None
        assert result.url is None
        await site.mail(mailer).deliver_due()
    assert server.messages[0]["to"] == "grace@example.com"
    auth = AuthService(site.store, site.clock)
    session = await auth.accept(token_in(server), "Grace", PASSWORD)
    assert await auth.caller_of_session(session.reveal()) is not None
    (delivery,) = await deliveries(site, ada)
    assert (delivery.status, delivery.attempts, delivery.error) == (MailStatus.SENT, 1, "")
    assert (await site.mail().invitations_of(ada, [result.user.id]))[result.user.id] == delivery


async def test_without_a_mail_server_the_link_is_shown_and_nothing_is_queued(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    (result,) = await site.invitations().invite(ada, ["grace@example.com"])
    assert result.url is not None
    assert await outbox(site) == []


async def test_nothing_is_queued_for_what_was_not_done(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with mail_server() as server:
        invitations = site.invitations(server.mailer(site.clock))
        (result,) = await invitations.invite(ada, ["ada@example.com"])
        assert isinstance(result.error, Conflict)
        with pytest.raises(Conflict):
            await invitations.resend(ada, ada.user.id)
    assert await outbox(site) == []


async def test_the_database_holds_no_link(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with mail_server() as server:
        mailer = server.mailer(site.clock)
        await site.invitations(mailer).invite(ada, ["grace@example.com"])
        ((_, sealed),) = await outbox(site)
        await site.mail(mailer).deliver_due()
    assert sealed is not None
    assert token_in(server) not in sealed
    assert "welcome" not in sealed
    assert await outbox(site) == [("sent", None)]


async def test_a_refused_recipient_is_given_up_and_seen(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with mail_server() as server:
        server.refusals["grace@example.com"] = "550 5.1.1 No such user"
        mailer = server.mailer(site.clock)
        await site.invitations(mailer).invite(ada, ["grace@example.com", "eve@example.com"])
        await site.mail(mailer).deliver_due()
        site.clock.advance(24 * 3600)
        await site.mail(mailer).deliver_due()
    eve, grace = await deliveries(site, ada)
    assert (eve.status, grace.status, grace.attempts) == (MailStatus.SENT, MailStatus.FAILED, 1)
    assert "550 5.1.1 No such user" in grace.error
    assert [message["to"] for message in server.messages] == ["eve@example.com"]
    assert [sealed for _, sealed in await outbox(site)] == [None, None]


async def test_a_server_that_comes_back_gets_the_letter_once(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with mail_server() as server:
        mailer = server.mailer(site.clock)
    await site.invitations(mailer).invite(ada, ["grace@example.com"])
    await site.mail(mailer).deliver_due()
    (delivery,) = await deliveries(site, ada)
    assert (delivery.status, delivery.due_at) == (MailStatus.QUEUED, site.clock.now() + timedelta(seconds=30))
    assert "cannot be reached" in delivery.error
    site.clock.advance(30)
    await site.mail(mailer).deliver_due()
    (delivery,) = await deliveries(site, ada)
    assert (delivery.attempts, delivery.due_at) == (2, site.clock.now() + timedelta(seconds=60))
    async with mail_server(port=server.port, take=server):
        await site.mail(mailer).deliver_due()
        assert server.messages == []
        site.clock.advance(60)
        await site.mail(mailer).deliver_due()
        site.clock.advance(3600)
        await site.mail(mailer).deliver_due()
    (delivery,) = await deliveries(site, ada)
    assert (delivery.status, delivery.attempts, delivery.error) == (MailStatus.SENT, 3, "")
    assert len(server.messages) == 1


async def test_nobody_tries_longer_than_the_link_lives(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with mail_server() as server:
        mailer = server.mailer(site.clock)
    await site.invitations(mailer).invite(ada, ["grace@example.com"])
    for _ in range(8 * 24):
        await site.mail(mailer).deliver_due()
        site.clock.advance(3600)
    (delivery,) = await deliveries(site, ada)
    assert delivery.status is MailStatus.FAILED
    assert delivery.finished_at is not None
    assert delivery.finished_at <= delivery.expires_at
    assert await outbox(site) == [("failed", None)]


async def test_many_deliverers_send_each_letter_once(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    people = [f"p{n}@example.com" for n in range(30)]
    async with mail_server() as server:
        mailer = server.mailer(site.clock)
        await site.invitations(mailer).invite(ada, people)
        await asyncio.gather(*(site.mail(mailer).deliver_due() for _ in range(4)))
    assert sorted(message["to"] for message in server.messages) == sorted(people)
    assert {status for status, _ in await outbox(site)} == {"sent"}


async def test_a_crash_after_sending_repeats_the_letter_under_its_old_id_and_no_sooner_than_needed(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with mail_server() as server:
        mailer = server.mailer(site.clock)
        await site.invitations(mailer).invite(ada, ["grace@example.com"])
        dying = asyncio.create_task(site.mail(mailer).deliver_due())

        async def die() -> None:
            dying.cancel()
            # A turn of the loop to hear of it: an answer at the same time would go first in Python 3.11's `wait_for`.
            await asyncio.sleep(0)

        server.before_answer = die
        await asyncio.wait([dying])
        assert dying.cancelled()
        server.before_answer = None
        assert [status for status, _ in await outbox(site)] == ["queued"]
        await site.mail(mailer).deliver_due()
        assert len(server.messages) == 1
        site.clock.advance(5 * 60)
        await site.mail(mailer).deliver_due()
        site.clock.advance(24 * 3600)
        await site.mail(mailer).deliver_due()
    first, second = server.messages
    assert first["message-id"] == second["message-id"]
    assert token_in(server, 0) == token_in(server, 1)
    assert [status for status, _ in await outbox(site)] == ["sent"]


async def resend(site: Site, admin: Caller, user_id: str, server: MailServer) -> None:
    await site.invitations(server.mailer(site.clock)).resend(admin, user_id)


async def withdraw(site: Site, admin: Caller, user_id: str, server: MailServer) -> None:
    await site.invitations(server.mailer(site.clock)).withdraw(admin, user_id)


async def delete(site: Site, admin: Caller, user_id: str, server: MailServer) -> None:
    await UserService(site.store).delete(admin, user_id)


@pytest.mark.parametrize(("end", "left"), [(resend, 1), (withdraw, 0), (delete, 0)])
async def test_a_letter_with_a_dead_link_is_not_sent(site: Site, end: Callable[..., object], left: int) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with mail_server() as server:
        mailer = server.mailer(site.clock)
        (result,) = await site.invitations(mailer).invite(ada, ["grace@example.com"])
        assert result.user is not None
        await end(site, ada, result.user.id, server)  # type: ignore[misc]
        await site.mail(mailer).deliver_due()
    assert len(server.messages) == left
    assert (await outbox(site))[0] == ("cancelled", None)
    if left:
        assert (await AuthService(site.store, site.clock).link(token_in(server))).status is LinkStatus.VALID


async def test_what_is_long_over_is_forgotten(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with mail_server() as server:
        mailer = server.mailer(site.clock)
        await site.invitations(mailer).invite(ada, ["grace@example.com"])
        await site.mail(mailer).deliver_due()
        # The second one stays in the queue, since no mail server is configured any more.
        await site.invitations(mailer).invite(ada, ["eve@example.com"])
        site.clock.advance(timedelta(days=8).total_seconds())
        await site.mail().deliver_due()
        await site.mail().tidy()
        assert [status for status, _ in await outbox(site)] == ["sent", "failed"]
        site.clock.advance(timedelta(days=83).total_seconds())
        await site.mail().tidy()
        assert await outbox(site) == [("failed", None)]


async def test_a_test_message_says_at_once_what_the_server_says(site: Site) -> None:
    ada, eve = await site.person("ada@example.com", Role.ADMIN), await site.person("eve@example.com")
    async with mail_server() as server:
        mail = site.mail(server.mailer(site.clock))
        await mail.send_test(ada, "Ops@Example.com")
        server.refusals["ops@example.com"] = "550 5.7.1 Not from you"
        with pytest.raises(MailNotSent, match=r"550 5\.7\.1 Not from you"):
            await mail.send_test(ada, "ops@example.com")
        with pytest.raises(Forbidden):
            await mail.send_test(eve, "ops@example.com")
        with pytest.raises(InvalidInput):
            await mail.send_test(ada, "ops")
    with pytest.raises(Conflict, match="SLUICEGATE_SMTP_HOST"):
        await site.mail().send_test(ada, "ops@example.com")
    assert [message["to"] for message in server.messages] == ["ops@example.com"]
    async with site.store.engine.connect() as connection:
        told = await connection.scalar(text("SELECT count(*) FROM audit_events WHERE action = 'mail.test'"))
    assert told == 2


async def test_members_see_no_letters(site: Site) -> None:
    eve = await site.person("eve@example.com", Role.MEMBER, UserStatus.ACTIVE)
    with pytest.raises(Forbidden):
        await site.mail().page(eve, None, PageRequest())
    with pytest.raises(Forbidden):
        await site.mail().invitations_of(eve, [eve.user.id])


async def test_a_delayed_letter_can_be_tried_at_once_and_one_that_is_over_cannot(site: Site) -> None:
    ada = await site.person("ada@example.com", Role.ADMIN)
    async with mail_server() as server:
        mailer = server.mailer(site.clock)
        server.refusals["grace@example.com"] = "451 later"
        await site.invitations(mailer).invite(ada, ["grace@example.com"])
        await site.mail(mailer).deliver_due()
        (delayed,) = await deliveries(site, ada)
        assert (delayed.status, delayed.attempts) == (MailStatus.QUEUED, 1)
        assert delayed.due_at > site.clock.now()

        server.refusals.clear()
        eve = await site.person("eve@example.com")
        with pytest.raises(Forbidden):
            await site.mail(mailer).retry(eve, delayed.id)
        await site.mail(mailer).deliver_due()
        assert server.messages == []

        hastened = await site.mail(mailer).retry(ada, delayed.id)
        assert hastened.due_at == site.clock.now()
        await site.mail(mailer).deliver_due()
        assert [message["to"] for message in server.messages] == ["grace@example.com"]
        with pytest.raises(Conflict):
            await site.mail(mailer).retry(ada, delayed.id)
        with pytest.raises(NotFound):
            await site.mail(mailer).retry(ada, "none")
