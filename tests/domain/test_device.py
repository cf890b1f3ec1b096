"""Codes that people type, and keys that belong to a refresh token."""

from __future__ import annotations

import pytest

from sluicegate.domain.apikey import parse_credential
from sluicegate.domain.device import access_credential, new_user_code, parse_user_code, program_of


def test_codes_are_read_as_people_type_them() -> None:
    codes = {new_user_code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        typed = (code, code.lower(), code.replace("-", ""), f" {code[:4]} {code[5:]} ", "-".join(code))
        assert {parse_user_code(text) for text in typed} == {code}


@pytest.mark.parametrize(
    "text", ["", "WDJB", "WDJB-MJH", "WDJB-MJHTT", "WDJA-MJHT", "1234-5678", "wdjb\N{KELVIN SIGN}mjht"]
)
def test_what_is_no_code_is_none(text: str) -> None:
    assert parse_user_code(text) is None


def test_the_same_tokens_give_the_same_key_and_others_another() -> None:
    made = access_credential("refresh")
    assert parse_credential(made.text) == (made.public_id, made.secret)
    assert access_credential("refresh", made.public_id) == made
    assert access_credential("other", made.public_id).secret != made.secret
    assert access_credential("refresh").public_id != made.public_id


@pytest.mark.parametrize(
    ("surface", "agent", "shown"),
    [
        ("claude_code", "claude-code/2.1.330", "Claude Code"),
        ("", "claude-code/2.1.330", "claude-code"),
        ("editor", "x/1", "editor"),
        ("\x1b[31mred\n", "", "[31mred"),
        ("", "", "An unnamed program"),
        ("y" * 200, "", "y" * 40),
    ],
)
def test_programs_are_called_what_they_call_themselves(surface: str, agent: str, shown: str) -> None:
    assert program_of(surface, agent) == shown
