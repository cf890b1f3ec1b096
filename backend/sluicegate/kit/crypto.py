"""Cryptographic primitives: keyed digests, password hashes, sealed boxes."""

from __future__ import annotations

import base64
import hashlib
import secrets

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# OWASP's minimum for Argon2id (19 MiB, two passes): secrets of 256 random bits need no more; a check takes 25 ms.
_KEY_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
_PASSING_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
# Passwords are chosen by people: RFC 9106's second recommendation.
_PASSWORD_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4, type=Type.ID)


class SealBroken(Exception):
    """A sealed text was made with another key or for another place, or was tampered with."""


def random_token(size: int = 32) -> str:
    """URL-safe text with `size` random bytes."""
    return secrets.token_urlsafe(size)


def keyed_digest(key: bytes, text: str) -> bytes:
    """32 bytes of BLAKE2b under `key` (at most 64 bytes): quick, and useless to whoever lacks the key."""
    return hashlib.blake2b(text.encode(), key=key, digest_size=32).digest()


def token_digest(token: str) -> str:
    """SHA-256 of a token with at least 128 random bits, for look-up by equality; not for passwords."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_key_secret(secret: str) -> str:
    """Argon2id of a generated secret. About 25 ms and 19 MiB: call it off the event loop."""
    return _KEY_HASHER.hash(secret)


def hash_passing_secret(secret: str) -> str:
    """Argon2id of a generated secret that is never stored and opens nothing for longer than a moment. Quick."""
    return _PASSING_HASHER.hash(secret)


def hash_password(password: str) -> str:
    """Argon2id of a password. Over 100 ms and 64 MiB: call it off the event loop."""
    return _PASSWORD_HASHER.hash(password)


def verify_hash(hashed: str, secret: str) -> bool:
    """Whether `secret` made `hashed`; the parameters are in the hash. Call it off the event loop."""
    try:
        return _KEY_HASHER.verify(hashed, secret)
    except (VerificationError, InvalidHashError):
        return False


def seal(key: bytes, plain: bytes, context: str) -> bytes:
    """AES-256-GCM: nonce, cipher text and tag. `context` is bound to it and must be given again to open."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def unseal(key: bytes, box: bytes, context: str) -> bytes:
    """What `seal` was given; raises SealBroken."""
    try:
        return AESGCM(key).decrypt(box[:12], box[12:], context.encode())
    except (InvalidTag, ValueError):
        raise SealBroken from None


def key_from_text(text: str) -> bytes:
    """32 bytes from base64 (either alphabet) or 64 hexadecimal digits; raises ValueError otherwise."""
    text = text.strip()
    if len(text) == 64:
        return bytes.fromhex(text)
    raw = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    if len(raw) != 32:
        raise ValueError("a key must have 32 bytes")
    return raw
