"""Letters as a real mail server gets them, and what its answers are taken to mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fakes.mail_server import PASSWORD, SENDER, USER, certificate, mail_server
from fakes.raw_server import Peer, RawServer
from sluicegate.adapters.mail import SmtpMailer, SmtpServer
from sluicegate.domain.mail import Letter, LetterKind
from sluicegate.kit.clock import SystemClock
from sluicegate.kit.secret import Secret
from sluicegate.ports.mail import MailDelayed, MailRefused

CLOCK = SystemClock()
URL = "https://ai.example.com/welcome/token?a=1&b=2"
FACTS = {
    LetterKind.INVITATION: {
        "inviter": "Ada <b>Lovelace</b>",
        "url": URL,
        "expires": "Tuesday, 1 December 2026, 09:00 (UTC)",
        "site": "https://ai.example.com",
    },
    LetterKind.PASSWORD_RESET: {
        "reason": "Somebody asked for a new password of grace@example.com.",
        "url": URL,
        "expires": "Tuesday, 1 December 2026, 09:00 (UTC)",
        "site": "https://ai.example.com",
    },
    LetterKind.BUDGET_ALERT: {
        "percent": "80",
        "cap_name": "your daily cap",
        "spent": "$8.00",
        "cap": "$10.00",
        "set_by": "set by the group R&D for each member",
        "resets": "Tuesday, 1 December 2026, 00:00 (UTC)",
        "blocks": "",
        "url": URL,
        "site": "https://ai.example.com",
    },
    LetterKind.TEST: {"sender": "Ada <ada@example.com>", "site": "https://ai.example.com"},
}


def letter(kind: LetterKind = LetterKind.INVITATION, to: str = "grace@example.com") -> Letter:
    return Letter(kind, to, FACTS[kind])


@pytest.mark.parametrize("kind", list(LetterKind))
async def test_every_letter_arrives_as_text_and_as_html(kind: LetterKind) -> None:
    async with mail_server() as server:
        await server.mailer(CLOCK).send(letter(kind), "0199-id")
    (message,) = server.messages
    assert (message["from"], message["to"]) == ("Sluicegate <gateway@example.com>", "grace@example.com")
    assert message["message-id"] == "<0199-id@example.com>"
    assert message["auto-submitted"] == "auto-generated"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    text, html = (part.get_content() for part in message.iter_parts())
    assert ("https://ai.example.com" in text, "https://ai.example.com" in html) == (True, True)
    if "url" in FACTS[kind]:
        assert URL in text.splitlines()
        assert f'href="{URL.replace("&", "&amp;")}"' in html
        ends = FACTS[kind].get("expires") or FACTS[kind]["resets"]
        assert ends in text
        assert ends in html


@pytest.mark.parametrize(("blocks", "said"), [("", "Calls go on"), ("yes", "are refused until Tuesday")])
async def test_an_alert_says_in_its_subject_what_happened_and_in_its_text_what_follows(blocks: str, said: str) -> None:
    facts = FACTS[LetterKind.BUDGET_ALERT] | {"blocks": blocks}
    async with mail_server() as server:
        await server.mailer(CLOCK).send(Letter(LetterKind.BUDGET_ALERT, "grace@example.com", facts), "1")
    (message,) = server.messages
    assert message["subject"] == "80 % of your daily cap is spent"
    text, html = (part.get_content() for part in message.iter_parts())
    assert "$8.00 of $10.00, set by the group R&D for each member." in text
    assert said in text
    assert "R&amp;D" in html
    assert said in html


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029"])
async def test_a_name_that_ends_a_line_costs_nobody_an_alert(separator: str) -> None:
    facts = FACTS[LetterKind.BUDGET_ALERT] | {"cap_name": f"the daily pool of Research{separator}Bcc: eve@example.com"}
    async with mail_server() as server:
        await server.mailer(CLOCK).send(Letter(LetterKind.BUDGET_ALERT, "grace@example.com", facts), "1")
    (message,) = server.messages
    assert message["subject"] == "80 % of the daily pool of Research Bcc: eve@example.com is spent"
    assert message["bcc"] is None


@pytest.mark.parametrize("address", ["a,b@example.com", "(c)@example.com"])
async def test_an_address_that_no_header_can_hold_is_not_tried_again(address: str) -> None:
    async with mail_server() as server:
        with pytest.raises(MailRefused, match="No message can be written to this address"):
            await server.mailer(CLOCK).send(letter(to=address), "1")


@pytest.mark.parametrize("address", ["j\u00f6rg@example.com", "\u7530\u4e2d@example.com", "j\u00f6rg,a@example.com"])
async def test_letters_beyond_ascii_need_a_server_that_takes_them(address: str) -> None:
    local, _, domain = address.partition("@")
    async with mail_server() as server:
        await server.mailer(CLOCK).send(letter(to=address), "1")
    (message,) = server.messages
    (to,) = message["to"].addresses
    # Python reads headers as ASCII.
    assert (to.username.encode(errors="surrogateescape").decode(), to.domain) == (local, domain)
    assert server.recipients == [f'"{local}"@{domain}' if "," in local else address]
    async with mail_server(utf8=False) as server:
        with pytest.raises(MailRefused, match="does not offer SMTPUTF8"):
            await server.mailer(CLOCK).send(letter(to=address), "1")
        await server.mailer(CLOCK).send(letter(), "2")
    assert server.recipients == ["grace@example.com"]


@pytest.mark.parametrize("address", ["\u00f6\r\nBcc: all@example.com", '"\u00f6\r\n"@example.com'])
async def test_letters_beyond_ascii_lead_to_no_other_header(address: str) -> None:
    async with mail_server() as server:
        with pytest.raises(MailRefused, match="No message can be written"):
            await server.mailer(CLOCK).send(letter(to=address), "1")


async def test_names_are_no_markup() -> None:
    async with mail_server() as server:
        await server.mailer(CLOCK).send(letter(), "1")
    text, html = (part.get_content() for part in server.messages[0].iter_parts())
    assert "Ada <b>Lovelace</b> invites you" in text
    assert "Ada &lt;b&gt;Lovelace&lt;/b&gt; invites you" in html


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("550 5.1.1 No such user", MailRefused), ("451 4.7.1 Try again later", MailDelayed)],
)
async def test_what_a_server_says_of_a_recipient_decides(answer: str, verdict: type[Exception]) -> None:
    async with mail_server() as server:
        server.refusals["grace@example.com"] = answer
        with pytest.raises(verdict) as caught:
            await server.mailer(CLOCK).send(letter(), "1")
    assert answer in str(caught.value)
    assert server.messages == []


@pytest.mark.parametrize(("code", "verdict"), [(b"552", MailRefused), (b"451", MailDelayed)])
async def test_what_a_server_says_can_be_written_down_in_whichever_coding(
    code: bytes, verdict: type[Exception]
) -> None:
    async def overflowing(peer: Peer) -> None:
        await peer.send(b"220 ready\r\n")
        while command := (await peer.reader.readline())[:4]:
            said = code + " Postfach \0 überfüllt".encode("latin-1") if command == b"RCPT" else b"250 OK"
            await peer.send(said + b"\r\n")

    async with RawServer(overflowing) as server:
        mailer = SmtpMailer(SmtpServer("127.0.0.1", server.port, SENDER, "none"), CLOCK)
        with pytest.raises(verdict) as caught:
            await mailer.send(letter(), "1")
    assert str(caught.value).endswith(f"said {code.decode()} Postfach \ufffdberf\ufffdllt")


async def test_a_server_that_is_away_is_no_refusal() -> None:
    async with mail_server() as server:
        mailer = server.mailer(CLOCK)
    with pytest.raises(MailDelayed, match="cannot be reached"):
        await mailer.send(letter(), "1")


async def test_an_address_that_no_header_holds_is_refused_before_anything_is_sent() -> None:
    async with mail_server() as server:
        with pytest.raises(MailRefused):
            await server.mailer(CLOCK).send(letter(to='"a\r\nBcc: all@example.com"@example.com'), "1")
    assert server.messages == []


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
async def test_letters_travel_encrypted_and_signed_in(tmp_path: Path, implicit: bool) -> None:
    context, authority = certificate(tmp_path)
    async with mail_server(context=context, implicit=implicit) as server:
        trusting = SmtpServer(
            "127.0.0.1", server.port, SENDER, "tls" if implicit else "starttls", USER, Secret(PASSWORD), authority
        )
        await SmtpMailer(trusting, CLOCK).send(letter(), "1")
        assert server.signed_in == [True]

        with pytest.raises(MailDelayed, match="SLUICEGATE_SMTP_USER") as wrong:
            await SmtpMailer(replace(trusting, password=Secret("guessed it")), CLOCK).send(letter(), "2")
        assert "guessed" not in str(wrong.value)
        with pytest.raises(MailDelayed, match="certificate"):
            await SmtpMailer(replace(trusting, ca_file=None), CLOCK).send(letter(), "3")
    assert len(server.messages) == 1


async def test_a_server_without_encryption_gets_no_password() -> None:
    async with mail_server() as server:
        careful = SmtpServer("127.0.0.1", server.port, SENDER, "starttls", USER, Secret(PASSWORD))
        with pytest.raises(MailDelayed, match="STARTTLS"):
            await SmtpMailer(careful, CLOCK).send(letter(), "1")
    assert server.messages == []
