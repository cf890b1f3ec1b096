"""A mail server that is really there, on a free port of loopback."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from ipaddress import IPv4Address
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sluicegate.adapters.mail import SmtpMailer, SmtpServer
from sluicegate.kit.clock import Clock, SystemClock

USER, PASSWORD = "gateway", "smtp password"
_LOOPBACK = IPv4Address("127.0.0.1")


@dataclass
class MailServer:
    """What it took, and what it says to those that it does not take."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    signed_in: list[bool] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    before_answer: Callable[[], Awaitable[None]] | None = None

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        self.recipients.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.signed_in.append(bool(session.authenticated))
        if self.before_answer is not None:
            await self.before_answer()
        return "250 OK"

    def mailer(self, clock: Clock) -> SmtpMailer:
        return SmtpMailer(SmtpServer("127.0.0.1", self.port, SENDER, "none"), clock)


SENDER = Address("Sluicegate", addr_spec="gateway@example.com")


@asynccontextmanager
async def mail_server(
    *,
    port: int = 0,
    utf8: bool = True,
    context: ssl.SSLContext | None = None,
    implicit: bool = False,
    take: MailServer | None = None,
) -> AsyncIterator[MailServer]:
    """With a context it wants encryption and a name and password: after STARTTLS, or from the first byte."""
    server = take or MailServer()

    def authenticate(
        smtp: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)

    def connection() -> SMTP:
        if context is None:
            return SMTP(server, enable_SMTPUTF8=utf8)
        with warnings.catch_warnings():
            # It takes a connection that is encrypted from the first byte for one that is not.
            warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
            return SMTP(
                server,
                tls_context=None if implicit else context,
                require_starttls=not implicit,
                authenticator=authenticate,
                auth_required=True,
                auth_require_tls=not implicit,
            )

    listening = await asyncio.get_running_loop().create_server(
        connection, "127.0.0.1", port, ssl=context if implicit else None
    )
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of its own for 127.0.0.1, and the file by which clients may trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.com")])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(_LOOPBACK)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "mail.pem", folder / "mail.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    return context, chain
