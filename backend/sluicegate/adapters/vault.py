"""Envelope encryption of provider credentials.

Every secret has its own data key, which is wrapped by a key-encryption key from the settings. To rotate that key only
the wrapping is redone; the secret itself is never opened for it.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

import structlog

from sluicegate.kit.crypto import SealBroken, key_from_text, keyed_digest, seal, unseal
from sluicegate.kit.secret import Secret

_VERSION = "v1"
log = structlog.get_logger()


class EnvelopeVault:
    """Implements ports.policy.Vault. Seals under `primary`; `secondary` opens what was sealed before a rotation."""

    def __init__(self, primary: bytes, secondary: bytes | None = None) -> None:
        self._primary = primary
        self._keys = (primary,) if secondary is None else (primary, secondary)

    def seal(self, secret: Secret, context: str) -> str:
        data_key = secrets.token_bytes(32)
        box = seal(data_key, secret.reveal().encode(), _secret_context(context))
        return _join(seal(self._primary, data_key, _key_context(context)), box)

    def unseal(self, sealed: str, context: str) -> Secret:
        """Raises SealBroken."""
        wrapped, box = _split(sealed)
        plain = unseal(self._data_key(wrapped, context), box, _secret_context(context))
        return Secret(plain.decode())

    def key_of(self, sealed: str, context: str) -> str | None:
        """The id of the key that it is sealed under; None when no key at hand opens it."""
        try:
            wrapped, _ = _split(sealed)
        except SealBroken:
            return None
        for key in self._keys:
            try:
                unseal(key, wrapped, _key_context(context))
            except SealBroken:
                continue
            return key_id(key)
        return None

    def rewrap(self, sealed: str, context: str) -> str:
        """The same secret under the primary key; raises SealBroken."""
        wrapped, box = _split(sealed)
        return _join(seal(self._primary, self._data_key(wrapped, context), _key_context(context)), box)

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """A key of its own for a purpose, from each key at hand, the primary first."""
        return tuple(keyed_digest(key, f"sluicegate:derived:{purpose}") for key in self._keys)

    def _data_key(self, wrapped: bytes, context: str) -> bytes:
        for key in self._keys:
            try:
                return unseal(key, wrapped, _key_context(context))
            except SealBroken:
                continue
        raise SealBroken


def kept_key(path: Path) -> bytes:
    """The generated key in a file, made at first use; never replaced, since it opens what is stored.

    Raises ValueError where the file holds none, and OSError.
    """
    if not path.exists():
        _keep_new_key(path)
    return key_from_text(path.read_text())


def _keep_new_key(path: Path) -> None:
    """Whole or not at all: half a key could never be told from a broken one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as out:
        out.write(secrets.token_hex(32) + "\n")
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        # Another process was quicker; its key is the one.
        return
    finally:
        draft.unlink()
    log.warning("kek.generated", file=str(path), advice="keep a copy, or set SLUICEGATE_KEK_PRIMARY")


def key_id(key: bytes) -> str:
    """What tells one key from another, and nothing of the key: it takes all its 256 bits to find the same."""
    return keyed_digest(key, "sluicegate:key-id").hex()[:8]


# A wrapped key and a sealed secret are bound to different places: neither can stand in for the other.
def _key_context(context: str) -> str:
    return f"{_VERSION}:key:{context}"


def _secret_context(context: str) -> str:
    return f"{_VERSION}:secret:{context}"


def _join(wrapped: bytes, box: bytes) -> str:
    return ".".join((_VERSION, *(base64.urlsafe_b64encode(part).decode() for part in (wrapped, box))))


def _split(sealed: str) -> tuple[bytes, bytes]:
    try:
        _version, wrapped, box = sealed.split(".")
        parts = base64.b64decode(wrapped, b"-_", validate=True), base64.b64decode(box, b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise SealBroken from None
    # One text for one secret: base64 alone would let the unused bits of a last letter change.
    if _join(*parts) != sealed:
        raise SealBroken
    return parts
