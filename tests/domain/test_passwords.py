"""Long passwords are good unless they are what everybody tries first."""

from __future__ import annotations

import time

import pytest

from sluicegate.domain.passwords import check_password
from sluicegate.kit.errors import InvalidInput

ABOUT = ("ada.lovelace@example.com", "Ada Lovelace")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "purple monkey dishwasher",
        "horse-monkey-purple",
        "tR4v-92kqPzm",
        "niagara overtakes soup",
        "пароль длинный и странный",
        "鍵鍵門橋鳥島森空星海山川",
        "x" + "trombone lamp quarrel " * 11,
    ],
)
def test_unrelated_words_and_random_characters_are_good(password: str) -> None:
    assert check_password(password, about=ABOUT) == password


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "P@$$w0rd12345",
        "Summer2026!!!",
        "qwertyuiop12",
        "1q2w3e4r5t6y",
        "letmeinletmein",
        "iloveyou2much!",
        "aaaaaaaaaaaa",
        "a" * 256,
        "abcdefghijkl",
        "987654321098",
        "xkqzxkqzxkqz",
        "Michael19851985",
        "hunter2hunter2",
        "sluicegate-2026!",
        "5luic3g4t3 2026!",
        "ada.lovelace1815",
        "Lovelace@Example",
    ],
)
def test_words_patterns_and_what_is_known_of_the_owner_are_not_enough(password: str) -> None:
    with pytest.raises(InvalidInput, match="too easy to guess") as refused:
        check_password(password, "newPassword", ABOUT)
    assert refused.value.field == "newPassword"
    assert password not in refused.value.message


def test_what_is_known_of_somebody_else_does_not_matter() -> None:
    assert check_password("babbage engine 42", about=ABOUT)
    with pytest.raises(InvalidInput):
        check_password("babbage engine 42", about=("babbage@engine.example", "Charles"))


@pytest.mark.parametrize(("password", "problem"), [("short one 1", "at least 12"), ("x" * 257, "at most 256")])
def test_length_has_bounds(password: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        check_password(password)


def test_a_check_takes_no_time_that_somebody_could_use_against_us() -> None:
    check_password("correct horse battery")
    started = time.perf_counter()
    for n in range(10):
        with pytest.raises(InvalidInput):
            check_password(str(n) * 256, about=ABOUT)
    assert time.perf_counter() - started < 2
