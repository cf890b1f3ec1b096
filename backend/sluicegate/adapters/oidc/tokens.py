"""ID tokens: whose signature they bear, and whether they are meant for this sign-in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from joserfc import jwk, jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError

from sluicegate.adapters.oidc.discovery import ALGORITHMS
from sluicegate.domain.sso import MAX_SUBJECT_LENGTH
from sluicegate.ports.sso import ProviderRefused

# Seconds by which clocks may differ.
LEEWAY = 60
_FARTHEST = 1e12
_MOST_KEYS = 100
# In characters, which are 64 bits. An RSA signature is checked in no time as long as the public exponent is short: with
# a hundred keys whose exponents are as long as they may be, one token would hold everything up for a second.
_LONGEST_EXPONENT = 11
# The kinds of keys that come in pairs, by how the names of their algorithms begin.
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


class UnknownKey(Exception):
    """Signed with none of the keys that are known."""


class _Registry(jws.JWSRegistry):
    # Some issuers put a certificate into the header; a list of groups is long.
    max_header_length = 16 * 1024
    max_payload_length = 256 * 1024

    def get_alg(self, name: str) -> Any:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(name)
        # Without the word of warning that EdDSA has a newer name (RFC 9864).
        return self.algorithms[name]


class Keys:
    """The keys of an issuer (RFC 7517). Those that cannot be read, or are not for signatures, are left out."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        listed = document.get("keys")
        self._keys: list[jwk.Key] = []
        for data in listed[:_MOST_KEYS] if isinstance(listed, list) else []:
            if not isinstance(data, dict) or data.get("kty") not in _KINDS.values() or data.get("use", "sig") != "sig":
                continue
            if len(str(data.get("e", ""))) > _LONGEST_EXPONENT:
                continue
            try:
                self._keys.append(jwk.import_key(data))
            except (JoseError, ValueError, TypeError, KeyError):
                continue

    def __len__(self) -> int:
        return len(self._keys)

    def fitting(self, header: Mapping[str, Any]) -> list[jwk.Key]:
        """Those that may have signed what bears this header."""
        algorithm, kid = str(header.get("alg")), header.get("kid")
        kind = _KINDS.get(algorithm[:2])
        return [
            key
            for key in self._keys
            if key.key_type == kind
            and key.get("alg", algorithm) == algorithm
            and (kid is None or key.get("kid") is None or key.get("kid") == kid)
        ]


@dataclass(frozen=True, slots=True)
class Expected:
    issuer: str
    client_id: str
    nonce: str


def signed_claims(token: str, keys: Keys) -> dict[str, Any]:
    """What a token says, once its signature holds; raises UnknownKey and ProviderRefused."""
    registry = _Registry(strict_check_header=False)
    try:
        header = jws.extract_compact(token.encode(), registry=registry).headers()
        if header.get("alg") not in ALGORITHMS:
            raise ProviderRefused("The ID token is not signed with a key pair.")
        # What it names must be understood, and nothing of it is here (RFC 7515, section 4.1.11).
        if "crit" in header:
            raise ProviderRefused("The ID token's header asks for something that is not known here.")
        for key in keys.fitting(header):
            try:
                payload = jws.deserialize_compact(token, key, registry=registry).payload
            except (JoseError, ValueError):
                continue
            claims = json.loads(payload)
            if not isinstance(claims, dict):
                raise ProviderRefused("The ID token does not hold an object.")
            return claims
    except (JoseError, ValueError, RecursionError, AttributeError, TypeError):
        raise ProviderRefused("The ID token is malformed.") from None
    raise UnknownKey


def check_claims(claims: Mapping[str, Any], expected: Expected, now: float) -> None:
    """OpenID Connect Core 1.0, section 3.1.3.7; `now` in seconds since 1970. Raises ProviderRefused."""
    if claims.get("iss") != expected.issuer:
        raise ProviderRefused("The ID token is of another issuer.")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise ProviderRefused("The ID token is meant for another client (aud).")
    party = claims.get("azp")
    if party != expected.client_id and (party is not None or len(audiences) > 1):
        raise ProviderRefused("The ID token was made for another client (azp).")
    _check_times(claims, now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not compare_digest(nonce.encode(), expected.nonce.encode()):
        raise ProviderRefused("The ID token belongs to another sign-in (nonce).")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_LENGTH or not subject.isprintable():
        raise ProviderRefused("The ID token names nobody (sub).")


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    expires, issued, begins = _seconds(claims, "exp"), _seconds(claims, "iat"), _seconds(claims, "nbf")
    if expires is None or expires + LEEWAY <= now:
        raise ProviderRefused("The ID token has expired (exp).")
    if issued is None or issued - LEEWAY > now:
        raise ProviderRefused("The ID token is from the future (iat); compare the clocks.")
    if begins is not None and begins - LEEWAY > now:
        raise ProviderRefused("The ID token is not valid yet (nbf); compare the clocks.")


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """None where there is no number; raises ProviderRefused for one that is no time, such as NaN."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not -_FARTHEST < value < _FARTHEST:
        raise ProviderRefused(f"The ID token holds a time that is none ({name}).")
    return float(value)
