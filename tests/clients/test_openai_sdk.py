"""The OpenAI SDK, unmodified, against the gateway."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from clients.gateway import MODEL, Gateway, Watched


@pytest.fixture
def client(gateway: Gateway) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client:
        yield client


def test_a_chat_completion_is_answered_and_metered(client: OpenAI, ledger: Watched) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Say hello."}])
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert ledger.single() == (answer.usage.prompt_tokens, answer.usage.completion_tokens)


def test_a_response_is_answered_and_metered(client: OpenAI, ledger: Watched) -> None:
    answer = client.responses.create(model="demo-smart", input="Say hello.")
    assert answer.output_text
    assert answer.usage is not None
    assert ledger.single() == (answer.usage.input_tokens, answer.usage.output_tokens)


def test_a_streamed_response_arrives_whole(client: OpenAI, ledger: Watched) -> None:
    with client.responses.stream(model="demo-smart", input="Say hello.") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == final.output_text
    assert final.usage is not None
    assert ledger.single() == (final.usage.input_tokens, final.usage.output_tokens)


def test_embeddings_come_packed_or_plain(client: OpenAI, ledger: Watched) -> None:
    # The SDK asks for base64 by itself and unpacks it.
    packed = client.embeddings.create(model="demo-embed", input=["one text", "another"], dimensions=8)
    assert [len(entry.embedding) for entry in packed.data] == [8, 8]
    assert ledger.single() == (packed.usage.prompt_tokens, 0)
    plain = client.embeddings.create(
        model="demo-embed", input=["one text", "another"], dimensions=8, encoding_format="float"
    )
    assert plain.data[0].embedding == pytest.approx(packed.data[0].embedding, abs=1e-6)


def test_an_older_completion_is_answered_and_metered(client: OpenAI, ledger: Watched) -> None:
    answer = client.completions.create(model="demo-fast", prompt="def add(a, b):", suffix="return c", max_tokens=20)
    assert answer.choices[0].text
    assert answer.usage is not None
    assert ledger.single() == (answer.usage.prompt_tokens, answer.usage.completion_tokens)


def test_a_streamed_chat_completion_ends_with_its_usage(client: OpenAI, gateway: Gateway) -> None:
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "Say hello."}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


def test_the_gateway_prefix_serves_the_same(gateway: Gateway) -> None:
    with OpenAI(base_url=f"{gateway.url}/gateway/openai/v1", api_key=gateway.key, max_retries=0) as client:
        answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}])
    assert answer.choices[0].message.content


def test_the_list_of_models_is_what_the_key_may_call(client: OpenAI, gateway: Gateway) -> None:
    assert {model.id for model in client.models.list()} == {"claude-demo", "demo-embed", "demo-fast", "demo-smart"}
    assert client.models.retrieve("demo-smart").id == "demo-smart"


def test_a_wrong_key_is_an_authentication_error(gateway: Gateway) -> None:
    with (
        OpenAI(base_url=f"{gateway.url}/v1", api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.models.list()


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "Hi"}])
    assert caught.value.code == "model_not_found"
