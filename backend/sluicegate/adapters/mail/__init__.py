"""Letters: written from templates, handed to an SMTP server."""

from sluicegate.adapters.mail.smtp import SmtpMailer, SmtpServer

__all__ = ["SmtpMailer", "SmtpServer"]
