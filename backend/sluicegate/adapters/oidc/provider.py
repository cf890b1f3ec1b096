"""Implements ports.sso.OpenIdProvider over the client that reaches others' servers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from sluicegate.adapters.oidc.discovery import Metadata, document_url, metadata_of, notes_on, problems_of
from sluicegate.adapters.oidc.fetch import Fetcher
from sluicegate.adapters.oidc.tokens import Expected, Keys, UnknownKey, check_claims, signed_claims
from sluicegate.domain.sso import claim_values
from sluicegate.kit.clock import Clock
from sluicegate.ports.sso import Examined, OpenIdClient, Passage, ProviderRefused, ProviderUnreachable
from sluicegate.ports.upstream import RawHeaders, Upstream

_SECONDS = 10.0
_METADATA_SECONDS = 600.0
_KEYS_SECONDS = 3600.0
# Whoever sends tokens with made-up keys, or comes while an issuer is away, has it asked no more often than this.
_AGAIN_SECONDS = 20.0
_MOST = 8
_ERROR_LENGTH = 100

T = TypeVar("T")


class _Entry(NamedTuple, Generic[T]):
    """Something, or why there is none; when that was found out, and when it was last asked for because what was known
    was not enough, by the monotonic clock."""

    value: T | ProviderUnreachable
    at: float
    again: float | None


class _Known(Generic[T]):
    """What was fetched, by its whole address; one look at a time, failures remembered too."""

    def __init__(self, clock: Clock, seconds: float, load: Callable[[str], Awaitable[T]]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._load = load
        self._entries: dict[str, _Entry[T]] = {}
        self._lock = asyncio.Lock()

    async def get(self, name: str, *, again: bool = False) -> T:
        """With `again` anew, unless that was done a moment ago. Raises ProviderUnreachable."""
        async with self._lock:
            entry = self._entries.get(name)
            if entry is None or self._is_old(entry, again):
                entry = await self._look(name, again)
        if isinstance(entry.value, ProviderUnreachable):
            raise ProviderUnreachable(str(entry.value))
        return entry.value

    def forget(self, name: str) -> None:
        self._entries.pop(name, None)

    def _is_old(self, entry: _Entry[T], again: bool) -> bool:
        now = self._clock.monotonic()
        if isinstance(entry.value, ProviderUnreachable):
            return now - entry.at >= _AGAIN_SECONDS
        if again:
            # What was fetched a moment ago, as always, may have changed since.
            return entry.again is None or now - entry.again >= _AGAIN_SECONDS
        return now - entry.at >= self._seconds

    async def _look(self, name: str, again: bool) -> _Entry[T]:
        known, now = self._entries.get(name), self._clock.monotonic()
        try:
            value: T | ProviderUnreachable = await self._load(name)
        except ProviderUnreachable as error:
            if again and known is not None and not isinstance(known.value, ProviderUnreachable):
                # For everybody else it is enough still.
                self._entries[name] = known._replace(again=now)
                raise
            value = error
        while len(self._entries) >= _MOST:
            del self._entries[next(iter(self._entries))]
        self._entries[name] = entry = _Entry(value, self._clock.monotonic(), now if again else None)
        return entry


class OidcProvider:
    """`upstream` refuses private addresses unless a setting allows them. `seconds` is what one answer may take."""

    def __init__(self, upstream: Upstream, clock: Clock, seconds: float = _SECONDS) -> None:
        self._fetch = Fetcher(upstream, seconds)
        self._clock = clock
        self._metadata = _Known(clock, _METADATA_SECONDS, self._find_metadata)
        self._keys = _Known(clock, _KEYS_SECONDS, self._find_keys)

    async def examine(self, issuer: str) -> Examined:
        self._metadata.forget(issuer)
        try:
            document = await self._fetch.document(document_url(issuer))
        except ProviderUnreachable as error:
            return Examined((str(error),), ())
        problems = problems_of(issuer, document)
        if not problems:
            try:
                await self._find_keys(document["jwks_uri"])
            except ProviderUnreachable as error:
                problems.append(str(error))
        return Examined(tuple(problems), tuple(notes_on(document)))

    async def authorization_url(self, client: OpenIdClient, scopes: Sequence[str], passage: Passage) -> str:
        endpoint = (await self._metadata.get(client.issuer)).authorization_endpoint
        query = urlencode(
            {
                "response_type": "code",
                "client_id": client.client_id,
                "redirect_uri": client.redirect_uri,
                "scope": " ".join(scopes),
                "state": passage.state,
                "nonce": passage.nonce,
                "code_challenge": _challenge(passage.verifier),
                "code_challenge_method": "S256",
            }
        )
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    async def redeem(
        self, client: OpenIdClient, passage: Passage, code: str, issuer: str | None, groups_claim: str | None
    ) -> dict[str, Any]:
        metadata = await self._metadata.get(client.issuer)
        if issuer != client.issuer and (issuer is not None or metadata.names_itself):
            raise ProviderRefused("The answer is of another issuer (iss).")
        tokens = await self._tokens(client, metadata, passage, code)
        claims = await self._claims(str(tokens["id_token"]), metadata)
        expected = Expected(client.issuer, client.client_id, passage.nonce)
        check_claims(claims, expected, self._clock.now().timestamp())
        lacks_groups = groups_claim is not None and claim_values(claims, groups_claim) is None
        if metadata.userinfo_endpoint and (lacks_groups or not claims.get("email")):
            more = await self._more(metadata.userinfo_endpoint, tokens.get("access_token"), claims["sub"])
            return _joined(claims, more, groups_claim if lacks_groups else None)
        return claims

    async def _find_metadata(self, issuer: str) -> Metadata:
        document = await self._fetch.document(document_url(issuer))
        if problems := problems_of(issuer, document):
            raise ProviderUnreachable(f"{issuer} cannot be used: {' '.join(problems)}")
        return metadata_of(document)

    async def _find_keys(self, url: str) -> Keys:
        keys = Keys(await self._fetch.document(url))
        if not len(keys):
            raise ProviderUnreachable("It publishes no key for signatures (jwks_uri).")
        return keys

    async def _tokens(self, client: OpenIdClient, metadata: Metadata, passage: Passage, code: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": passage.verifier,
        }
        headers: RawHeaders = [(b"content-type", b"application/x-www-form-urlencoded")]
        if client.secret is None:
            form["client_id"] = client.client_id
        elif "client_secret_basic" not in metadata.auth_methods and "client_secret_post" in metadata.auth_methods:
            form |= {"client_id": client.client_id, "client_secret": client.secret.reveal()}
        else:
            headers.append((b"authorization", _basic(client.client_id, client.secret.reveal())))
        answer = await self._fetch.ask("POST", metadata.token_endpoint, headers, urlencode(form).encode())
        if answer.status >= 500:
            raise ProviderUnreachable(f"The issuer answers a code with status {answer.status}.")
        if answer.status != 200 or answer.content is None:
            raise ProviderRefused(f"The issuer refuses the code: {_error_of(answer.content, answer.status)}.")
        if not isinstance(answer.content.get("id_token"), str):
            raise ProviderRefused("The issuer gives no ID token for the code; is the scope openid allowed?")
        return answer.content

    async def _claims(self, token: str, metadata: Metadata) -> dict[str, Any]:
        try:
            return signed_claims(token, await self._keys.get(metadata.jwks_uri))
        except UnknownKey:
            pass
        # The issuer may have changed its keys.
        try:
            return signed_claims(token, await self._keys.get(metadata.jwks_uri, again=True))
        except UnknownKey:
            raise ProviderRefused("The ID token is signed with none of the issuer's keys.") from None

    async def _more(self, url: str, access_token: Any, subject: str) -> dict[str, Any]:
        """OpenID Connect Core 1.0, section 5.3."""
        if not isinstance(access_token, str) or not access_token.isascii() or not access_token.isprintable():
            raise ProviderRefused("The issuer gives no access token for the code.")
        more = await self._fetch.document(url, [(b"authorization", b"Bearer " + access_token.encode())])
        if more.get("sub") != subject:
            raise ProviderRefused("The issuer's user info is about somebody else (sub).")
        return more


def _joined(claims: dict[str, Any], more: dict[str, Any], groups_claim: str | None) -> dict[str, Any]:
    """What the ID token says, and what the user info adds; of what the token lacks, with the groups if they are named,
    the user info is believed. Whether an address is verified is of worth for that very address alone."""
    joined = {**more, **claims}
    if not claims.get("email"):
        joined |= {name: more.get(name) for name in ("email", "email_verified")}
    elif claims["email"] != more.get("email"):
        joined["email_verified"] = claims.get("email_verified")
    if groups_claim is not None:
        place = groups_claim if groups_claim in more else groups_claim.partition(".")[0]
        joined[place] = more.get(place)
    return joined


def _challenge(verifier: str) -> str:
    """RFC 7636, section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _basic(client_id: str, secret: str) -> bytes:
    """RFC 6749, section 2.3.1: both are encoded as in a form first."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return b"Basic " + base64.b64encode(pair.encode())


def _error_of(content: dict[str, Any] | None, status: int) -> str:
    """The code of RFC 6749, section 5.2, and no free text."""
    code = content.get("error") if content is not None else None
    if not isinstance(code, str) or not code.isascii() or not code.isprintable():
        return f"status {status}"
    return code[:_ERROR_LENGTH]
