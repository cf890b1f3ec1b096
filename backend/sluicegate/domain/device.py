"""Sign-in of an assistant by way of a browser: RFC 8628's device authorization, and what it leaves behind.

The assistant shows a short code, somebody who is signed in approves it in the console, and the assistant gets a gateway
key of theirs, which it renews by a refresh token of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sluicegate.domain.apikey import NewCredential, credential_from

GRANT_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_REFRESH = "refresh_token"
# Consonants alone spell no words, RFC 8628 6.1.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_HALF = 4
CODE_LIFE = timedelta(minutes=10)
# How often an assistant may ask whether it was approved, in seconds.
POLL_SECONDS = 5
# An access token is good for so long, and replaced by the first renewal after half of that.
ACCESS_LIFE = timedelta(hours=8)
# Without a renewal a sign-in ends after so long, and after the second in any case.
IDLE_LIFE = timedelta(days=30)
LONGEST_LIFE = timedelta(days=90)
_PROGRAMS = {"claude_code": "Claude Code"}
_MAX_PROGRAM = 40


class DeviceState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    HANDED_OUT = "handed_out"


class DeviceProblem(StrEnum):
    """Why there is no token, by the names of RFC 6749 5.2 and RFC 8628 3.5."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    INVALID = "invalid_grant"


@dataclass(frozen=True, slots=True)
class DeviceSignIn:
    """`program` is what asks, from `address`; `user_id` is who answered. Once the key is handed out, the public id
    and the instant are those of the last secret that was made for it here."""

    id: str
    user_code: str
    code_digest: str
    program: str
    address: str
    created_at: datetime
    expires_at: datetime
    state: DeviceState = DeviceState.PENDING
    user_id: str | None = None
    key_id: str | None = None
    refresh_digest: str | None = None
    issued_public_id: str | None = None
    issued_at: datetime | None = None


def new_user_code() -> str:
    """Eight letters, such as `WDJB-MJHT`: 34 bits for ten minutes."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(2 * _HALF))
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


def parse_user_code(text: str) -> str | None:
    """As people type it, in any case and with whatever between the letters; None for what is no code."""
    letters = "".join(c for c in text.upper() if c.isalnum())
    if len(letters) != 2 * _HALF or set(letters) - set(_LETTERS):
        return None
    return f"{letters[:_HALF]}-{letters[_HALF:]}"


def program_of(surface: str, user_agent: str) -> str:
    """What asks, in words for people: by its own name for itself, of which nothing is certain."""
    known = _PROGRAMS.get(surface)
    if known is not None:
        return known
    named = surface or user_agent.partition(" ")[0].partition("/")[0]
    return "".join(c for c in named if c.isprintable())[:_MAX_PROGRAM].strip() or "An unnamed program"


def access_credential(refresh_token: str, public_id: str | None = None) -> NewCredential:
    """The key's text that belongs to a refresh token and a public id, by default a new one. Whoever renews in time gets
    the same again, so that several windows of an assistant that share a sign-in do not take each other's away; without
    the refresh token nobody can make it."""

    def secret(of: str) -> bytes:
        return hmac.digest(refresh_token.encode(), of.encode(), hashlib.sha256)

    return credential_from(secret, public_id)
