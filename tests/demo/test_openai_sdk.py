"""The unmodified OpenAI SDK against the demo provider."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

QUESTION: Any = [{"role": "user", "content": "How do I bake bread?"}]
CALCULATOR: Any = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}
SUM: Any = [{"role": "user", "content": 'add [[tool:add {"a": 1, "b": 2}]]'}]


class Title(BaseModel):
    title: str
    tags: list[str]


@pytest.fixture
async def client(demo_url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{demo_url}/v1", api_key="any", max_retries=0) as client:
        yield client


async def test_chat(client: AsyncOpenAI) -> None:
    completion = await client.chat.completions.create(model="demo-fast", messages=QUESTION)
    choice = completion.choices[0]
    assert choice.finish_reason == "stop"
    assert "bake bread" in (choice.message.content or "")
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens


async def test_chat_stream_with_the_sdks_own_accumulator(client: AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model="demo-smart", messages=QUESTION)
    options: Any = {"include_usage": True}
    async with client.chat.completions.stream(model="demo-smart", messages=QUESTION, stream_options=options) as stream:
        final = await stream.get_final_completion()
    assert final.choices[0].message.content == whole.choices[0].message.content
    assert final.usage == whole.usage


async def test_chat_tool_loop(client: AsyncOpenAI) -> None:
    first = await client.chat.completions.create(model="demo-fast", messages=SUM, tools=[CALCULATOR])
    message: Any = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert message.content is None
    assert (message.tool_calls[0].function.name, message.tool_calls[0].function.arguments) == (
        "add",
        '{"a": 1, "b": 2}',
    )
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "3"}
    turns: Any = [*SUM, message.model_dump(exclude_none=True), result]
    second = await client.chat.completions.create(model="demo-fast", messages=turns, tools=[CALCULATOR])
    assert second.choices[0].finish_reason == "stop"
    assert (second.choices[0].message.content or "").startswith("The tool returned: 3")


async def test_chat_tool_call_in_a_stream(client: AsyncOpenAI) -> None:
    async with client.chat.completions.stream(model="demo-fast", messages=SUM, tools=[CALCULATOR]) as stream:
        final = await stream.get_final_completion()
    calls: Any = final.choices[0].message.tool_calls
    assert [call.function.arguments for call in calls] == ['{"a": 1, "b": 2}']
    assert final.choices[0].finish_reason == "tool_calls"


async def test_structured_output(client: AsyncOpenAI) -> None:
    parsed = await client.chat.completions.parse(model="demo-fast", messages=QUESTION, response_format=Title)
    assert parsed.choices[0].message.parsed == Title(title="How do I bake bread", tags=[])


async def test_responses(client: AsyncOpenAI) -> None:
    response = await client.responses.create(model="demo-fast", input="How do I bake bread?")
    assert response.status == "completed"
    assert "bake bread" in response.output_text
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens == 0


async def test_responses_stream_with_the_sdks_own_accumulator(client: AsyncOpenAI) -> None:
    asked: Any = {"model": "demo-reasoner", "input": "Why is the sky blue?", "reasoning": {"summary": "auto"}}
    whole = await client.responses.create(**asked)
    async with client.responses.stream(**asked) as stream:
        types = [event.type async for event in stream]
        final = await stream.get_final_response()
    assert types[:2] == ["response.created", "response.in_progress"]
    assert types[-1] == "response.completed"
    assert final.output_text == whole.output_text
    assert final.usage == whole.usage
    assert [item.type for item in final.output] == ["reasoning", "message"]


async def test_responses_tool_loop(client: AsyncOpenAI) -> None:
    tool: Any = {"type": "function", **CALCULATOR["function"], "strict": True}
    async with client.responses.stream(model="demo-fast", input=SUM, tools=[tool]) as stream:
        first: Any = await stream.get_final_response()
    call = first.output[0]
    assert (call.type, call.name, call.arguments) == ("function_call", "add", '{"a": 1, "b": 2}')
    turns: Any = [*SUM, call.model_dump(exclude_none=True, exclude={"parsed_arguments"})]
    turns.append({"type": "function_call_output", "call_id": call.call_id, "output": "3"})
    second = await client.responses.create(model="demo-fast", input=turns, tools=[tool])
    assert second.output_text.startswith("The tool returned: 3")


async def test_completions(client: AsyncOpenAI) -> None:
    whole = await client.completions.create(model="demo-fast", prompt="def quicksort(", max_tokens=8)
    assert whole.choices[0].finish_reason == "length"
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 8
    stream = await client.completions.create(model="demo-fast", prompt="def quicksort(", max_tokens=8, stream=True)
    assert "".join([chunk.choices[0].text async for chunk in stream]) == whole.choices[0].text


async def test_embeddings_as_floats_and_as_base64(client: AsyncOpenAI) -> None:
    texts = ["a red apple", "a red apple tree", "quarterly tax report"]
    packed = await client.embeddings.create(model="demo-embed", input=texts)
    plain = await client.embeddings.create(model="demo-embed", input=texts, encoding_format="float")
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
        assert math.hypot(*one.embedding) == pytest.approx(1, abs=1e-6)
    apple, tree, tax = (item.embedding for item in plain.data)
    assert math.dist(apple, tree) < math.dist(apple, tax)
    assert packed.usage == plain.usage


async def test_models(client: AsyncOpenAI) -> None:
    names = [model.id async for model in client.models.list()]
    assert names == ["demo-fast", "demo-smart", "demo-reasoner", "demo-embed"]
    assert (await client.models.retrieve("demo-fast")).owned_by == "sluicegate"


async def test_errors_reach_the_sdk_as_its_own_types(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        await client.chat.completions.create(model="nope", messages=QUESTION)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="cannot be used for embeddings"):
        await client.embeddings.create(model="demo-fast", input="x")
    with pytest.raises(openai.BadRequestError, match="n must be 1"):
        await client.chat.completions.create(model="demo-fast", messages=QUESTION, n=2)
