"""A deployment whose people sign in at an issuer beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fakes.identity import SITE_URL, Site
from fakes.oidc_issuer import CLIENT_ID, CLIENT_SECRET, Issuer, oidc_issuer
from sluicegate.adapters.oidc import OidcProvider
from sluicegate.adapters.upstream import Http11Upstream
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.audit import AuditEvent
from sluicegate.domain.sso import GroupMapping, SsoProblem
from sluicegate.domain.user import Group, Role, User
from sluicegate.kit.ids import new_id
from sluicegate.kit.secret import Secret
from sluicegate.ports.pages import AuditFilter, PageRequest
from sluicegate.services.auth import AuthService
from sluicegate.services.caller import Caller
from sluicegate.services.groups import GroupService
from sluicegate.services.sso.identities import IdentityService
from sluicegate.services.sso.settings import SsoChange, SsoSettingsService
from sluicegate.services.sso.sign_in import Departure, SsoSignIn

ADDRESS = "203.0.113.7"


@dataclass
class SignOn:
    """`ada` is the administrator."""

    site: Site
    issuer: Issuer
    ada: Caller
    settings: SsoSettingsService
    sign_in: SsoSignIn
    auth: AuthService
    groups: GroupService
    identities: IdentityService

    async def set(self, **values: Any) -> None:
        await self.settings.update(self.ada, SsoChange(**values))

    async def map(self, *rows: tuple[str, Group], admins: Sequence[str] = ()) -> None:
        mappings = [GroupMapping(value, group.id) for value, group in rows]
        await self.settings.set_mapping(self.ada, mappings, admins)

    async def group(self, name: str) -> Group:
        return await self.groups.create(self.ada, name)

    async def begin(self, wanted: str = "/") -> Departure:
        begun = await self.sign_in.begin(wanted)
        assert isinstance(begun, Departure)
        return begun

    async def come(self, **claims: Any) -> Caller | SsoProblem:
        """Somebody signs in at the issuer, which says `claims` of the person from now on; None removes one."""
        person = {**self.issuer.person, **claims}
        self.issuer.person = {name: value for name, value in person.items() if value is not None}
        begun = await self.begin()
        return await self.arrive(self.issuer.consent(begun.url), begun)

    async def arrive(self, answer: dict[str, str], begun: Departure) -> Caller | SsoProblem:
        ended = await self.sign_in.finish(answer, begun.cookie.reveal(), ADDRESS, "a browser")
        if isinstance(ended.outcome, SsoProblem):
            return ended.outcome
        caller = await self.auth.caller_of_session(ended.outcome.reveal())
        assert caller is not None
        return caller

    async def enter(self, **claims: Any) -> Caller:
        """As `come`, of somebody who gets in."""
        came = await self.come(**claims)
        assert isinstance(came, Caller), came
        return came

    async def names(self, user: User) -> list[str]:
        """The groups that somebody is in."""
        async with self.site.store.read() as tx:
            return [group.name for group in (await tx.groups.groups_of([user.id]))[user.id]]

    async def user(self, email: str) -> User | None:
        async with self.site.store.read() as tx:
            return await tx.users.by_email(email)

    async def audit(self, **wanted: Any) -> list[AuditEvent]:
        """The oldest first."""
        async with self.site.store.read() as tx:
            page = await tx.audit.page(AuditFilter(**wanted), PageRequest(100))
        return [event for event, _ in reversed(page.items)]

    def beside(self) -> SignOn:
        """Another server on the same database, with the same keys and a memory of its own."""
        return make_sign_on(self.site, self.issuer, self.ada)


def make_sign_on(site: Site, issuer: Issuer, ada: Caller) -> SignOn:
    upstream = Http11Upstream(allow_private=True, private_setting="SLUICEGATE_ALLOW_PRIVATE_ISSUERS")
    made = OidcProvider(upstream, site.clock, seconds=2.0)

    async def provider() -> OidcProvider:
        return made

    vault = EnvelopeVault(b"k" * 32)
    return SignOn(
        site,
        issuer,
        ada,
        SsoSettingsService(site.store, vault, site.clock, provider, lambda: SITE_URL, allow_private=True),
        SsoSignIn(site.store, vault, site.clock, provider, lambda: SITE_URL),
        AuthService(site.store, site.clock),
        GroupService(site.store, site.clock),
        IdentityService(site.store),
    )


@asynccontextmanager
async def signing_on(site: Site, **values: Any) -> AsyncIterator[SignOn]:
    """Turned on, with `values`."""
    async with oidc_issuer(lambda: site.clock.now().timestamp()) as issuer:
        ada = await site.person(f"ada-{new_id()[:8]}@example.com", Role.ADMIN)
        made = make_sign_on(site, issuer, ada)
        given = {"enabled": True, "issuer": issuer.url, "client_id": CLIENT_ID, "client_secret": Secret(CLIENT_SECRET)}
        await made.set(**{**given, **values})
        yield made
