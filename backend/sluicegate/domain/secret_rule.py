"""Rules that look for secrets in what callers send, and what they found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

MAX_RULES = 200
MAX_PATTERN_LENGTH = 1_000


class SecretAction(StrEnum):
    """What becomes of a call that holds a match, strongest first."""

    BLOCK = "block"
    REDACT = "redact"
    LOG = "log"


class SecretCheck(StrEnum):
    """What a match must also pass. LUHN is the check digit of payment cards."""

    NONE = "none"
    LUHN = "luhn"


@dataclass(frozen=True, slots=True)
class SecretRule:
    """`pattern` is a regular expression in RE2's syntax; its first group, where it has one, is the secret itself.
    `template` names where it came from, in a pack."""

    id: str
    name: str
    description: str
    pattern: str
    action: SecretAction
    check: SecretCheck
    enabled: bool
    template: str | None
    created_at: datetime


class SecretFinding(msgspec.Struct, frozen=True):
    """That a rule matched in one call, and how often; never what it matched. Labels are those of the time."""

    id: str
    at: datetime
    rule_id: str
    rule_name: str
    action: SecretAction
    matches: int
    user_id: str
    user_label: str
    key_id: str
    key_label: str
    model_slug: str
    call_id: str


def passes_luhn(text: bytes) -> bool:
    """Whether the digits in `text` end in the check digit of ISO/IEC 7812, and are not all the same."""
    digits = [byte - 48 for byte in text if 48 <= byte <= 57]
    if len(set(digits)) < 2:
        return False
    doubled = (d * 2 - 9 if d > 4 else d * 2 for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
