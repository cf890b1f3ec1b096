"""Signing in through an identity provider: there, and back with a code.

What ties the two together travels sealed in a cookie of the browser, so that any server may take the way back.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any

import structlog

from sluicegate.domain.sso import CALLBACK_PATH, SECRET_PLACE, SignInWay, SsoProblem, SsoSettings, read_claims
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import SealBroken, random_token, token_digest
from sluicegate.kit.errors import Conflict, Throttled
from sluicegate.kit.secret import Secret
from sluicegate.kit.tallies import LocalTallies, Tallies
from sluicegate.ports.policy import Vault
from sluicegate.ports.sso import OpenIdClient, OpenIdProvider, Passage, ProviderRefused, ProviderUnreachable
from sluicegate.ports.store import Store
from sluicegate.services.attempts import Attempts, network_of
from sluicegate.services.sessions import open_session
from sluicegate.services.sso.given import Rules, align
from sluicegate.services.sso.people import NotLetIn, recognised

log = structlog.get_logger(__name__)
FLOW_SECONDS = 600
_FLOW_PLACE = "sso-flow"
_MAX_NEXT = 1000
_MAX_CODE = 4096
_PER_ADDRESS = 50


@dataclass(frozen=True, slots=True)
class SignInWays:
    """What the sign-in page offers; `label` names the button, `passwords` tells whether members may use theirs."""

    enabled: bool
    label: str
    passwords: bool


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send the browser, and what it has to bring back."""

    url: str
    cookie: Secret


@dataclass(frozen=True, slots=True)
class Arrival:
    """The token of a new session, or why there is none; and the page that was wanted."""

    next: str
    outcome: Secret | SsoProblem


@dataclass(frozen=True, slots=True)
class _Flow:
    """A sign-in that was begun. `expires` is in seconds since 1970."""

    state: str
    nonce: str
    verifier: str
    issuer: str
    client_id: str
    next: str
    expires: float


