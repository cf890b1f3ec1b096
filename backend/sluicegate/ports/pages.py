"""Pages of long lists, and what narrows and orders them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from sluicegate.domain.secret_rule import SecretAction
from sluicegate.domain.user import Role, UserStatus

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Keyset paging: at most `first` rows (1 to 100) after an opaque cursor."""

    first: int = 50
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows with the cursor of each; `has_next` tells whether more follow."""

    items: Sequence[tuple[T, str]]
    has_next: bool


@dataclass(frozen=True, slots=True)
class UserFilter:
    """`search` matches anywhere in name or e-mail, case-insensitively; `group_id` restricts to members."""

    search: str | None = None
    role: Role | None = None
    status: UserStatus | None = None
    group_id: str | None = None


class KeyState(StrEnum):
    """What may be looked for among keys. One is stale that works and was not used since an instant, or if never, was
    made before it."""

    ACTIVE = "active"
    STALE = "stale"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """`search` matches anywhere in a key's name, the beginning that is shown, or its owner's name or e-mail,
    case-insensitively. `now` decides what has expired, `stale_before` what is stale."""

    now: datetime
    stale_before: datetime
    search: str | None = None
    state: KeyState | None = None


class UserSort(StrEnum):
    """Orders of a list of people. Without a name the e-mail counts; among those of one role or status names decide;
    who was never active comes before everybody else."""

    NAME_ASC = "name_asc"
    NAME_DESC = "name_desc"
    CREATED_ASC = "created_asc"
    CREATED_DESC = "created_desc"
    LAST_ACTIVE_ASC = "last_active_asc"
    LAST_ACTIVE_DESC = "last_active_desc"
    ROLE_ASC = "role_asc"
    ROLE_DESC = "role_desc"
    STATUS_ASC = "status_asc"
    STATUS_DESC = "status_desc"


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """`actor` is a user's id, `since` inclusive, `until` exclusive. `search` matches anywhere in action, actor and
    target, case-insensitively."""

    actor: str | None = None
    action: str | None = None
    target_kind: str | None = None
    target_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """`since` inclusive, `until` exclusive."""

    rule_id: str | None = None
    action: SecretAction | None = None
    user_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
