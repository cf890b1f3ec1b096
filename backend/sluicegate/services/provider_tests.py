"""Whether a provider answers: one request for its model list."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import KINDS, Dialect, Provider, ProviderKind
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import SealBroken
from sluicegate.kit.errors import NotFound
from sluicegate.kit.secret import Secret
from sluicegate.policy.compile import address_of, credential_headers, versioned
from sluicegate.ports.policy import Vault
from sluicegate.ports.store import Store
from sluicegate.ports.upstream import Origin, RawHeaders, Timeouts, Upstream, UpstreamError, UpstreamRequest
from sluicegate.services.caller import Caller

_SECONDS = 10.0
_TIMEOUTS = Timeouts(connect=_SECONDS, first_byte=_SECONDS, idle=_SECONDS)
_FAILURES = {
    "connect": "The provider cannot be reached",
    "timeout": "The provider did not answer in time",
    "protocol": "What answered does not speak HTTP",
    "closed": "The provider closed the connection without an answer",
}


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    ok: bool
    message: str
    latency_ms: int = 0


class ProviderTestService:
    """Says no more than the status: neither credential nor answer leave this module."""

    def __init__(self, store: Store, vault: Vault, upstream: Upstream, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._upstream = upstream
        self._clock = clock

    async def run(self, caller: Caller, provider_id: str) -> ConnectionTest:
        caller.require_admin(TokenScope.CATALOG)
        async with self._store.read() as tx:
            provider = await tx.catalog.provider(provider_id)
            sealed = await tx.catalog.sealed_credential(provider_id)
        if provider is None:
            raise NotFound("provider")
        if provider.kind is ProviderKind.DEMO:
            return ConnectionTest(True, "The demo provider answers inside this server.")
        facts = KINDS[provider.kind]
        address = address_of(provider)
        if address is None:
            return ConnectionTest(False, f"This release cannot call {facts.label} yet.")
        try:
            credential = self._vault.unseal(sealed, f"provider:{provider_id}") if sealed else None
        except SealBroken:
            message = "The stored credential cannot be opened with this server's key: enter it again."
            return ConnectionTest(False, message)
        if credential is None and facts.credential_required:
            return ConnectionTest(False, "No credential is stored.")
        return await self._ask(_request(provider, address, facts.dialects[0], credential))

    async def _ask(self, request: UpstreamRequest) -> ConnectionTest:
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(_SECONDS):
                response = await self._upstream.send(request)
                status = response.status
                await response.aclose()
        except TimeoutError:
            ok, message = False, f"{_FAILURES['timeout']}."
        except UpstreamError as error:
            # The words of a refused connection are our own and tell what to do, such as which setting allows it.
            detail = f": {error}" if error.kind == "connect" else "."
            ok, message = False, _FAILURES.get(error.kind, _FAILURES["connect"]) + detail
        else:
            ok, message = 200 <= status < 300, _verdict(status)
        return ConnectionTest(ok, message, round((self._clock.monotonic() - started) * 1000))


def _request(
    provider: Provider, address: tuple[Origin, str], dialect: Dialect, credential: Secret | None
) -> UpstreamRequest:
    origin, base_path = address
    headers: RawHeaders = [(b"accept", b"application/json")]
    if dialect is Dialect.ANTHROPIC:
        headers.append((b"anthropic-version", b"2023-06-01"))
    if credential is not None:
        headers += credential_headers(provider.kind, dialect, credential)
    if dialect is Dialect.OPENAI and provider.organization:
        headers.append((b"openai-organization", provider.organization.encode()))
    query = versioned("", provider.api_version) if provider.api_version else ""
    return UpstreamRequest(origin, "GET", f"{base_path}/models{query}", headers, b"", _TIMEOUTS)


def _verdict(status: int) -> str:
    if 200 <= status < 300:
        return "The provider answered with its model list."
    if status in (401, 403):
        return f"The provider refused the credential (status {status})."
    if status == 404:
        return "There is no model list at this address (status 404); check the base URL."
    if 300 <= status < 400:
        return f"The provider redirects (status {status}), which is not followed; check the base URL."
    return f"The provider answered with status {status}."
