"""Who sends a request: a signed-in browser or an automation token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request

from sluicegate.kit.errors import Unauthenticated
from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller
from sluicegate.web.requests import refuse_other_sites, require_own_page, session_token


async def caller_of(auth: AuthService, request: Request, *, secure: bool) -> Caller | None:
    """None for the anonymous; raises Unauthenticated for a credential that is no good, Forbidden for a page of another
    site. Whatever is no mere download needs the header that only our own pages send."""
    cookie = session_token(request, secure=secure)
    header = request.headers.get("authorization")
    if header is not None:
        if cookie is not None:
            raise Unauthenticated("Send a session cookie or an automation token, not both.")
        scheme, _, token = header.partition(" ")
        caller = await auth.caller_of_token(token.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            raise Unauthenticated("This automation token is unknown, revoked or expired.")
        return caller
    if cookie is None:
        return None
    if request.method == "GET":
        refuse_other_sites(request)
    else:
        require_own_page(request)
    return await auth.caller_of_session(cookie)


def known_caller(auth: AuthService, is_secure: Callable[[], bool]) -> Callable[[Request], Awaitable[Caller]]:
    """As above, for what the anonymous get nothing of: raises Unauthenticated."""

    async def known(request: Request) -> Caller:
        caller = await caller_of(auth, request, secure=is_secure())
        if caller is None:
            raise Unauthenticated("Sign in first.")
        return caller

    return known


def by_https(public_url: Callable[[], str]) -> Callable[[], bool]:
    """Whether people reach this server by https."""
    return lambda: public_url().startswith("https://")