class SsoSignIn:
    """`provider` gives what asks issuers, `public_url` the address under which people reach the console, `tallies` what
    counts tries; without, this process counts them for itself."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        provider: Callable[[], Awaitable[OpenIdProvider]],
        public_url: Callable[[], str],
        tallies: Callable[[str], Tallies] | None = None,
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._provider = provider
        self._public_url = public_url
        tallies = tallies or (lambda _: LocalTallies(clock))
        # Nobody is known yet when a code comes back: tries are counted by address alone.
        self._attempts = Attempts(tallies, "sso", per_email=_PER_ADDRESS, per_address=_PER_ADDRESS)

    async def ways(self) -> SignInWays:
        async with self._store.read() as tx:
            settings = await tx.sso.settings()
        return SignInWays(settings.enabled, settings.button, settings.members_use_passwords or not settings.enabled)

    async def begin(self, wanted: str) -> Departure | SsoProblem:
        """`wanted` is the page to go on to."""
        settings, secret = await self._client_settings()
        if not settings.enabled:
            return SsoProblem.OFF
        passage = Passage(random_token(), random_token(), random_token(48))
        try:
            provider = await self._provider()
            client = self._client(settings, secret)
            url = await provider.authorization_url(client, settings.all_scopes, passage)
        except ProviderUnreachable as error:
            log.warning("sso.unreachable", issuer=settings.issuer, reason=str(error))
            return SsoProblem.UNREACHABLE
        flow = _Flow(
            **asdict(passage),
            issuer=settings.issuer,
            client_id=settings.client_id,
            next=own_page(wanted),
            expires=self._clock.now().timestamp() + FLOW_SECONDS,
        )
        return Departure(url, Secret(self._vault.seal(Secret(json.dumps(asdict(flow))), _FLOW_PLACE)))

    async def finish(self, answer: Mapping[str, str], cookie: str | None, address: str, user_agent: str) -> Arrival:
        """`answer` is what the issuer had the browser bring, `cookie` what `begin` gave it. Never raises for what
        either holds."""
        flow = self._opened(cookie)
        if flow is None:
            return Arrival("/", SsoProblem.EXPIRED)
        try:
            session = await self._let_in(flow, answer, address, user_agent)
        except NotLetIn as refused:
            log.warning("sso.refused", problem=refused.problem.value, reason=str(refused), issuer=flow.issuer)
            return Arrival(flow.next, refused.problem)
        return Arrival(flow.next, session)

    async def _let_in(self, flow: _Flow, answer: Mapping[str, str], address: str, user_agent: str) -> Secret:
        if not compare_digest(answer.get("state", "").encode(), flow.state.encode()):
            raise NotLetIn(SsoProblem.EXPIRED, "the state is not that of this browser")
        try:
            await self._attempts.take(network_of(address), address)
        except Throttled as error:
            raise NotLetIn(SsoProblem.THROTTLED, error.message) from None
        settings, secret = await self._client_settings()
        await self._spend(flow)
        _require_same(settings, flow)
        try:
            claims = await self._claims(settings, secret, flow, answer)
        except NotLetIn as refused:
            if refused.problem is SsoProblem.UNREACHABLE:
                await self._attempts.forgive(network_of(address), address)
            raise
        # Whoever the issuer vouches for does not guess: many without an account would keep a whole office out.
        await self._attempts.forgive(network_of(address), address)
        try:
            return await self._enter(flow, claims, address, user_agent)
        except Conflict as error:
            raise NotLetIn(SsoProblem.CHANGED, error.message) from None

    async def _claims(
        self, settings: SsoSettings, secret: str | None, flow: _Flow, answer: Mapping[str, str]
    ) -> dict[str, Any]:
        if error := answer.get("error"):
            cancelled = error in ("access_denied", "login_required", "interaction_required", "consent_required")
            problem = SsoProblem.CANCELLED if cancelled else SsoProblem.REFUSED
            raise NotLetIn(problem, f"the issuer answers with the error {error[:100]!r}")
        code = answer.get("code", "")
        if not 0 < len(code) <= _MAX_CODE:
            raise NotLetIn(SsoProblem.REFUSED, "the issuer sends no code")
        async with self._store.read() as tx:
            rules = await Rules.of(tx, settings)
        passage = Passage(flow.state, flow.nonce, flow.verifier)
        wanted = settings.groups_claim if rules else None
        try:
            provider, client = await self._provider(), self._client(settings, secret)
            return await provider.redeem(client, passage, code, answer.get("iss"), wanted)
        except ProviderUnreachable as error:
            raise NotLetIn(SsoProblem.UNREACHABLE, str(error)) from None
        except ProviderRefused as error:
            raise NotLetIn(SsoProblem.REFUSED, str(error)) from None

    async def _enter(self, flow: _Flow, claims: dict[str, Any], address: str, user_agent: str) -> Secret:
        async with self._store.write() as tx:
            settings = await tx.sso.settings()
            # The issuer may have taken half a minute to answer.
            _require_same(settings, flow)
            told = read_claims(claims, settings.groups_claim)
            user = await recognised(tx, self._clock, settings, told)
            user = await align(tx, user, await Rules.of(tx, settings), told.groups)
            return await open_session(tx, self._clock, user, address, user_agent, SignInWay.SSO)

    async def _spend(self, flow: _Flow) -> None:
        """Before the code is sent anywhere, so that of two who bring the same one goes on."""
        now = self._clock.now()
        until = datetime.fromtimestamp(flow.expires, UTC) + timedelta(seconds=1)
        async with self._store.write() as tx:
            if not await tx.sso.spend_state(token_digest(flow.state), now, until):
                raise NotLetIn(SsoProblem.EXPIRED, "this sign-in was finished before")

    async def _client_settings(self) -> tuple[SsoSettings, str | None]:
        async with self._store.read() as tx:
            return await tx.sso.settings(), await tx.sso.sealed_secret()

    def _client(self, settings: SsoSettings, sealed: str | None) -> OpenIdClient:
        """Raises ProviderUnreachable when the secret cannot be opened."""
        try:
            secret = None if sealed is None else self._vault.unseal(sealed, SECRET_PLACE)
        except SealBroken:
            raise ProviderUnreachable("The client secret is sealed with a key that is gone: enter it again.") from None
        return OpenIdClient(settings.issuer, settings.client_id, secret, self._public_url() + CALLBACK_PATH)

    def _opened(self, cookie: str | None) -> _Flow | None:
        if cookie is None:
            return None
        try:
            flow = _Flow(**json.loads(self._vault.unseal(cookie, _FLOW_PLACE).reveal()))
        except (SealBroken, ValueError):
            return None
        return flow if flow.expires > self._clock.now().timestamp() else None


def _require_same(settings: SsoSettings, flow: _Flow) -> None:
    """Raises NotLetIn when single sign-on was turned off or moved since somebody was sent away."""
    if not settings.enabled:
        raise NotLetIn(SsoProblem.OFF)
    if (settings.issuer, settings.client_id) != (flow.issuer, flow.client_id):
        raise NotLetIn(SsoProblem.CHANGED, "issuer or client were changed meanwhile")


def own_page(text: str) -> str:
    """A path of this console, or its first page: nobody is sent elsewhere."""
    own = text.startswith("/") and not text.startswith(("//", "/\\", "/auth/"))
    return text if own and len(text) <= _MAX_NEXT and all(" " < c <= "~" and c != "\\" for c in text) else "/"
