"""Whose answers a provider keeps, so that nobody goes on with another user's.

All callers share the provider's credential, and to the provider an id is all it takes to read what is stored under it.
Calls that refer to something stored therefore pass only if the same user's call brought it about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from sluicegate.gateway.envelope import Envelope
from sluicegate.gateway.reading import UNREADABLE, loaded
from sluicegate.policy.refusals import Refusal, invalid_request
from sluicegate.ports.kept import KeptOwners

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
    """What requests may refer to, given who owns what is kept."""

    def __init__(self, owners: KeptOwners) -> None:
        self._owners = owners
        self.shared = owners.shared
        self.note = owners.note

    @staticmethod
    def may_refer(envelope: Envelope) -> bool:
        """Whether a Responses request may refer to something stored, at a quick look."""
        return envelope.get("previous_response_id") is not None or _may_name(envelope.part("input"), b'"id"')

    async def learn(self, envelope: Envelope, owner: str) -> None:
        """Asks other processes about what a Responses request refers to; raises Refusal as `check_response` does."""
        named = [identity for identity, _ in _references(envelope) if isinstance(identity, str)]
        if named:
            await self._owners.learn(owner, named)

    def check_response(self, envelope: Envelope, owner: str) -> None:
        """Raises Refusal for a Responses request that refers to what is stored and is not known as the owner's."""
        if envelope.get("conversation") is not None:
            raise invalid_request(
                "Conversations that a provider stores are not served here; send 'input', or 'previous_response_id'.",
                field="conversation",
            )
        for identity, field in _references(envelope):
            self._check(identity, owner, field)
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
        if isinstance(identity, str) and self._owners.belongs(identity, owner):
            return
        raise invalid_request(
            f"'{str(identity)[:_SHOWN]}' is not known here as stored by a call of yours: the gateway remembers that "
            "for 30 days at most. Send what it refers to in 'input'.",
            field=field,
        )


def _references(envelope: Envelope) -> Iterator[tuple[Any, str]]:
    """What a Responses request names as stored, each with the field; raises Refusal where that cannot be read."""
    previous = envelope.get("previous_response_id")
    if previous is not None:
        yield previous, "previous_response_id"
    told = envelope.part("input")
    if told.startswith(b"[") and _may_name(told, b'"id"'):
        for index, item in enumerate(_read(told, _decode_input, "input")):
            if item.refers:
                yield loaded(item.id), f"input.{index}.id"


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


def stored_ids(identity: Raw, output: Raw, store: Raw) -> tuple[str, ...]:
    """Of an answer and of its items, unless it says that it is not stored; none where they cannot be read."""
    if bytes(store) == b"false":
        return ()
    try:
        items = _decode_told(output) if bytes(output) != b"null" else []
        return (_decode_text(identity), *(item.id for item in items if item.id))
    except UNREADABLE:
        return ()
