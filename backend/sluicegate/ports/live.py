"""What goes on at this moment: calls in flight, and those that were refused a moment ago."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec


class CallInFlight(msgspec.Struct, frozen=True, rename="camel"):
    """A call that was let in and has not ended. `provider` and `provider_model` are None before a backend was chosen;
    tokens are as known so far: input estimated until the provider tells, output None before a stream has begun."""

    id: str
    user_id: str
    user: str
    key_id: str
    key: str
    model: str
    provider: str | None
    provider_model: str | None
    client_app: str | None
    project: str | None
    started_at: datetime
    streamed: bool
    input_tokens: int
    output_tokens: int | None


class RefusedCall(msgspec.Struct, frozen=True, rename="camel"):
    """Calls that were refused for the same reason, the last of them `at`; `count` are all since the first that is
    remembered. User and key are None where the key is unknown, `model` where nobody got to read it. `retry_after` is in
    seconds."""

    at: datetime
    count: int
    user_id: str | None
    user: str | None
    key_id: str | None
    key: str | None
    model: str | None
    status: int
    code: str
    message: str
    retry_after: int | None


class CallBoard(Protocol):
    """Asynchronous, so that one which gathers from several processes fits too."""

    async def in_flight(self, user_id: str | None, most: int) -> tuple[int, list[CallInFlight]]:
        """How many there are, of everybody or of one user, and those that began first."""
        ...

    async def refused(self, user_id: str | None, most: int) -> list[RefusedCall]:
        """The last ones first, of everybody or of one user."""
        ...

    async def refusals(self) -> tuple[int, int]:
        """How many calls of everybody were refused in the last whole second and in the last minute."""
        ...


class Met(NamedTuple):
    """Subjects that other processes want to see, and what they showed of those that are wanted here."""

    asked: list[str]
    views: dict[str, list[bytes]]


class LiveExchange(Protocol):
    """Carries views between processes for as long as somebody watches. Subjects are ids of users, and "" for
    everybody."""

    async def meet(self, wanted: Collection[str], shown: Mapping[str, bytes]) -> Met | None:
        """What this process wants to see lasts for some seconds, and so does what it shows; None while the others can't
        be reached."""
        ...
