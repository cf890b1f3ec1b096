"""Gateway keys and automation tokens: their written form and their state.

A key reads `sg_<public id>_<secret><checksum>`: 12 characters of public id by which the row is found, 43 of secret
(256 bits) and 6 of checksum, all of the base-62 alphabet. The checksum refuses typos before any look-up and lets
secret scanners recognise a key offline. Automation tokens have the same form with the prefix `sgt_`.
"""

from __future__ import annotations

import secrets
import string
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
KEY_PREFIX = "sg_"
TOKEN_PREFIX = "sgt_"  # noqa: S105
_PUBLIC, _SECRET, _CHECK = 12, 43, 6


class CredentialStatus(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class TokenScope(StrEnum):
    """What an automation token may touch; its owner's role bounds it all the same."""

    READ = "read"
    USERS = "users"
    POLICY = "policy"
    CATALOG = "catalog"
    KEYS = "keys"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A credential that was just made; `text` is shown once and never kept."""

    public_id: str
    secret: str
    text: str
    prefix: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`model_ids` are all that it may call of what its owner may, None for everything. After a rotation the secret
    before lives until `previous_expires_at` under its own public id."""

    id: str
    public_id: str
    user_id: str
    name: str
    prefix: str
    secret_hash: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    last_used_client: str | None = None
    model_ids: tuple[str, ...] | None = None
    previous_public_id: str | None = None
    previous_secret_hash: str | None = None
    previous_expires_at: datetime | None = None

    def status(self, now: datetime) -> CredentialStatus:
        return _status(self.revoked_at, self.expires_at, now)

    def hash_of(self, public_id: str) -> str | None:
        """The hash of the secret that goes by this public id."""
        return self.secret_hash if public_id == self.public_id else self.previous_secret_hash

    def overlap(self, now: datetime) -> datetime | None:
        """When the secret before the last rotation ends, if it still works."""
        until = self.previous_expires_at
        return until if until is not None and until > now and self.status(now) is CredentialStatus.ACTIVE else None


@dataclass(frozen=True, slots=True)
class AutomationToken:
    id: str
    user_id: str
    name: str
    prefix: str
    token_digest: str
    scopes: tuple[TokenScope, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def status(self, now: datetime) -> CredentialStatus:
        return _status(self.revoked_at, self.expires_at, now)


def _status(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> CredentialStatus:
    if revoked_at is not None:
        return CredentialStatus.REVOKED
    if expires_at is not None and expires_at <= now:
        return CredentialStatus.EXPIRED
    return CredentialStatus.ACTIVE


def _random_text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    return _digits(zlib.crc32(text.encode()), _CHECK)


def _digits(value: int, count: int) -> str:
    """The lowest `count` digits of a number to the base of 62."""
    digits = ""
    for _ in range(count):
        value, digit = divmod(value, 62)
        digits = ALPHABET[digit] + digits
    return digits


def new_credential(prefix: str = KEY_PREFIX) -> NewCredential:
    """A fresh credential with 256 random bits."""
    return _written(prefix, _random_text(_PUBLIC), _random_text(_SECRET))


def credential_from(secret: Callable[[str], bytes], public_id: str | None) -> NewCredential:
    """A key whose 256 bits `secret` gives for its public id, by default a new one."""
    public_id = public_id or _random_text(_PUBLIC)
    return _written(KEY_PREFIX, public_id, _digits(int.from_bytes(secret(public_id)), _SECRET))


def _written(prefix: str, public_id: str, secret: str) -> NewCredential:
    body = f"{prefix}{public_id}_{secret}"
    return NewCredential(public_id, secret, body + _checksum(body), prefix + public_id)


def parse_credential(text: str, prefix: str = KEY_PREFIX) -> tuple[str, str] | None:
    """The public id and the secret of a well-formed credential; None when form or checksum is wrong."""
    start = len(prefix)
    if len(text) != start + _PUBLIC + 1 + _SECRET + _CHECK or not text.startswith(prefix) or not text.isascii():
        return None
    body, check = text[:-_CHECK], text[-_CHECK:]
    if text[start + _PUBLIC] != "_" or _checksum(body) != check:
        return None
    return text[start : start + _PUBLIC], body[start + _PUBLIC + 1 :]
