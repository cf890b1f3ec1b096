"""Who may call a root field, declared on the field and printed as a directive in the schema file."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.permission import BasePermission, PermissionExtension
from strawberry.schema_directive import Location

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.user import Role
from sluicegate.graphql.context import Info


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="Callers need at least this role and, when they come with an automation token, this scope.",
)
class Requires:
    role: Role
    scope: TokenScope


class RolePermission(BasePermission):
    """Refuses the anonymous always, members where `role` is ADMIN, tokens without `scope`."""

    def __init__(self, role: Role, scope: TokenScope) -> None:
        self.role = role
        self.scope = scope
        self._schema_directive = Requires(role=role, scope=scope)  # type: ignore[misc]

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        caller = info.context.require_caller()
        if self.role is Role.ADMIN:
            caller.require_admin(self.scope)
        else:
            caller.require_scope(self.scope)
        return True


def members(scope: TokenScope = TokenScope.READ) -> PermissionExtension:
    """Everybody who is signed in; tokens need `scope`."""
    return PermissionExtension([RolePermission(Role.MEMBER, scope)])


def admins(scope: TokenScope = TokenScope.READ) -> PermissionExtension:
    """Administrators; tokens need `scope`."""
    return PermissionExtension([RolePermission(Role.ADMIN, scope)])
