"""What each kind of provider wants: where it is called, how the key is sent, and what it is not able to do."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fakes.provider import Provider
from gateway.bench import CHAT, RESPONSES, Bench, chat, responses
from sluicegate.domain.catalog import ProviderKind

pytestmark = pytest.mark.any_stack


@pytest.fixture
async def other() -> AsyncIterator[Provider]:
    async with Provider() as provider:
        yield provider


@pytest.mark.parametrize(
    ("api_version", "path", "body", "target"),
    [
        (None, CHAT, chat(), "/openai/v1/chat/completions?trace=1"),
        ("preview", CHAT, chat(), "/openai/v1/chat/completions?trace=1&api-version=preview"),
        (None, RESPONSES, responses(), "/openai/v1/responses?trace=1"),
        (
            "2024-10-21",
            CHAT,
            chat(stream=True),
            "/openai/deployments/azure-model/chat/completions?trace=1&api-version=2024-10-21",
        ),
        ("2025-03-01-preview", RESPONSES, responses(), "/openai/responses?trace=1&api-version=2025-03-01-preview"),
        (
            "2025-01-01-preview",
            RESPONSES,
            responses(stream=True),
            "/openai/deployments/azure-model/chat/completions?api-version=2025-01-01-preview",
        ),
    ],
)
async def test_azure_is_called_at_its_own_addresses_with_its_own_header(
    bench: Bench, other: Provider, api_version: str | None, path: str, body: dict[str, object], target: str
) -> None:
    await bench.add_backend(
        "team-gpt", "azure", other.port, priority=-1, kind=ProviderKind.AZURE_OPENAI, api_version=api_version
    )
    answer = await bench.client.post(f"{path}?trace=1", json=body)
    assert answer.status_code == 200, answer.text
    (asked,) = other.log
    assert asked.target == target
    assert (asked.header("api-key"), asked.header("authorization")) == ("sk-azure", None)
    assert asked.json["model"] == "azure-model"
    record = await bench.only_call()
    assert (record.provider_name, record.outcome, record.output_tokens) == ("azure", "ok", 17)
    assert not record.estimated


@pytest.mark.parametrize("query", ["?api-version=2023-05-15", "?API%2DVersion=preview&api-version"])
async def test_the_version_that_is_set_goes_before_the_callers(bench: Bench, other: Provider, query: str) -> None:
    await bench.add_backend(
        "team-gpt", "azure", other.port, priority=-1, kind=ProviderKind.AZURE_OPENAI, api_version="2024-10-21"
    )
    answer = await bench.client.post(f"{CHAT}{query}&trace=1", json=chat())
    assert answer.status_code == 200, answer.text
    (asked,) = other.log
    assert asked.target.partition("?")[2] == "trace=1&api-version=2024-10-21"


@pytest.mark.parametrize("kind", [ProviderKind.OPENROUTER, ProviderKind.MOONSHOT])
@pytest.mark.parametrize("stream", [False, True])
async def test_kinds_that_only_know_chat_get_responses_translated(
    bench: Bench, other: Provider, kind: ProviderKind, stream: bool
) -> None:
    await bench.add_backend("team-gpt", "router", other.port, priority=-1, kind=kind)
    answer = await bench.client.post(RESPONSES, json=responses(stream=stream))
    assert answer.status_code == 200, answer.text
    assert ("response.completed" in answer.text) is stream
    (asked,) = other.log
    assert asked.target == "/v1/chat/completions"
    assert asked.header("authorization") == "Bearer sk-router"
    record = await bench.only_call()
    assert (record.provider_name, record.outcome, record.output_tokens) == ("router", "ok", 17)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("serves", [False, True])
async def test_compatible_providers_get_responses_as_they_say_that_they_serve_them(
    bench: Bench, other: Provider, serves: bool, stream: bool
) -> None:
    await bench.add_backend("team-gpt", "own", other.port, priority=-1, serves_responses=serves)
    for path, body in ((RESPONSES, responses(stream=stream)), (CHAT, chat(stream=stream))):
        answer = await bench.client.post(path, json=body)
        assert answer.status_code == 200, answer.text
    assert [asked.target for asked in other.log] == [RESPONSES if serves else CHAT, CHAT]
    assert ("input" in other.log[0].json) is serves
    records = await bench.ledger()
    assert {(r.provider_name, r.outcome, r.output_tokens, r.estimated) for r in records} == {("own", "ok", 17, False)}
    assert {r.endpoint for r in records} == {"responses", "chat.completions"}
