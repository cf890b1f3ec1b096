"""People and the groups they are in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sluicegate.kit.errors import InvalidInput
from sluicegate.kit.text import HIDDEN, check_visible, composed

INVITATION_DAYS = 7
RESET_MINUTES = 60
MAX_NAME_LENGTH = 120
MAX_EMAIL_LENGTH = 254
_EMAIL = re.compile(
    rf"[^@\s{HIDDEN}]{{1,64}}@"
    r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+"
)


class Role(StrEnum):
    ADMIN = "admin"
    MEMBER = "member"


class UserStatus(StrEnum):
    ACTIVE = "active"
    INVITED = "invited"
    SUSPENDED = "suspended"


class LinkKind(StrEnum):
    """What a one-time link lets its holder do."""

    INVITE = "invite"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class User:
    id: str
    email: str
    name: str
    role: Role
    status: UserStatus
    created_at: datetime
    last_active_at: datetime | None = None

    @property
    def label(self) -> str:
        """How the ledger and the audit log call this person, also after deletion."""
        return f"{self.name} <{self.email}>" if self.name else self.email


def deleted_label(label: str) -> str:
    """What a label says once its person is deleted: `Ada (deleted) <ada@example.com>`."""
    name, bracket, address = label.rpartition(" <")
    return f"{name} (deleted){bracket}{address}" if bracket else f"{label} (deleted)"


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    name: str
    description: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """An invitation or password reset; only the digest of its token is kept. A newer one replaces those before it."""

    id: str
    user_id: str
    kind: LinkKind
    token_digest: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    replaced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `address` and `user_agent` are those of the sign-in."""

    id: str
    user_id: str
    token_digest: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str = ""
    user_agent: str = ""


def parse_email(text: str, field: str = "email") -> str:
    """The address in lower case; raises InvalidInput when it cannot be one."""
    email = composed(text).lower()
    # The sign for kelvin becomes a `k` by both: it would be the address of somebody else.
    becomes_another = email.isascii() and not text.strip().isascii()
    if becomes_another or len(email) > MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        raise InvalidInput(
            field,
            f"{text.strip()[:80]!r} is not an e-mail address; write it like ada@example.com",
        )
    return email


def parse_name(text: str, field: str = "name", *, required: bool = True) -> str:
    """A display name without surrounding blanks; InvalidInput when empty, too long or with what is not seen."""
    name = composed(text)
    if required and not name:
        raise InvalidInput(field, "must not be empty")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidInput(field, f"must have at most {MAX_NAME_LENGTH} characters")
    check_visible(name, field)
    return name
