"""Letters as people read them, in plain text and in HTML."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from sluicegate.domain.mail import Letter, LetterKind
from sluicegate.kit.clock import Clock

# Filled in from the letter's facts.
_SUBJECTS = {
    LetterKind.INVITATION: "Your invitation to Sluicegate",
    LetterKind.PASSWORD_RESET: "Set a new Sluicegate password",
    LetterKind.BUDGET_ALERT: "{percent} % of {cap_name} is spent",
    LetterKind.TEST: "Test message from Sluicegate",
}
_TEMPLATES = Environment(
    loader=PackageLoader("sluicegate.adapters.mail"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write(letter: Letter, sender: Address, message_id: str, clock: Clock) -> EmailMessage:
    """The whole message; raises ValueError or MessageError for an address that no header can hold."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = _recipient(letter.to)
    # A name from before may hold what ends a line: no letter shall be lost for it.
    message["Subject"] = " ".join(_SUBJECTS[letter.kind].format_map(letter.facts).split())
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{message_id}@{sender.domain}>"
    # Out-of-office replies to a machine help nobody (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_render(letter, "txt"))
    message.add_alternative(_render(letter, "html"), subtype="html")
    return message


def _recipient(to: str) -> Address:
    """Raises ValueError or MessageError."""
    if to.isascii():
        return Address(addr_spec=to)
    # In one piece only ASCII is taken.
    local, _, domain = to.rpartition("@")
    return Address(username=local, domain=domain)


def _render(letter: Letter, form: str) -> str:
    return _TEMPLATES.get_template(f"{letter.kind.value}.{form}").render(letter.facts)
