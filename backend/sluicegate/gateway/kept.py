"""Whose answers a provider keeps, so that nobody goes on with another user's.

All callers share the provider's credential, and to the provider an id is all it takes to read what is stored under it.
Calls that refer to something stored therefore pass only if the same user's call brought it about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from sluicegate.gateway.envelope import Envelope
from sluicegate.kit.clock import Clock
from sluicegate.policy.refusals import Refusal, invalid_request

# As long as OpenAI keeps what it stores.
KEPT_SECONDS = 30 * 24 * 3600.0
# About 20 MB; the oldest go first.
MOST = 100_000
_SHOWN = 80
# Without one of these no field and no item can refer to anything; letters may be written as numbers.
_MAY_REFER = re.compile(rb'"(?:id|previous_response_id|conversation|container)"|\\u00[2-7]')
_MAY_HOLD_CONTAINER = re.compile(rb'"container"|\\u00[2-7]')


class KeptAnswers:
    """Ids by digest, with the user whose call they came from, in the memory of this process."""

    def __init__(self, clock: Clock, *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._owners: dict[bytes, tuple[str, float]] = {}

    def note(self, owner: str, ids: Iterable[str]) -> None:
        owners, until = self._owners, self._clock.monotonic() + KEPT_SECONDS
        for identity in ids:
            key = _digest(identity)
            owners.pop(key, None)
            owners[key] = (owner, until)
        while len(owners) > self._most:
            del owners[next(iter(owners))]

    def belongs(self, identity: str, owner: str) -> bool:
        known = self._owners.get(_digest(identity))
        return known is not None and known[0] == owner and known[1] > self._clock.monotonic()

    def check_response(self, envelope: Envelope, owner: str) -> None:
        """Raises Refusal for a Responses request that refers to what is stored and is not known as the owner's."""
        if _MAY_REFER.search(envelope.raw) is None:
            return
        if envelope.get("conversation") is not None:
            raise invalid_request(
                "Conversations that a provider stores are not served here; send 'input', or 'previous_response_id'.",
                field="conversation",
            )
        previous = envelope.get("previous_response_id")
        if previous is not None:
            self._check(previous, owner, "previous_response_id")
        items = envelope.get("input")
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict) and _refers(item):
                self._check(item.get("id"), owner, f"input.{index}.id")
        tools = envelope.get("tools")
        for index, tool in enumerate(tools if isinstance(tools, list) else ()):
            if isinstance(tool, dict) and isinstance(tool.get("container"), str):
                raise _container(f"tools.{index}.container")

    @staticmethod
    def check_message(envelope: Envelope) -> None:
        """Raises Refusal for a Messages request that goes on in the container of an earlier one."""
        if _MAY_HOLD_CONTAINER.search(envelope.raw) is None:
            return
        container = envelope.get("container")
        if isinstance(container, str) or (isinstance(container, dict) and container.get("id") is not None):
            raise _container("container")

    def _check(self, identity: Any, owner: str, field: str) -> None:
        if isinstance(identity, str) and self.belongs(identity, owner):
            return
        raise invalid_request(
            f"'{str(identity)[:_SHOWN]}' is not known here as stored by a call of yours: the gateway remembers that "
            "for 30 days, and until it starts anew. Send what it refers to in 'input'.",
            field=field,
        )


def _container(field: str) -> Refusal:
    return invalid_request("A container of an earlier call cannot be used again here; leave its id out.", field=field)


def _refers(item: dict[str, Any]) -> bool:
    """Whether an item of the input stands for one that is stored: by its type, by having nothing but an id, or as a
    thought whose text only the provider has."""
    match item.get("type"):
        case "item_reference":
            return True
        case None:
            return item.get("id") is not None and item.get("role") is None
        case "reasoning":
            return item.get("id") is not None and not item.get("encrypted_content")
        case _:
            return False


def _digest(identity: str) -> bytes:
    return blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class _Item(msgspec.Struct):
    id: str | None = None


_decode_items = msgspec.json.Decoder(list[_Item]).decode
_decode_text = msgspec.json.Decoder(str).decode


def stored_ids(identity: msgspec.Raw, output: msgspec.Raw, store: msgspec.Raw) -> tuple[str, ...]:
    """Of an answer and of its items, unless it says that it is not stored; none where they cannot be read."""
    if bytes(store) == b"false":
        return ()
    try:
        items = _decode_items(output) if bytes(output) != b"null" else []
        return (_decode_text(identity), *(item.id for item in items if item.id))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
