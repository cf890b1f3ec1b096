"""The caller's key, from whichever header carries it.

Clients tie neither header to one protocol, and some send both at once. All forms go through here, and two that disagree
are refused: a check that looks at one form while another one is used is how keys get around their limits.
"""

from __future__ import annotations

from sluicegate.policy.refusals import Refusal, invalid_key
from sluicegate.ports.upstream import RawHeaders

CREDENTIAL_HEADERS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key"})
_MAX_LENGTH = 512
_HOW = "Send it as 'Authorization: Bearer <key>' or as 'x-api-key: <key>'."


def credential_of(headers: RawHeaders) -> str:
    """The one key in the headers; raises Refusal `invalid_api_key` when there is none, or when two differ."""
    found = b""
    for name, value in headers:
        if name not in CREDENTIAL_HEADERS:
            continue
        key = _bearer(value) if name == b"authorization" else value.strip()
        if found and key and key != found:
            raise invalid_key("The request carries two different API keys. Send only one.")
        found = found or key
    if not found:
        raise _missing()
    if len(found) > _MAX_LENGTH:
        raise invalid_key()
    return found.decode("latin-1")


def _bearer(value: bytes) -> bytes:
    scheme, _, rest = value.strip().partition(b" ")
    return rest.strip() if scheme.lower() == b"bearer" else b""


def _missing() -> Refusal:
    return invalid_key(f"No API key was sent. {_HOW}")
