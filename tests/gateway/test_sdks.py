"""The official SDKs, which parse every answer and act on every error."""

from __future__ import annotations

import anthropic
import openai
import pytest

from fakes.wire import MESSAGE_EVENTS, events, whole
from gateway.bench import CREDENTIAL, Bench
from sluicegate.kit.money import Nanos

pytestmark = pytest.mark.any_stack

ASK = [{"role": "user", "content": "say hi"}]


def openai_client(bench: Bench, **values: object) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{bench.port}/v1", api_key=CREDENTIAL.text, **values)


def anthropic_client(bench: Bench, **values: object) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=f"http://127.0.0.1:{bench.port}", api_key=CREDENTIAL.text, **values)


async def test_openai_calls_streams_and_lists(bench: Bench) -> None:
    async with openai_client(bench) as client:
        answer = await client.chat.completions.create(model="team-gpt", messages=ASK)
        assert answer.choices[0].message.content == "hello from the provider"
        assert answer.usage is not None
        assert answer.usage.total_tokens == 135
        stream = await client.chat.completions.create(model="team-gpt", messages=ASK, stream=True)
        chunks = [chunk async for chunk in stream]
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == "hello from the provider"
        asked = {"include_usage": True}
        stream = await client.chat.completions.create(model="team-gpt", messages=ASK, stream=True, stream_options=asked)
        assert [chunk async for chunk in stream][-1].usage is not None
        assert [m.id for m in (await client.models.list()).data] == ["team-claude", "team-embed", "team-gpt"]
        assert (await client.models.retrieve("team-gpt")).id == "team-gpt"
    records = await bench.ledger()
    assert [r.output_tokens for r in records] == [17] * 3
    assert {r.client_app for r in records} == {"openai-python"}


async def test_anthropic_calls_streams_counts_and_lists(bench: Bench) -> None:
    async with anthropic_client(bench) as client:
        answer = await client.messages.create(model="team-claude", messages=ASK, max_tokens=64)
        assert answer.usage.output_tokens == 17
        async with client.messages.stream(model="team-claude", messages=ASK, max_tokens=64) as stream:
            assert await stream.get_final_text() == "hello from the provider"
        counted = await client.messages.count_tokens(model="team-claude", messages=ASK)
        assert counted.input_tokens == 42
        ids = ["claude-team-claude", "claude-team-gpt", "team-claude", "team-gpt"]
        assert [m.id async for m in client.models.list(limit=1)] == ids
        assert (await client.models.retrieve("team-claude")).id == "team-claude"
    records = await bench.ledger()
    assert [r.output_tokens for r in records] == [17] * 2
    assert {r.client_app for r in records} == {"anthropic-python"}


async def test_openai_raises_what_a_refusal_means(bench: Bench) -> None:
    async with openai_client(bench, max_retries=0) as client:
        with pytest.raises(openai.NotFoundError) as missing:
            await client.chat.completions.create(model="none", messages=ASK)
        assert missing.value.code == "model_not_found"
        with pytest.raises(openai.PermissionDeniedError):
            await client.chat.completions.create(model="secret-model", messages=ASK)
        await bench.set_limits(requests=0)
        with pytest.raises(openai.RateLimitError) as limited:
            await client.chat.completions.create(model="team-gpt", messages=ASK)
        assert limited.value.code == "rate_limit_exceeded"
    async with openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{bench.port}/v1", api_key="wrong") as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()
    await bench.assert_untouched()


async def test_neither_retries_a_spent_budget(bench: Bench) -> None:
    await bench.set_budget(day=Nanos(0))
    async with openai_client(bench) as client:
        with pytest.raises(openai.APIStatusError) as refused:
            await client.chat.completions.create(model="team-gpt", messages=ASK)
        assert (refused.value.status_code, refused.value.type) == (402, "insufficient_quota")
    async with anthropic_client(bench) as anthropic_sdk:
        with pytest.raises(anthropic.APIStatusError, match="budget") as stopped:
            await anthropic_sdk.messages.create(model="team-claude", messages=ASK, max_tokens=64)
        assert stopped.value.status_code == 402
    await bench.assert_untouched()


async def test_both_wait_out_an_overloaded_provider(bench: Bench) -> None:
    # The gateway waits out the first of a short one itself.
    busy = whole({"error": {"message": "busy"}}, 429, **{"retry-after": "0"})
    bench.provider.next(busy, busy)
    async with openai_client(bench) as client:
        await client.chat.completions.create(model="team-gpt", messages=ASK)
    bench.provider.next(busy, busy)
    async with anthropic_client(bench) as anthropic_sdk:
        await anthropic_sdk.messages.create(model="team-claude", messages=ASK, max_tokens=64)
    assert sorted(r.status for r in await bench.ledger()) == [200, 200, 429, 429]


async def test_a_cut_stream_raises_in_both(bench: Bench) -> None:
    bench.provider.next(events(pause=0.02, ends=False))
    async with openai_client(bench, max_retries=0) as client:
        stream = await client.chat.completions.create(model="team-gpt", messages=ASK, stream=True)
        with pytest.raises(openai.APIError, match="broke the answer off"):
            _ = [chunk async for chunk in stream]
    bench.provider.next(events(*MESSAGE_EVENTS[:4], pause=0.02, ends=False))
    async with anthropic_client(bench, max_retries=0) as anthropic_sdk:
        with pytest.raises(anthropic.APIStatusError, match="broke the answer off"):
            async with anthropic_sdk.messages.stream(model="team-claude", messages=ASK, max_tokens=9) as messages:
                await messages.get_final_text()
