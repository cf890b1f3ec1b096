"""The tokens by which identity providers come in: the organisation's own, for provisioning only."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from sluicegate.domain.apikey import CredentialStatus, TokenScope, new_credential, parse_credential
from sluicegate.domain.audit import Actor, ActorKind
from sluicegate.domain.scim import MAX_SCIM_TOKENS, OVERLAP_HOURS, SCIM_TOKEN_PREFIX, ScimToken
from sluicegate.domain.user import Role, User, UserStatus, parse_name
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import token_digest
from sluicegate.kit.errors import Conflict, InvalidInput, NotFound, Throttled, Unauthenticated, Unavailable
from sluicegate.kit.ids import new_id
from sluicegate.kit.secret import Secret
from sluicegate.kit.tallies import LocalTallies, Tallies, Tally
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.attempts import network_of
from sluicegate.services.caller import Caller
from sluicegate.services.users import lock_active

# As gateway keys: an address with so many wrong ones in a minute has to wait.
_TRIES, _SECONDS = 30, 60.0
_TOUCH = timedelta(minutes=1)
_SCOPES = frozenset({TokenScope.READ, TokenScope.USERS})
_REFUSED = "This provisioning token is unknown, revoked or has been replaced."


class ScimTokenService:
    """`public_url` gives the address under which identity providers reach this server; `tallies` what counts tries;
    without, this process counts them for itself."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        public_url: Callable[[], str],
        tallies: Callable[[str], Tallies] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._public_url = public_url
        self._tries = (tallies or (lambda _: LocalTallies(clock)))("scim")
        # Digests that let in here before: their bearers are not held up by those who guess from the same address.
        self._familiar: set[str] = set()

    @property
    def base_url(self) -> str:
        return f"{self._public_url()}/scim/v2"

    def now(self) -> datetime:
        """The instant that decides whether a secret still works."""
        return self._clock.now()

    async def all(self, caller: Caller) -> list[ScimToken]:
        """Newest first."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.scim.tokens()

    async def create(self, caller: Caller, name: str) -> tuple[ScimToken, Secret]:
        """A token and its text, which nobody can see again."""
        _require(caller)
        made = new_credential(SCIM_TOKEN_PREFIX)
        token = ScimToken(
            id=new_id(),
            name=parse_name(name),
            prefix=made.prefix,
            token_digest=token_digest(made.text),
            created_at=self._clock.now(),
            created_by=caller.actor.label,
        )
        async with self._store.write() as tx:
            await lock_active(tx, caller)
            if sum(each.revoked_at is None for each in await tx.scim.tokens()) >= MAX_SCIM_TOKENS:
                raise Conflict(f"There are {MAX_SCIM_TOKENS} provisioning tokens already; revoke one first.")
            await tx.scim.add_token(token)
            after = {"name": token.name, "prefix": token.prefix}
            await tx.audit.record(caller.actor, "scim_token.create", "scim_token", token.id, token.name, {}, after)
        return token, Secret(made.text)

    async def rotate(self, caller: Caller, token_id: str, overlap_hours: int) -> tuple[ScimToken, Secret]:
        """A new text for the same token; the one before works for `overlap_hours` more."""
        _require(caller)
        if overlap_hours not in OVERLAP_HOURS:
            raise InvalidInput("overlapHours", f"must be {' or '.join(map(str, OVERLAP_HOURS))}")
        made, now = new_credential(SCIM_TOKEN_PREFIX), self._clock.now()
        async with self._store.write() as tx:
            await lock_active(tx, caller)
            token = await _require_token(tx, token_id)
            if token.revoked_at is not None:
                raise Conflict("This token is revoked; make a new one.", field="id")
            values = {
                "prefix": made.prefix,
                "token_digest": token_digest(made.text),
                "previous_digest": token.token_digest if overlap_hours else None,
                "previous_prefix": token.prefix if overlap_hours else None,
                "previous_expires_at": now + timedelta(hours=overlap_hours) if overlap_hours else None,
            }
            await tx.scim.update_token(token_id, **values)
            states = {"prefix": token.prefix}, {"prefix": made.prefix, "overlap_hours": overlap_hours}
            await tx.audit.record(caller.actor, "scim_token.rotate", "scim_token", token.id, token.name, *states)
        return replace(token, **values), Secret(made.text)

    async def revoke(self, caller: Caller, token_id: str) -> ScimToken:
        """Final, with both of its texts."""
        _require(caller)
        async with self._store.write() as tx:
            token = await _require_token(tx, token_id)
            if token.status is CredentialStatus.REVOKED:
                return token
            now = self._clock.now()
            await tx.scim.update_token(token_id, revoked_at=now)
            after = {"prefix": token.prefix}
            await tx.audit.record(caller.actor, "scim_token.revoke", "scim_token", token.id, token.name, {}, after)
        return replace(token, revoked_at=now)

    async def caller(self, text: str, address: str) -> Caller:
        """Whoever sends a token. Raises Unauthenticated for one that is no good, Throttled for an address that sent
        too many of those."""
        digest = token_digest(text)
        name = f"wrong {network_of(address)}"
        familiar = digest in self._familiar
        if not familiar:
            # Before it is looked up, so that many at once cost no more.
            wait = await self._tries.take(Tally(name, _TRIES, _SECONDS))
            if wait is not None:
                seconds = int(wait) + 1
                raise Throttled(f"Too many wrong tokens from this address. Wait {seconds} seconds.", seconds)
        now = self._clock.now()
        token = await self._find(text, digest)
        if token is None or not token.takes(digest, now):
            self._familiar.discard(digest)
            raise Unauthenticated(_REFUSED)
        if not familiar:
            await self._tries.give_back(name)
            self._remember(digest)
        if token.last_used_at is None or now - token.last_used_at >= _TOUCH:
            # Whoever only looks may do so though nothing can be written down.
            with suppress(Unavailable):
                async with self._store.write() as tx:
                    await tx.scim.touch_token(token.id, now)
        return _caller_of(token)

    async def _find(self, text: str, digest: str) -> ScimToken | None:
        if parse_credential(text, SCIM_TOKEN_PREFIX) is None:
            return None
        async with self._store.read() as tx:
            return await tx.scim.token_by_digest(digest)

    def _remember(self, digest: str) -> None:
        if len(self._familiar) >= 4 * MAX_SCIM_TOKENS:
            self._familiar.clear()
        self._familiar.add(digest)


def _require(caller: Caller) -> None:
    """Whoever holds one changes people, so that a token needs the right to do so as well."""
    caller.require_admin(TokenScope.SETTINGS)
    caller.require_scope(TokenScope.USERS)


async def _require_token(tx: Transaction, token_id: str) -> ScimToken:
    token = await tx.scim.token(token_id)
    if token is None:
        raise NotFound("provisioning token")
    return token


def _caller_of(token: ScimToken) -> Caller:
    """No account stands behind it; like an automation token it lacks every scope but these."""
    user = User("", "", token.name, Role.ADMIN, UserStatus.ACTIVE, token.created_at)
    return Caller(user, Actor(ActorKind.SCIM, f"SCIM: {token.name}", token_id=token.id), _SCOPES)
