"""Which passwords are good: long ones that are not made of what everybody tries first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from itertools import pairwise

from sluicegate.kit.errors import InvalidInput

MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 256
_LEAST_WORTH = 8
_LOOKED_AT = 64
_LONGEST_PART = 32
_ROWS = ("1234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm")
_WALKS = (*_ROWS, *(row[::-1] for row in _ROWS))
_YEAR = re.compile(r"19\d\d|20\d\d")
# What people write for a letter, so that it looks less like the word.
_DISGUISES = str.maketrans("4@38!1|05$7+", "aaebiiiosstt")
_PRODUCT = ("sluicegate",)


def check_password(password: str, field: str = "password", about: Iterable[str] = ()) -> str:
    """Raises InvalidInput naming `field` when it is too short, too long or too easy to guess. `about` is what guessers
    know of its owner, such as e-mail address and name."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise InvalidInput(field, f"must have at least {MIN_PASSWORD_LENGTH} characters")
    if len(password) > MAX_PASSWORD_LENGTH:
        raise InvalidInput(field, f"must have at most {MAX_PASSWORD_LENGTH} characters")
    known = frozenset(part for text in (*about, *_PRODUCT) for part in _parts(text))
    if _worth(password[:_LOOKED_AT].casefold(), known) < _LEAST_WORTH:
        raise InvalidInput(
            field, "is too easy to guess; put several unrelated words together, without names, dates or patterns"
        )
    return password


def _worth(text: str, known: frozenset[str]) -> int:
    """How much there is to guess: every character counts 1, but a common word only 2 and a pattern or a word about the
    owner only 1. The cheapest way to put the text together counts."""
    common = _common()
    best = [0]
    for end in range(1, len(text) + 1):
        cost = best[end - 1] + 1
        for start in range(max(0, end - _LONGEST_PART), end - 2):
            part = text[start:end]
            bare = part.translate(_DISGUISES)
            if part in known or bare in known or _is_pattern(part) or text[start - len(part) : start] == part:
                cost = min(cost, best[start] + 1)
            elif part in common or bare in common:
                cost = min(cost, best[start] + 2)
        best.append(cost)
    return best[-1]


def _is_pattern(part: str) -> bool:
    steps = {ord(b) - ord(a) for a, b in pairwise(part)}
    return (len(steps) == 1 and abs(steps.pop()) <= 1) or bool(_YEAR.fullmatch(part)) or any(part in w for w in _WALKS)


def _parts(text: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", text.casefold()) if len(word) >= 3]


@cache
def _common() -> frozenset[str]:
    lines = files("sluicegate.domain").joinpath("common_passwords.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
