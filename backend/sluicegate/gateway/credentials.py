"""The one reader of gateway keys, whatever header an assistant puts them in."""

from __future__ import annotations

from sluicegate.gateway.http import RawHeaders
from sluicegate.policy.refusals import invalid_key

MAX_KEY_LENGTH = 200
CREDENTIAL_HEADERS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key", b"proxy-authorization", b"api-key"})


def read_credential(headers: RawHeaders) -> str:
    """The key of `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`, or several of them when they agree.

    Raises Refusal when there is none, when two differ, or when a value cannot be a key.
    """
    found: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            scheme, _, key = value.partition(b" ")
            if scheme.lower() != b"bearer":
                raise invalid_key("The Authorization header must read 'Bearer <API key>'.")
        elif name in (b"x-api-key", b"x-goog-api-key"):
            key = value
        else:
            continue
        key = key.strip()
        if found is not None and key != found:
            raise invalid_key("Two different API keys were sent; send one, or the same in both headers.")
        found = key
    if not found:
        raise invalid_key("No API key was sent. Send it as 'Authorization: Bearer <API key>' or 'x-api-key'.")
    if len(found) > MAX_KEY_LENGTH or not found.isascii():
        raise invalid_key()
    return found.decode("ascii")
