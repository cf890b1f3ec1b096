"""The caller's key, from wherever it stands.

Clients tie no header to one protocol, and some send two at once. All forms go through here, and two that disagree are
refused: a check that looks at one form while another one is used is how keys get around their limits.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from sluicegate.domain.catalog import Dialect
from sluicegate.gateway.asgi import Request
from sluicegate.policy.refusals import Refusal, invalid_key

CREDENTIAL_HEADERS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key"})
# Names under which one provider or another takes a credential in the query.
_CREDENTIAL_PARAMETERS = frozenset({b"key", b"access_token", b"api_key", b"api-key", b"apikey", b"subscription-key"})
_MAX_LENGTH = 512
_HOW = "Send it as 'Authorization: Bearer <key>' or as 'x-api-key: <key>'."


def credential_of(request: Request) -> str:
    """The one key of a request; raises Refusal `invalid_api_key` when there is none, or when two differ."""
    found = b""
    for name, value in request.headers:
        if name not in CREDENTIAL_HEADERS:
            continue
        key = _bearer(value) if name == b"authorization" else value.strip()
        found = _same(found, key)
    if request.dialect is Dialect.GEMINI and request.query:
        for key in _keys_in(request.query):
            found = _same(found, key)
    if not found:
        raise _missing()
    if len(found) > _MAX_LENGTH:
        raise invalid_key()
    return found.decode("latin-1")


def without_credentials(query: bytes) -> str:
    """The query as a provider gets it, with its question mark; empty when nothing is left."""
    if not query:
        return ""
    kept = [part for part in query.split(b"&") if _name(part) not in _CREDENTIAL_PARAMETERS]
    return "?" + b"&".join(kept).decode("latin-1") if kept else ""


def _same(found: bytes, key: bytes) -> bytes:
    if found and key and key != found:
        raise invalid_key("The request carries two different API keys. Send only one.")
    return found or key


def _keys_in(query: bytes) -> list[bytes]:
    """Google's programs send it as `?key=`."""
    return [unquote_to_bytes(part.partition(b"=")[2]).strip() for part in query.split(b"&") if _name(part) == b"key"]


def _name(part: bytes) -> bytes:
    return unquote_to_bytes(part.partition(b"=")[0]).lower()


def _bearer(value: bytes) -> bytes:
    scheme, _, rest = value.strip().partition(b" ")
    return rest.strip() if scheme.lower() == b"bearer" else b""


def _missing() -> Refusal:
    return invalid_key(f"No API key was sent. {_HOW}")
