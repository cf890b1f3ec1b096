"""The connection test: one request, ten seconds, and not a word too much."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from fakes.identity import Site
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.catalog import ProviderKind
from sluicegate.domain.user import Role
from sluicegate.kit.errors import Forbidden, NotFound
from sluicegate.kit.secret import Secret
from sluicegate.ports.upstream import Origin, RawHeaders, UpstreamError, UpstreamRequest
from sluicegate.services import provider_tests
from sluicegate.services.caller import Caller
from sluicegate.services.provider_tests import ProviderTestService
from sluicegate.services.providers import NewProvider, ProviderService

CREDENTIAL = Secret("sk-0123456789abcdefghij")


@dataclass
class Answer:
    status: int
    headers: RawHeaders = field(default_factory=list)
    closed: bool = False

    def buffered(self) -> bytes | None:
        raise AssertionError("the body is nobody's business")

    async def read(self) -> bytes:
        raise AssertionError("the body is nobody's business")

    async def aclose(self) -> None:
        self.closed = True


class Upstream:
    """Gives the same answer to everything; None never answers."""

    def __init__(self) -> None:
        self.answer: Answer | UpstreamError | None = Answer(200)
        self.requests: list[UpstreamRequest] = []

    def begin(self, request: UpstreamRequest) -> None:
        return

    async def send(self, request: UpstreamRequest) -> Answer:
        self.requests.append(request)
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, UpstreamError):
            raise self.answer
        assert self.answer is not None
        return self.answer

    async def aclose(self) -> None:
        pass


class Stage:
    def __init__(self, site: Site, admin: Caller) -> None:
        self.site, self.admin = site, admin
        self.upstream = Upstream()
        self.vault = EnvelopeVault(b"k" * 32)
        self.providers = ProviderService(site.store, self.vault, site.clock, allow_private=True)
        self.tests = ProviderTestService(site.store, self.vault, self.upstream, site.clock)

    async def add(self, kind: ProviderKind, credential: Secret | None = CREDENTIAL, **values: str) -> str:
        new = NewProvider(kind, "P", credential=credential, **values)
        return (await self.providers.create(self.admin, new)).id


@pytest.fixture
async def stage(site: Site) -> Stage:
    return Stage(site, await site.person("ada@example.com", Role.ADMIN))


async def test_openai_is_asked_with_a_bearer(stage: Stage) -> None:
    provider_id = await stage.add(ProviderKind.OPENAI, organization="org-1")
    result = await stage.tests.run(stage.admin, provider_id)

    assert result.ok
    (request,) = stage.upstream.requests
    assert (request.origin, request.method, request.target) == (
        Origin("https", "api.openai.com", 443),
        "GET",
        "/v1/models",
    )
    assert (b"authorization", b"Bearer " + CREDENTIAL.reveal().encode()) in request.headers
    assert (b"openai-organization", b"org-1") in request.headers
    assert request.timeouts.first_byte <= 10
    assert isinstance(stage.upstream.answer, Answer)
    assert stage.upstream.answer.closed


async def test_anthropic_is_asked_with_its_own_header(stage: Stage) -> None:
    provider_id = await stage.add(ProviderKind.CUSTOM_ANTHROPIC, base_url="http://10.0.0.1:9000/llm")
    await stage.tests.run(stage.admin, provider_id)
    (request,) = stage.upstream.requests
    assert (request.origin, request.target) == (Origin("http", "10.0.0.1", 9000), "/llm/v1/models")
    assert (b"x-api-key", CREDENTIAL.reveal().encode()) in request.headers
    assert b"authorization" not in dict(request.headers)


@pytest.mark.parametrize(
    ("base_url", "api_version", "target"),
    [
        ("https://acme.openai.azure.com", "", "/openai/v1/models"),
        ("https://acme.openai.azure.com/openai/v1/", "preview", "/openai/v1/models?api-version=preview"),
        ("https://acme.openai.azure.com/openai", "2024-10-21", "/openai/models?api-version=2024-10-21"),
    ],
)
async def test_azure_is_asked_with_its_own_header(stage: Stage, base_url: str, api_version: str, target: str) -> None:
    provider_id = await stage.add(ProviderKind.AZURE_OPENAI, base_url=base_url, api_version=api_version)
    assert (await stage.tests.run(stage.admin, provider_id)).ok
    (request,) = stage.upstream.requests
    assert (request.origin.host, request.target) == ("acme.openai.azure.com", target)
    assert (b"api-key", CREDENTIAL.reveal().encode()) in request.headers
    assert b"authorization" not in dict(request.headers)


async def test_no_credential_is_sent_where_none_is_stored(stage: Stage) -> None:
    provider_id = await stage.add(ProviderKind.CUSTOM_OPENAI, None, base_url="http://10.0.0.1/v1")
    assert (await stage.tests.run(stage.admin, provider_id)).ok
    assert stage.upstream.requests[0].headers == [(b"accept", b"application/json")]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "refused the credential (status 401)"),
        (403, "refused the credential (status 403)"),
        (404, "check the base URL"),
        (302, "not followed"),
        (500, "status 500"),
    ],
)
async def test_other_answers_are_failures_in_words(stage: Stage, status: int, words: str) -> None:
    stage.upstream.answer = Answer(status)
    result = await stage.tests.run(stage.admin, await stage.add(ProviderKind.OPENAI))
    assert not result.ok
    assert words in result.message
    assert stage.upstream.answer.closed


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UpstreamError("connect", "no such host"), "The provider cannot be reached: no such host"),
        (UpstreamError("timeout", "secret"), "The provider did not answer in time."),
        (UpstreamError("protocol", "secret"), "What answered does not speak HTTP."),
        (UpstreamError("closed", "secret"), "The provider closed the connection without an answer."),
    ],
)
async def test_failures_are_told_in_our_own_words(stage: Stage, error: UpstreamError, message: str) -> None:
    stage.upstream.answer = error
    result = await stage.tests.run(stage.admin, await stage.add(ProviderKind.OPENAI))
    assert (result.ok, result.message) == (False, message)


async def test_silence_ends_after_the_limit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_tests, "_SECONDS", 0.05)
    stage.upstream.answer = None
    result = await stage.tests.run(stage.admin, await stage.add(ProviderKind.OPENAI))
    assert (result.ok, result.message) == (False, "The provider did not answer in time.")


async def test_what_has_no_region_is_not_called(stage: Stage) -> None:
    provider_id = await stage.add(ProviderKind.BEDROCK, region="eu-central-1")
    async with stage.site.store.write() as tx:
        await tx.catalog.update_provider(provider_id, region=None)
    assert (await stage.tests.run(stage.admin, provider_id)).message == "The provider has no region."
    assert stage.upstream.requests == []


@pytest.mark.parametrize(
    ("base_url", "host", "path"),
    [
        ("", "bedrock.eu-central-1.amazonaws.com", ""),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "bedrock-fips.us-gov-west-1.amazonaws.com", ""),
        ("https://proxy.example.com/aws/", "proxy.example.com", "/aws"),
    ],
)
async def test_bedrock_is_asked_at_its_control_plane(stage: Stage, base_url: str, host: str, path: str) -> None:
    provider_id = await stage.add(ProviderKind.BEDROCK, region="eu-central-1", base_url=base_url)
    assert (await stage.tests.run(stage.admin, provider_id)).ok
    (request,) = stage.upstream.requests
    target = f"{path}/foundation-models?byProvider=Anthropic"
    assert (request.origin, request.method, request.target) == (Origin("https", host, 443), "GET", target)
    assert (b"authorization", b"Bearer " + CREDENTIAL.reveal().encode()) in request.headers


async def test_what_aws_refuses_may_be_a_permission(stage: Stage) -> None:
    stage.upstream.answer = Answer(403)
    result = await stage.tests.run(stage.admin, await stage.add(ProviderKind.BEDROCK, region="us-east-1"))
    assert (result.ok, "bedrock:ListFoundationModels" in result.message) == (False, True)


async def test_the_demo_provider_needs_no_call(stage: Stage) -> None:
    assert (await stage.tests.run(stage.admin, await stage.add(ProviderKind.DEMO, None))).ok
    assert stage.upstream.requests == []


async def test_a_credential_under_a_lost_key_is_named_as_the_fault(stage: Stage) -> None:
    provider_id = await stage.add(ProviderKind.OPENAI)
    tests = ProviderTestService(stage.site.store, EnvelopeVault(b"x" * 32), stage.upstream, stage.site.clock)
    result = await tests.run(stage.admin, provider_id)
    assert (result.ok, "enter it again" in result.message) == (False, True)
    assert stage.upstream.requests == []


async def test_only_administrators_may_test(stage: Stage) -> None:
    provider_id = await stage.add(ProviderKind.OPENAI)
    member = await stage.site.person("mia@example.com")
    for caller in (member, replace(stage.admin, scopes=frozenset({TokenScope.READ}))):
        with pytest.raises(Forbidden):
            await stage.tests.run(caller, provider_id)
    with pytest.raises(NotFound):
        await stage.tests.run(stage.admin, "ghost")
    assert stage.upstream.requests == []
