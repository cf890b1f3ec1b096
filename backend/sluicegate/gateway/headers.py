"""Which headers go on to a provider, and which come back."""

from __future__ import annotations

from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.attribution import OWN_HEADERS
from sluicegate.gateway.credentials import CREDENTIAL_HEADERS
from sluicegate.gateway.http import RawHeaders
from sluicegate.policy.compile import Route

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Set anew by the client, changed by decoding, or nobody's business but the gateway's and the caller's.
_NOT_FORWARDED = (
    _HOP_BY_HOP
    | CREDENTIAL_HEADERS
    | OWN_HEADERS
    | {
        b"accept-encoding",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"cookie",
        b"expect",
        b"forwarded",
        b"host",
        b"openai-organization",
        b"origin",
        b"referer",
        b"via",
        b"x-real-ip",
    }
)
_NOT_RETURNED = _HOP_BY_HOP | {b"content-length", b"set-cookie", b"alt-svc", b"strict-transport-security"}
# An upstream's limits describe the organisation's shared key, not the caller.
_LIMIT_PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-")
_CONTENT_JSON = (b"content-type", b"application/json")
# A compressed answer could not be metered without being unpacked.
_IDENTITY = (b"accept-encoding", b"identity")
_DEFAULT_VERSION = (b"anthropic-version", b"2023-06-01")


def provider_headers(route: Route, dialect: Dialect, caller: RawHeaders) -> RawHeaders:
    """The caller's headers with the provider's credential in place of the caller's."""
    headers = [
        item
        for item in caller
        if item[0] not in _NOT_FORWARDED and not item[0].startswith((b"x-forwarded-", b"sec-", b"access-control-"))
    ]
    headers.append(_CONTENT_JSON)
    headers.append(_IDENTITY)
    secret = route.credential.reveal().encode("latin-1") if route.credential else None
    if dialect is Dialect.ANTHROPIC:
        if secret:
            headers.append((b"x-api-key", secret))
        if not any(name == b"anthropic-version" for name, _ in headers):
            headers.append(_DEFAULT_VERSION)
    else:
        if secret:
            headers.append((b"authorization", b"Bearer " + secret))
        if route.organization:
            headers.append((b"openai-organization", route.organization.encode("latin-1", "ignore")))
    return headers


def returned_headers(upstream: RawHeaders, request_id: bytes) -> RawHeaders:
    """The provider's headers as the caller gets them, with the id of this call."""
    headers = [
        item
        for item in upstream
        if item[0] not in _NOT_RETURNED and item[0] != b"x-request-id" and not item[0].startswith(_LIMIT_PREFIXES)
    ]
    headers.append((b"x-request-id", request_id))
    return headers


def content_type(headers: RawHeaders) -> bytes:
    """The media type in lower case, without parameters; empty when none was sent."""
    for name, value in headers:
        if name == b"content-type":
            return value.partition(b";")[0].strip().lower()
    return b""
