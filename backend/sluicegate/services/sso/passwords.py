"""Who may still come in with a password."""

from __future__ import annotations

from sluicegate.domain.user import Role
from sluicegate.kit.errors import Conflict
from sluicegate.ports.store import Transaction


async def may_use_password(tx: Transaction, role: Role) -> bool:
    """Administrators always may, so that nobody is locked out by an identity provider that is away."""
    if role is Role.ADMIN:
        return True
    settings = await tx.sso.settings()
    return settings.members_use_passwords or not settings.enabled


async def require_password_use(tx: Transaction, role: Role) -> None:
    """Raises Conflict, naming the way to come in, for somebody who has proved who it is."""
    if not await may_use_password(tx, role):
        button = (await tx.sso.settings()).button
        raise Conflict(f"Passwords are off for members here. Sign in with {button} instead.")
