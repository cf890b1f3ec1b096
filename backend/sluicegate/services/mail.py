"""Letters to people: put into the outbox with the change that they tell of, delivered by a job.

A letter is sent at least once: should the server die after the mail server took a letter and before that is written
down, the same letter goes out again some minutes later, under the same message id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.mail import Delivery, Letter, LetterKind, MailStatus
from sluicegate.domain.user import User, parse_email
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import SealBroken
from sluicegate.kit.errors import AppError, Conflict, NotFound
from sluicegate.kit.ids import new_id
from sluicegate.kit.secret import Secret
from sluicegate.ports.mail import MailDelayed, Mailer, MailError, MailRefused
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.ports.policy import Vault
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.caller import Caller
from sluicegate.services.outbox import deliver_all, retry_wait

log = structlog.get_logger(__name__)
# Longer than a mail server is ever waited for.
_HIDDEN = timedelta(minutes=5)
_FIRST_RETRY = timedelta(seconds=30)
_REMEMBERED = timedelta(days=90)


class MailNotSent(AppError):
    """The mail server said no, or nothing."""

    code = "mail_not_sent"
    status = 502


class MailService:
    """`mailer` is None where no mail server is configured; `nudge` makes the delivery job run at once."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        mailer: Mailer | None,
        nudge: Callable[[], None],
        *,
        site: Callable[[], str],
        zone: ZoneInfo,
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._mailer = mailer
        self._nudge = nudge
        self._site = site
        self._zone = zone

    @property
    def configured(self) -> bool:
        return self._mailer is not None

    # Sending

    async def queue_invitation(self, tx: Transaction, user: User, inviter: str, url: str, expires_at: datetime) -> None:
        """Takes the place of an earlier invitation that was not sent yet. Call `nudge` after the transaction."""
        await tx.mail.cancel(user.id, LetterKind.INVITATION)
        facts = {"inviter": inviter, "url": url, "expires": self._moment(expires_at)}
        await self._queue(tx, user, LetterKind.INVITATION, facts, expires_at)

    async def queue_password_reset(
        self, tx: Transaction, user: User, reason: str, url: str, expires_at: datetime
    ) -> None:
        """As `queue_invitation`; `reason` says who asked for the link."""
        await tx.mail.cancel(user.id, LetterKind.PASSWORD_RESET)
        facts = {"reason": reason, "url": url, "expires": self._moment(expires_at)}
        await self._queue(tx, user, LetterKind.PASSWORD_RESET, facts, expires_at)

    async def queue_alert(self, tx: Transaction, user: User, facts: dict[str, str], expires_at: datetime) -> None:
        """Tells of a budget; `facts` are those of `alert_letters.alert_facts`. Call `nudge` after the transaction."""
        await self._queue(tx, user, LetterKind.BUDGET_ALERT, facts | {"url": self._site()}, expires_at)

    def nudge(self) -> None:
        """Delivers what was queued without waiting for the job's time; call it after the transaction."""
        self._nudge()

    async def _queue(
        self, tx: Transaction, user: User, kind: LetterKind, facts: dict[str, str], expires_at: datetime
    ) -> None:
        now = self._clock.now()
        delivery = Delivery(new_id(), kind, user.email, user.id, MailStatus.QUEUED, 0, now, now, expires_at)
        # The link in it lets in whoever reads it, so that a copy of the database must not be enough.
        sealed = self._vault.seal(Secret(json.dumps(facts | {"site": self._site()})), _place(delivery))
        await tx.mail.add(delivery, sealed)

    async def send_test(self, caller: Caller, to: str) -> None:
        """At once and past the outbox; raises MailNotSent with what the mail server said."""
        caller.require_admin(TokenScope.SETTINGS)
        if self._mailer is None:
            raise Conflict("No mail server is configured; set SLUICEGATE_SMTP_HOST and SLUICEGATE_SMTP_FROM.")
        address = parse_email(to, "to")
        facts = {"sender": caller.user.label, "site": self._site()}
        error: MailError | None = None
        try:
            await self._mailer.send(Letter(LetterKind.TEST, address, facts), new_id())
        except MailError as caught:
            error = caught
        outcome = {"to": address, "error": error.reason if error else None}
        async with self._store.write() as tx:
            await tx.audit.record(caller.actor, "mail.test", "mail", "test", address, {}, outcome)
        if error is not None:
            raise MailNotSent(error.reason, field="to")

    async def retry(self, caller: Caller, delivery_id: str) -> Delivery:
        """Tries a queued letter at once instead of at its time. What is over can't be sent again: its contents are
        forgotten."""
        caller.require_admin(TokenScope.SETTINGS)
        async with self._store.write() as tx:
            delivery = await tx.mail.get(delivery_id)
            if delivery is None:
                raise NotFound("letter")
            now = self._clock.now()
            if not await tx.mail.hasten(delivery_id, now):
                raise Conflict(
                    "This letter is over and its contents are forgotten; make a new invitation or password link.",
                    field="id",
                )
            await tx.audit.record(caller.actor, "mail.retry", "mail", delivery.id, delivery.recipient)
        self._nudge()
        return replace(delivery, due_at=now)

    # Delivering

    async def deliver_due(self) -> None:
        """Sends everything whose time has come."""
        if self._mailer is None:
            return
        await deliver_all(self._due, partial(self._deliver, self._mailer))

    async def _due(self, limit: int) -> Sequence[str]:
        async with self._store.read() as tx:
            return await tx.mail.due(self._clock.now(), limit)

    async def _deliver(self, mailer: Mailer, delivery_id: str) -> None:
        now = self._clock.now()
        async with self._store.write() as tx:
            taken = await tx.mail.take(delivery_id, now, now + _HIDDEN)
        if taken is None:
            return
        delivery, sealed = taken
        try:
            await mailer.send(self._letter(delivery, sealed), delivery.id)
        except MailRefused as error:
            await self._finish(delivery, MailStatus.FAILED, error.reason)
        except SealBroken:
            await self._finish(delivery, MailStatus.FAILED, "It was sealed with a key that is gone.")
        except MailDelayed as error:
            await self._postpone(delivery, error.reason)
        except Exception as error:
            log.exception("mail.unwritten", delivery=delivery.id)
            await self._postpone(delivery, type(error).__name__)
        else:
            await self._finish(delivery, MailStatus.SENT, "")

    def _letter(self, delivery: Delivery, sealed: str) -> Letter:
        facts = json.loads(self._vault.unseal(sealed, _place(delivery)).reveal())
        return Letter(delivery.kind, delivery.recipient, facts)

    async def _postpone(self, delivery: Delivery, reason: str) -> None:
        due_at = self._clock.now() + retry_wait(_FIRST_RETRY, delivery.attempts)
        if due_at >= delivery.expires_at:
            await self._finish(delivery, MailStatus.FAILED, reason)
            return
        log.warning("mail.delayed", delivery=delivery.id, attempts=delivery.attempts, reason=reason)
        async with self._store.write() as tx:
            await tx.mail.postpone(delivery, due_at, reason)

    async def _finish(self, delivery: Delivery, status: MailStatus, reason: str) -> None:
        if status is MailStatus.FAILED:
            log.warning("mail.failed", delivery=delivery.id, attempts=delivery.attempts, reason=reason)
        async with self._store.write() as tx:
            await tx.mail.finish(delivery, status, self._clock.now(), reason)

    async def tidy(self) -> None:
        """Gives up on what was not sent in time, and forgets what is long over."""
        now = self._clock.now()
        async with self._store.write() as tx:
            await tx.mail.expire(now)
            await tx.mail.remove_finished(now - _REMEMBERED)

    # What became of it

    async def page(self, caller: Caller, status: MailStatus | None, page: PageRequest) -> Page[Delivery]:
        """Newest first."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.mail.page(status, page)

    async def count(self, caller: Caller, status: MailStatus | None) -> int:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.mail.count(status)

    async def invitations_of(self, caller: Caller, user_ids: Sequence[str]) -> dict[str, Delivery]:
        """The last invitation that was put into the outbox for each."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.mail.latest_of(user_ids, LetterKind.INVITATION)

    def _moment(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        return f"{local:%A}, {local.day} {local:%B %Y, %H:%M} ({self._zone.key})"


def _place(delivery: Delivery) -> str:
    return f"mail:{delivery.id}"
