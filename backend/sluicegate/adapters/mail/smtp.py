"""Hands letters to an SMTP server."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from sluicegate.adapters.mail.writing import write
from sluicegate.domain.mail import Letter
from sluicegate.kit.clock import Clock
from sluicegate.kit.secret import Secret
from sluicegate.ports.mail import MailDelayed, MailError, MailRefused

TlsMode = Literal["starttls", "tls", "none"]
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where letters go, and who they come from. With `starttls` and `tls` the certificate has to be good."""

    host: str
    port: int
    sender: Address
    tls: TlsMode = "starttls"
    user: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None


class SmtpMailer:
    """Implements ports.mail.Mailer, with a connection for each letter."""

    def __init__(self, server: SmtpServer, clock: Clock) -> None:
        self._server = server
        self._clock = clock

    async def send(self, letter: Letter, message_id: str) -> None:
        try:
            message = write(letter, self._server.sender, message_id, self._clock)
        except (ValueError, MessageError) as error:
            raise MailRefused(f"No message can be written to this address: {error}") from None
        try:
            async with self._connection() as connection:
                await self._hand_over(connection, message)
        except (SMTPException, OSError) as error:
            raise self._verdict(error) from None

    async def _hand_over(self, connection: SMTP, message: EmailMessage) -> None:
        try:
            await connection.send_message(message)
        except SMTPNotSupported:
            place = f"{self._server.host}:{self._server.port}"
            raise MailRefused(
                f"{place} takes no address with letters beyond ASCII: it does not offer SMTPUTF8 (RFC 6531)."
            ) from None

    def _connection(self) -> SMTP:
        server = self._server
        context = None
        if server.tls != "none":
            context = ssl.create_default_context(cafile=str(server.ca_file) if server.ca_file else None)
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password.reveal() if server.password is not None else None,
            timeout=_SECONDS,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            tls_context=context,
        )

    def _verdict(self, error: SMTPException | OSError) -> MailError:
        place = f"{self._server.host}:{self._server.port}"
        match error:
            case SMTPRecipientsRefused(recipients=[refused, *_]):
                return self._verdict(refused)
            case SMTPRecipientRefused() | SMTPDataError():
                kind = MailRefused if 500 <= error.code < 600 else MailDelayed
                return kind(f"{place} said {error.code} {_words(error.message)}")
            case SMTPAuthenticationError():
                return MailDelayed(f"{place} does not accept SLUICEGATE_SMTP_USER and its password ({error.code}).")
            case SMTPResponseException():
                return MailDelayed(f"{place} said {error.code} {_words(error.message)}")
            case SMTPNotSupported():
                return MailDelayed(f"{place} lacks what is needed: {_words(str(error))}")
            case SMTPTimeoutError():
                return MailDelayed(f"{place} did not answer within {_SECONDS:.0f} seconds.")
            case ssl.SSLError() | SMTPConnectError(__cause__=ssl.SSLError()):
                return MailDelayed(f"{place} has no certificate that this server trusts: {_words(str(error))}")
            case SMTPConnectError() | SMTPServerDisconnected():
                return MailDelayed(f"{place} cannot be reached: {_words(str(error))}")
            case _:
                return MailDelayed(f"{place} failed: {_words(str(error) or type(error).__name__)}")


def _words(text: str) -> str:
    """One line of what came from outside. Bytes that are no UTF-8 come as halves of surrogate pairs, which no database
    takes, as PostgreSQL takes no NUL."""
    readable = text.encode(errors="surrogateescape").decode(errors="replace")
    return " ".join(readable.replace("\0", " ").split())[:300]
