"""Whose answers a provider keeps, so that nobody goes on with another user's.

All callers share the provider's credential, and to the provider an id is all it takes to read what is stored under it.
Calls that refer to something stored therefore pass only if the same user's call brought it about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.reading import UNREADABLE, loaded
from sluicegate.kit.clock import Clock
from sluicegate.policy.refusals import Refusal, invalid_request

# As long as OpenAI keeps what it stores.
KEPT_SECONDS = 30 * 24 * 3600.0
# About 20 MB; the oldest go first.
MOST = 100_000
_SHOWN = 80
_NULL = Raw(b"null")
T = TypeVar("T")


class _Item(msgspec.Struct):
    """As much of an item of the input as tells whether it refers to another one."""

    id: Raw = _NULL
    type: Raw = _NULL
    role: Raw = _NULL
    encrypted_content: Raw = _NULL

    @property
    def refers(self) -> bool:
        """By its type, by having nothing but an id, or as a thought whose text only the provider has."""
        if bytes(self.id) == b"null":
            return False
        match loaded(self.type):
            case "item_reference":
                return True
            case None:
                return bytes(self.role) == b"null"
            case "reasoning":
                return not loaded(self.encrypted_content)
            case _:
                return False


class _Tool(msgspec.Struct):
    container: Raw = _NULL


class _Told(msgspec.Struct):
    id: str | None = None


_decode_input = msgspec.json.Decoder(list[_Item]).decode
_decode_tools = msgspec.json.Decoder(list[_Tool]).decode
_decode_told = msgspec.json.Decoder(list[_Told]).decode
_decode_text = msgspec.json.Decoder(str).decode


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
        if envelope.get("conversation") is not None:
            raise invalid_request(
                "Conversations that a provider stores are not served here; send 'input', or 'previous_response_id'.",
                field="conversation",
            )
        previous = envelope.get("previous_response_id")
        if previous is not None:
            self._check(previous, owner, "previous_response_id")
        told = envelope.part("input")
        if told.startswith(b"[") and _may_name(told, b'"id"'):
            for index, item in enumerate(_read(told, _decode_input, "input")):
                if item.refers:
                    self._check(loaded(item.id), owner, f"input.{index}.id")
        tools = envelope.part("tools")
        if tools.startswith(b"[") and _may_name(tools, b'"container"'):
            for index, tool in enumerate(_read(tools, _decode_tools, "tools")):
                if isinstance(loaded(tool.container), str):
                    raise _container(f"tools.{index}.container")

    @staticmethod
    def check_message(envelope: Envelope) -> None:
        """Raises Refusal for a Messages request that goes on in the container of an earlier one."""
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


def _may_name(part: bytes, name: bytes) -> bool:
    """A quick look: the names of fields may also be written with numbers for letters."""
    return name in part or b"\\u00" in part


def _read(part: bytes, decode: Callable[[bytes], list[T]], field: str) -> list[T]:
    """Raises Refusal for a list that holds anything but objects, since only a list that is read can be checked."""
    try:
        return decode(part)
    except UNREADABLE as error:
        raise invalid_request(f"The field '{field}' cannot be read: {error}.", field=field) from None


def _digest(identity: str) -> bytes:
    return blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def stored_ids(identity: Raw, output: Raw, store: Raw) -> tuple[str, ...]:
    """Of an answer and of its items, unless it says that it is not stored; none where they cannot be read."""
    if bytes(store) == b"false":
        return ()
    try:
        items = _decode_told(output) if bytes(output) != b"null" else []
        return (_decode_text(identity), *(item.id for item in items if item.id))
    except UNREADABLE:
        return ()
