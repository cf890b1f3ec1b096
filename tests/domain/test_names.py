"""Names and addresses that people type, and that others have to tell apart."""

from __future__ import annotations

import pytest

from sluicegate.domain.user import parse_email, parse_name
from sluicegate.kit.errors import InvalidInput

HIDDEN = "\0\t\n\x7f\x85\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff"


@pytest.mark.parametrize("character", HIDDEN)
def test_what_is_not_seen_stands_in_no_name_and_in_no_address(character: str) -> None:
    with pytest.raises(InvalidInput, match="must not contain control characters"):
        parse_name(f"Ada{character}nimda")
    with pytest.raises(InvalidInput, match="is not an e-mail address"):
        parse_email(f"ada{character}nimda@example.com")


@pytest.mark.parametrize(
    "name", ["Ada Lovelace", "Ødegård-Nuñez", "李小龍", "علی\u200cرضا", "עדה", "👩\u200d💻", "O’Brien"]
)
def test_names_of_the_world_are_names(name: str) -> None:
    assert parse_name(f" {name} ") == name
    assert parse_email("Jörg.Müller+ai@example.com") == "jörg.müller+ai@example.com"


def test_names_that_look_the_same_are_the_same() -> None:
    assert parse_name("Rene\u0301e") == parse_name("Ren\u00e9e") == "Ren\u00e9e"
    assert parse_email("rene\u0301e@example.com") == "ren\u00e9e@example.com"
