"""What an issuer says of itself: OpenID Connect Discovery 1.0, and what is asked of it here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# Signatures that only the issuer can make. HMAC is none: its key is known to every client.
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_NAMES = {
    "authorization_endpoint": "an address to sign in at",
    "token_endpoint": "an address to redeem codes at",
    "jwks_uri": "the keys that it signs with",
}


@dataclass(frozen=True, slots=True)
class Metadata:
    """`names_itself` tells whether its answers name the issuer (RFC 9207)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    auth_methods: tuple[str, ...]
    names_itself: bool


def document_url(issuer: str) -> str:
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def problems_of(issuer: str, document: Mapping[str, Any]) -> list[str]:
    """Everything for which nobody could come in, or none should."""
    found: list[str] = []
    named = document.get("issuer")
    if named != issuer:
        shown = repr(named[:300]) if isinstance(named, str) else "nothing"
        found.append(f"It names {shown} as its issuer, not {issuer!r}; the two must be the same to the letter.")
    found += [f"It does not name {_NAMES[name]} ({name})." for name in _NEEDED if not document.get(name)]
    found += [
        f"Its {name} is not an https address."
        for name in (*_NEEDED, "userinfo_endpoint")
        if document.get(name) and not _is_fit(issuer, document[name])
    ]
    if "code" not in _list(document, "response_types_supported", "code"):
        found.append("It does not offer the authorization code flow (response type code).")
    if "S256" not in _list(document, "code_challenge_methods_supported", "S256"):
        found.append("It does not offer PKCE with S256.")
    if not set(_list(document, "id_token_signing_alg_values_supported", *ALGORITHMS)) & set(ALGORITHMS):
        found.append(f"It signs with none of {', '.join(ALGORITHMS)}.")
    return found


def notes_on(document: Mapping[str, Any]) -> list[str]:
    """What is worth a look and keeps nobody out."""
    found: list[str] = []
    if "code_challenge_methods_supported" not in document:
        found.append("It does not say whether it offers PKCE; it is used all the same.")
    if "email" not in _list(document, "scopes_supported", "email"):
        found.append("It does not list the scope email, without which nobody is found by e-mail address.")
    return found


def metadata_of(document: Mapping[str, Any]) -> Metadata:
    """Of a document without problems."""
    return Metadata(
        issuer=document["issuer"],
        authorization_endpoint=document["authorization_endpoint"],
        token_endpoint=document["token_endpoint"],
        jwks_uri=document["jwks_uri"],
        userinfo_endpoint=document.get("userinfo_endpoint") or None,
        # OpenID Connect Discovery 1.0, section 3: what holds where nothing is said.
        auth_methods=_list(document, "token_endpoint_auth_methods_supported", "client_secret_basic"),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _list(document: Mapping[str, Any], name: str, *otherwise: str) -> tuple[str, ...]:
    value = document.get(name)
    return tuple(str(entry) for entry in value) if isinstance(value, list) else otherwise


def _is_fit(issuer: str, url: Any) -> bool:
    """A plain address, by https if the issuer's own is."""
    if not isinstance(url, str) or not url.isascii() or any(c <= " " or c in '\\#"<>' for c in url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    schemes = ("https",) if issuer.startswith("https://") else ("https", "http")
    return parts.scheme in schemes and bool(parts.hostname) and "@" not in parts.netloc
