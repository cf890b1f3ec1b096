"""Single sign-on: what is stored of it, and the identity provider that people come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sluicegate.domain.sso import GroupMapping, Identity, LastSignIn, SsoSettings
from sluicegate.kit.secret import Secret


class SsoRepository(Protocol):
    """The one set of settings, and what came of them."""

    async def settings(self) -> SsoSettings: ...
    async def save(self, settings: SsoSettings) -> None: ...
    async def sealed_secret(self) -> str | None: ...
    async def set_sealed_secret(self, sealed: str | None, at: datetime | None) -> None:
        """Of settings that were saved before."""
        ...

    async def mappings(self) -> list[GroupMapping]:
        """By value."""
        ...

    async def set_mappings(self, mappings: Sequence[GroupMapping]) -> None: ...

    async def identity(self, issuer: str, subject: str) -> Identity | None: ...
    async def identity_by_id(self, identity_id: str) -> Identity | None: ...
    async def identities_of(self, user_ids: Sequence[str]) -> dict[str, list[Identity]]:
        """The one used last first."""
        ...

    async def link(self, identity: Identity) -> None: ...
    async def use(self, identity_id: str, email: str, at: datetime) -> None: ...
    async def unlink(self, identity_id: str) -> None: ...

    async def given_groups(self, user_id: str) -> set[str]:
        """Ids of the groups that a person is in because the issuer said so."""
        ...

    async def note_given(self, user_id: str, group_ids: Sequence[str]) -> None:
        """Of memberships that are there; what was noted goes with the membership."""
        ...

    async def gave_admin(self, user_id: str) -> bool:
        """Whether a person is an administrator because the issuer said so."""
        ...

    async def note_admin(self, user_id: str, given: bool) -> None: ...

    async def spend_state(self, digest: str, now: datetime, until: datetime) -> bool:
        """False when it was spent before; it is remembered until then."""
        ...

    async def note_sign_in(self, last: LastSignIn) -> None: ...
    async def last_sign_ins(self, user_ids: Sequence[str]) -> dict[str, LastSignIn]: ...


class ProviderUnreachable(Exception):
    """The identity provider gives no answer, or none that can be used. The message is for the log and for
    administrators; it holds nothing of a token."""


class ProviderRefused(Exception):
    """The identity provider refuses, or what it says of a person does not hold. As above."""


@dataclass(frozen=True, slots=True)
class OpenIdClient:
    """What this server is to an issuer. Without a secret it is a public client."""

    issuer: str
    client_id: str
    secret: Secret | None
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Passage:
    """What ties an answer of the issuer to the request that it answers."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found out about an issuer: `problems` keep people out, `notes` need not."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]


class OpenIdProvider(Protocol):
    """OpenID Connect Core 1.0, the authorization code flow with PKCE (RFC 7636)."""

    async def examine(self, issuer: str) -> Examined:
        """Asks anew, whatever is known."""
        ...

    async def authorization_url(self, client: OpenIdClient, scopes: Sequence[str], passage: Passage) -> str:
        """Where to send the browser; raises ProviderUnreachable."""
        ...

    async def redeem(
        self, client: OpenIdClient, passage: Passage, code: str, issuer: str | None, groups_claim: str | None
    ) -> dict[str, Any]:
        """The claims of the person whom a code stands for, which are checked. `issuer` is what the answer named
        (RFC 9207); `groups_claim` is asked for where the ID token lacks it. Raises ProviderUnreachable and
        ProviderRefused."""
        ...
