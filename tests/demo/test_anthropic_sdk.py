"""The unmodified Anthropic SDK against the demo provider."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

QUESTION: Any = [{"role": "user", "content": "How do I bake bread?"}]
SHELL: Any = {"name": "Bash", "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}}


@pytest.fixture
async def client(demo_url: str) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=demo_url, api_key="any", max_retries=0) as client:
        yield client


async def test_message(client: AsyncAnthropic) -> None:
    message: Any = await client.messages.create(model="demo-fast", max_tokens=500, messages=QUESTION)
    assert message.stop_reason == "end_turn"
    assert "bake bread" in message.content[0].text
    assert message.usage.output_tokens > 10


async def test_stream_with_the_sdks_own_accumulator(client: AsyncAnthropic) -> None:
    asked: Any = {"model": "demo-smart", "max_tokens": 500, "messages": QUESTION}
    whole: Any = await client.messages.create(**asked)
    async with client.messages.stream(**asked) as stream:
        final: Any = await stream.get_final_message()
    assert final.content[0].text == whole.content[0].text
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert final.usage.input_tokens == whole.usage.input_tokens


async def test_thinking_comes_first(client: AsyncAnthropic) -> None:
    asked: Any = {"model": "demo-reasoner", "max_tokens": 2000, "messages": QUESTION}
    asked["thinking"] = {"type": "enabled", "budget_tokens": 1024}
    async with client.messages.stream(**asked) as stream:
        final: Any = await stream.get_final_message()
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert final.content[0].thinking
    assert final.content[0].signature


async def test_tool_loop_in_streams(client: AsyncAnthropic) -> None:
    turns: Any = [{"role": "user", "content": 'look [[tool:Bash {"command": "ls"}]]'}]
    async with client.messages.stream(model="demo-fast", max_tokens=500, messages=turns, tools=[SHELL]) as stream:
        first: Any = await stream.get_final_message()
    assert first.stop_reason == "tool_use"
    assert (first.content[0].name, first.content[0].input) == ("Bash", {"command": "ls"})
    result = {"type": "tool_result", "tool_use_id": first.content[0].id, "content": "README.md"}
    turns += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second: Any = await client.messages.create(model="demo-fast", max_tokens=500, messages=turns, tools=[SHELL])
    assert second.stop_reason == "end_turn"
    assert second.content[0].text.startswith("The tool returned: README.md")


async def test_title_call_gets_the_json_it_asks_for(client: AsyncAnthropic) -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    asked: Any = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    message: Any = await client.messages.create(model="demo-fast", max_tokens=500, messages=QUESTION, extra_body=asked)
    assert json.loads(message.content[0].text) == {"title": "How do I bake bread"}


async def test_count_tokens_agrees_with_usage(client: AsyncAnthropic) -> None:
    message = await client.messages.create(model="demo-fast", max_tokens=5, messages=QUESTION, system="Be brief.")
    counted = await client.messages.count_tokens(model="demo-fast", messages=QUESTION, system="Be brief.")
    assert counted.input_tokens == message.usage.input_tokens


async def test_models(client: AsyncAnthropic) -> None:
    models = [model async for model in client.models.list(limit=1000)]
    assert (models[0].id, models[0].display_name) == ("demo-fast", "Demo Fast")
    assert (await client.models.retrieve("demo-smart")).type == "model"


async def test_errors_reach_the_sdk_as_its_own_types(client: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="does not exist"):
        await client.messages.create(model="nope", max_tokens=5, messages=QUESTION)
    with pytest.raises(anthropic.BadRequestError, match="at least one message"):
        await client.messages.create(model="demo-fast", max_tokens=5, messages=[])
    with pytest.raises(anthropic.NotFoundError) as missing:
        await client.models.retrieve("nope")
    body: Any = missing.value.body
    assert body["error"]["type"] == "not_found_error"
