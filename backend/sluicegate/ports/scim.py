"""What is kept for identity providers, and how their lists are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sluicegate.domain.scim import GroupKey, PersonFacts, PersonKey, ScimToken
from sluicegate.domain.user import Group, User

PersonMatch = Sequence[tuple[PersonKey, str | bool]]
"""All of these are to hold; texts are compared without case, except for ids of any kind."""
GroupMatch = Sequence[tuple[GroupKey, str]]


class ScimRepository(Protocol):
    async def tokens(self) -> list[ScimToken]:
        """Newest first."""
        ...

    async def token(self, token_id: str) -> ScimToken | None:
        """Locked until the transaction ends, where it is one that writes."""
        ...

    async def token_by_digest(self, digest: str) -> ScimToken | None:
        """Also by the digest before the last rotation, whether that still works or not."""
        ...

    async def add_token(self, token: ScimToken) -> None: ...
    async def update_token(self, token_id: str, **values: Any) -> None: ...
    async def touch_token(self, token_id: str, at: datetime) -> None: ...

    async def people(self, where: PersonMatch, offset: int, most: int) -> list[User]:
        """In an order that only newcomers at the end change."""
        ...

    async def count_people(self, where: PersonMatch) -> int: ...
    async def facts_of(self, user_ids: Sequence[str]) -> dict[str, PersonFacts]:
        """Of each of them."""
        ...

    async def set_facts(self, user_id: str, facts: PersonFacts) -> None: ...
    async def note_status(self, user_id: str, *, suspended: bool) -> None:
        """Who was suspended by the identity provider, and who was reactivated, or suspended by somebody else."""
        ...

    async def groups(self, where: GroupMatch, offset: int, most: int) -> list[Group]:
        """As `people`."""
        ...

    async def count_groups(self, where: GroupMatch) -> int: ...
    async def external_ids_of(self, group_ids: Sequence[str]) -> dict[str, str]:
        """Of those that have one."""
        ...

    async def set_external_id(self, group_id: str, external_id: str | None) -> None: ...
    async def members_of(self, group_ids: Sequence[str]) -> dict[str, list[str]]:
        """The ids of everybody in each group."""
        ...
