"""Who asks for a use case, and what that entitles to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.audit import Actor, ActorKind
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.kit.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person (`scopes` is None) or an automation token, which its owner's role bounds too."""

    user: User
    actor: Actor
    scopes: frozenset[TokenScope] | None = None
    session_id: str | None = None

    @property
    def is_admin(self) -> bool:
        return self.user.role is Role.ADMIN

    def require_scope(self, scope: TokenScope) -> None:
        """Raises Forbidden for a token without `scope`; people have every scope."""
        if self.scopes is not None and scope not in self.scopes:
            raise Forbidden(f"This token lacks the scope '{scope}'.")

    def require_every_scope(self, what: str) -> None:
        """Raises Forbidden for a token that lacks any scope: `what` would let it in as somebody who may do more."""
        if self.scopes is not None and not self.scopes.issuperset(TokenScope):
            raise Forbidden(f"A token needs every scope to {what}, since that opens everything to whoever holds it.")

    def require_admin(self, scope: TokenScope) -> None:
        """Raises Forbidden unless the caller is an administrator and, as a token, has `scope`."""
        self.require_scope(scope)
        if not self.is_admin:
            raise Forbidden("Only administrators may do this.")

    def require_self_or_admin(self, user_id: str, scope: TokenScope) -> None:
        """Raises Forbidden unless it is about the caller or the caller is an administrator."""
        self.require_scope(scope)
        if user_id != self.user.id and not self.is_admin:
            raise Forbidden("Only administrators may do this for somebody else.")


def operator() -> Caller:
    """Whoever runs a command beside the database, which is more than any account may; they have none here."""
    user = User("", "", "Operator", Role.ADMIN, UserStatus.ACTIVE, datetime.min.replace(tzinfo=UTC))
    return Caller(user, Actor(ActorKind.SYSTEM, "command line"))
