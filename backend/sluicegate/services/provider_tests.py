"""Whether a provider answers: a request for its model list, which is in several places at some."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import KINDS, Dialect, Provider, ProviderKind
from sluicegate.kit.clock import Clock
from sluicegate.kit.crypto import SealBroken
from sluicegate.kit.errors import NotFound
from sluicegate.kit.secret import Secret
from sluicegate.policy.bedrock import control_address, proven
from sluicegate.policy.compile import address_of, credential_headers, raw_headers, versioned
from sluicegate.policy.provider_headers import open_headers
from sluicegate.ports.policy import Vault
from sluicegate.ports.store import Store
from sluicegate.ports.upstream import (
    Origin,
    RawHeaders,
    Timeouts,
    Upstream,
    UpstreamError,
    UpstreamRequest,
    UpstreamResponse,
)
from sluicegate.services.caller import Caller

_SECONDS = 10.0
_TIMEOUTS = Timeouts(connect=_SECONDS, first_byte=_SECONDS, idle=_SECONDS)
_MAX_BODY = 8_000_000
_INSIDE = (Origin("http", "demo", 80), "/v1")
# Where a list comes in pages, all of it at once.
_PAGES = {Dialect.ANTHROPIC: "?limit=1000", Dialect.GEMINI: "?pageSize=1000"}
_BEDROCK_LISTS = (
    "/foundation-models?byProvider=Anthropic",
    "/inference-profiles?maxResults=1000&type=SYSTEM_DEFINED",
    "/inference-profiles?maxResults=1000&type=APPLICATION",
)
_BEDROCK_REFUSED = (
    "AWS refused the credential, or it lacks the permissions bedrock:ListFoundationModels and "
    "bedrock:ListInferenceProfiles"
)
_FAILURES = {
    "connect": "The provider cannot be reached",
    "timeout": "The provider did not answer in time",
    "protocol": "What answered does not speak HTTP",
    "closed": "The provider closed the connection without an answer",
}


@dataclass(frozen=True, slots=True)
class _Prepared:
    requests: tuple[UpstreamRequest, ...]
    refused: str = "The provider refused the credential"
    demo: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    ok: bool
    message: str
    latency_ms: int = 0


class ProviderTestService:
    """Says no more than the status. The credential never leaves this module."""

    def __init__(
        self, store: Store, vault: Vault, upstream: Upstream, clock: Clock, demo: Upstream | None = None
    ) -> None:
        """`demo` answers for providers of kind demo, where their list is asked for."""
        self._demo = demo
        self._store = store
        self._vault = vault
        self._upstream = upstream
        self._clock = clock

    async def run(self, caller: Caller, provider_id: str) -> ConnectionTest:
        caller.require_admin(TokenScope.CATALOG)
        prepared = await self._prepare(provider_id)
        if isinstance(prepared, ConnectionTest):
            return prepared
        if prepared.demo:
            return ConnectionTest(True, "The demo provider answers inside this server.")
        return (await self._ask(prepared, whole=False))[0]

    async def model_list(self, caller: Caller, provider_id: str) -> tuple[ConnectionTest, list[bytes]]:
        """As `run`, with the bodies of the answers, none where the test failed."""
        caller.require_admin(TokenScope.CATALOG)
        prepared = await self._prepare(provider_id, whole=True)
        if isinstance(prepared, ConnectionTest):
            return prepared, []
        return await self._ask(prepared, whole=True)

    async def _prepare(self, provider_id: str, *, whole: bool = False) -> _Prepared | ConnectionTest:
        async with self._store.read() as tx:
            provider = await tx.catalog.provider(provider_id)
            sealed = await tx.catalog.sealed_credential(provider_id)
            sealed_headers = await tx.catalog.sealed_headers(provider_id)
        if provider is None:
            raise NotFound("provider")
        facts = KINDS[provider.kind]
        if provider.kind is ProviderKind.DEMO:
            return _Prepared((_request(provider, _INSIDE, Dialect.OPENAI, None, whole=whole),), demo=True)
        address = address_of(provider)
        if address is None:
            return ConnectionTest(False, "The provider has no region.")
        try:
            credential = self._vault.unseal(sealed, f"provider:{provider_id}") if sealed else None
            own = open_headers(self._vault, provider_id, sealed_headers)
        except SealBroken:
            message = "The stored credential cannot be opened with this server's key: enter it again."
            return ConnectionTest(False, message)
        if credential is None and facts.credential_required:
            return ConnectionTest(False, "No credential is stored.")
        if provider.kind is ProviderKind.BEDROCK and credential is not None:
            requests = _bedrock_requests(provider, credential, self._clock.now(), whole=whole)
            return _Prepared(requests, _BEDROCK_REFUSED)
        request = _request(provider, address, facts.dialects[0], credential, whole=whole)
        request.headers.extend(raw_headers(own))
        return _Prepared((request,))

    async def _ask(self, prepared: _Prepared, *, whole: bool) -> tuple[ConnectionTest, list[bytes]]:
        upstream = self._demo if prepared.demo and self._demo else self._upstream
        started, status = self._clock.monotonic(), 0
        bodies: list[bytes] = []
        try:
            async with asyncio.timeout(_SECONDS):
                for request in prepared.requests:
                    response = await upstream.send(request)
                    try:
                        status = response.status
                        if not 200 <= status < 300:
                            break
                        if whole:
                            bodies.append(await _body(response))
                    finally:
                        await response.aclose()
        except TimeoutError:
            ok, message = False, f"{_FAILURES['timeout']}."
        except UpstreamError as error:
            # The words of a refused connection are our own and tell what to do, such as which setting allows it.
            detail = f": {error}" if error.kind == "connect" else "."
            ok, message = False, _FAILURES.get(error.kind, _FAILURES["connect"]) + detail
        except _TooMuch:
            ok, message = False, f"The provider's list is longer than {_MAX_BODY // 1_000_000} MB."
        else:
            ok, message = 200 <= status < 300, _verdict(status, prepared.refused)
        latency = round((self._clock.monotonic() - started) * 1000)
        return ConnectionTest(ok, message, latency), bodies if ok else []


class _TooMuch(Exception):
    pass


async def _body(response: UpstreamResponse) -> bytes:
    data = bytearray()
    while piece := await response.read():
        data += piece
        if len(data) > _MAX_BODY:
            raise _TooMuch
    return bytes(data)


def _request(
    provider: Provider, address: tuple[Origin, str], dialect: Dialect, credential: Secret | None, *, whole: bool
) -> UpstreamRequest:
    """With `whole`, for all of the list in one answer that can be read as it comes."""
    origin, base_path = address
    headers: RawHeaders = [(b"accept", b"application/json")]
    if dialect is Dialect.ANTHROPIC:
        headers.append((b"anthropic-version", b"2023-06-01"))
    if credential is not None:
        headers += credential_headers(provider.kind, dialect, credential)
    if dialect is Dialect.OPENAI and provider.organization:
        headers.append((b"openai-organization", provider.organization.encode()))
    query = _PAGES.get(dialect, "") if whole else ""
    if whole:
        headers.append((b"accept-encoding", b"identity"))
    if provider.api_version:
        query = versioned(query, provider.api_version)
    return UpstreamRequest(origin, "GET", f"{base_path}/models{query}", headers, b"", _TIMEOUTS)


def _bedrock_requests(
    provider: Provider, credential: Secret, now: datetime, *, whole: bool
) -> tuple[UpstreamRequest, ...]:
    """Its control plane lists what is called by its own name apart from profiles, and these by who made them."""
    address = control_address(provider)
    if address is None or provider.region is None:
        raise ValueError("a provider that cannot be called")
    origin, path = address
    headers: RawHeaders = [(b"accept", b"application/json"), (b"accept-encoding", b"identity")]
    requests: list[UpstreamRequest] = []
    for query in _BEDROCK_LISTS if whole else _BEDROCK_LISTS[:1]:
        target = f"{path}{query}"
        proof = proven(
            headers,
            credential,
            region=provider.region,
            method="GET",
            origin=origin,
            target=target,
            body=b"",
            now=now,
        )
        requests.append(UpstreamRequest(origin, "GET", target, proof, b"", _TIMEOUTS))
    return tuple(requests)


def _verdict(status: int, refused: str) -> str:
    if 200 <= status < 300:
        return "The provider answered with its model list."
    if status in (401, 403):
        return f"{refused} (status {status})."
    if status == 404:
        return "There is no model list at this address (status 404); check the base URL."
    if 300 <= status < 400:
        return f"The provider redirects (status {status}), which is not followed; check the base URL."
    return f"The provider answered with status {status}."
