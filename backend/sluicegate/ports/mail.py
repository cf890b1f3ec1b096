"""Getting a letter to the mail server."""

from __future__ import annotations

from typing import Protocol

from sluicegate.domain.mail import Letter


class MailError(Exception):
    """The mail server did not take a letter; `reason` is for administrators and holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MailRefused(MailError):
    """It never will: the address does not exist, or the letter is not wanted."""


class MailDelayed(MailError):
    """It may later: it is away, busy, or set up wrongly on either side."""


class Mailer(Protocol):
    async def send(self, letter: Letter, message_id: str) -> None:
        """Returns once the mail server has taken the letter over; raises MailError. The same `message_id` marks the
        same letter, should it have to be sent twice."""
        ...
