"""Which headers pass the gateway, in either direction. Whatever is not named here passes."""

from __future__ import annotations

from functools import lru_cache

from sluicegate.domain.catalog import Dialect, ProviderKind
from sluicegate.gateway.credentials import CREDENTIAL_HEADERS
from sluicegate.policy.compile import Route, credential_headers
from sluicegate.ports.upstream import RawHeaders

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_NOT_FORWARDED = (
    _HOP_BY_HOP
    | CREDENTIAL_HEADERS
    | {
        # Framing is written anew; the body goes on decoded, and answers must be readable for the meter.
        b"accept-encoding",
        b"content-encoding",
        b"content-length",
        b"expect",
        b"host",
        # Whatever else could pass for a credential or move the call to another account of the provider.
        b"api-key",
        b"cookie",
        b"openai-organization",
        b"openai-project",
        b"x-goog-user-project",
        # About the caller and the proxies on its side.
        b"cdn-loop",
        b"forwarded",
        b"via",
        b"x-client-app",
        b"x-project",
        b"x-real-ip",
    }
)
_NOT_RELAYED = _HOP_BY_HOP | {
    b"alt-svc",
    b"anthropic-organization-id",
    b"content-length",
    b"date",
    b"openai-organization",
    b"openai-project",
    b"server",
    b"set-cookie",
    b"strict-transport-security",
}
# Callers are programs. What a browser would make a page of must run nothing in the console's origin.
_AS_DATA = [(b"x-content-type-options", b"nosniff"), (b"content-security-policy", b"default-src 'none'; sandbox")]
_FOR_BROWSERS = (b"access-control-", b"content-security-policy", b"x-content-type-options")
_NO_PAGES = (b"application/json", b"text/event-stream")
# They describe the provider's account that all callers share.
_SHARED_LIMITS = (b"x-ratelimit-", b"anthropic-ratelimit-", b"anthropic-priority-", b"anthropic-fast-")
_ABOUT_THE_CALL = (b"retry-after", b"retry-after-ms", b"x-should-retry", b"x-upstream-request-id")
_SECRET_LENGTH = 6
_REQUEST_IDS = frozenset({b"x-request-id", b"request-id"})
_ANTHROPIC_VERSION = (b"anthropic-version", b"2023-06-01")
_IDENTITY = (b"accept-encoding", b"identity")


def forwarded(headers: RawHeaders, dialect: Dialect) -> RawHeaders:
    """What a provider gets to see of the caller's headers, still without a credential."""
    dropped = _NOT_FORWARDED
    if named := _named_by_connection(headers):
        dropped = dropped | named
    passed = [h for h in headers if h[0] not in dropped and not h[0].startswith(b"x-forwarded-")]
    passed.append(_IDENTITY)
    if dialect is Dialect.ANTHROPIC and not any(h[0] == b"anthropic-version" for h in passed):
        passed.append(_ANTHROPIC_VERSION)
    return passed


def rewritten(headers: RawHeaders, dialect: Dialect) -> RawHeaders:
    """What a provider gets to see when a request is translated for it: the caller's name, and nothing that speaks of
    the protocol which the request has left."""
    passed = [(b"content-type", b"application/json"), _IDENTITY, (b"accept", b"application/json, text/event-stream")]
    passed += [header for header in headers if header[0] == b"user-agent"]
    return [*passed, _ANTHROPIC_VERSION] if dialect is Dialect.ANTHROPIC else passed


def translated(headers: RawHeaders, content_type: bytes) -> RawHeaders:
    """What a caller gets to see of the headers of an answer that was translated for it."""
    passed = [header for header in relayed(headers) if header[0] in _ABOUT_THE_CALL]
    return [(b"content-type", content_type), *passed]


def _named_by_connection(headers: RawHeaders) -> frozenset[bytes]:
    for name, value in headers:
        if name == b"connection" and value.lower() not in (b"keep-alive", b"close"):
            return frozenset(part.strip().lower() for part in value.split(b","))
    return frozenset()


def addressed(headers: RawHeaders, route: Route, dialect: Dialect) -> RawHeaders:
    """With the provider's own credential and its further headers, which go before those of a caller."""
    if route.headers:
        names = {name for name, _ in route.headers}
        headers = [header for header in headers if header[0] not in names]
    return [*headers, *credentials_for(route, dialect), *route.headers]


def credentials_for(route: Route, dialect: Dialect) -> RawHeaders:
    """The provider's own credential, and whose account of it calls are billed to."""
    if route.credential is None:
        return []
    headers = credential_headers(route.kind, dialect, route.credential)
    if route.organization and dialect is Dialect.OPENAI and route.kind is not ProviderKind.AZURE_OPENAI:
        headers.append((b"openai-organization", route.organization.encode()))
    return headers


def secrets_of(route: Route) -> list[bytes]:
    """What the provider was sent that callers may not know, but for what is too short to be told from other text."""
    known = [value for _, value in route.headers]
    if route.credential is not None:
        known.append(route.credential.reveal().encode())
    return [secret for secret in known if len(secret) >= _SECRET_LENGTH]


def relayed(headers: RawHeaders) -> RawHeaders:
    """What a caller gets to see of a provider's headers; the provider's request id goes by another name."""
    passed: RawHeaders = []
    page = True
    for name, value in headers:
        if told := _relayed_as(name):
            passed.append((told, value))
            if told == b"content-type":
                page = not value.startswith(_NO_PAGES)
    return passed + _AS_DATA if page else passed


# Providers use few names, and the same in every answer.
@lru_cache(maxsize=1024)
def _relayed_as(name: bytes) -> bytes:
    """By what name a header is relayed; empty for those that are not."""
    if name in _NOT_RELAYED or name.startswith(_SHARED_LIMITS + _FOR_BROWSERS):
        return b""
    return b"x-upstream-request-id" if name in _REQUEST_IDS else name


def value_of(headers: RawHeaders, wanted: bytes) -> bytes:
    """The first value of a header, lower-cased; empty when it is absent."""
    for name, value in headers:
        if name == wanted:
            return value.lower()
    return b""
