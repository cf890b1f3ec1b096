"""The Anthropic SDK, unmodified, against the gateway."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import pytest
from anthropic import Anthropic
from anthropic.types import TextBlock

from clients.gateway import MODEL, Gateway, Watched


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Anthropic]:
    with Anthropic(base_url=gateway.url, api_key=gateway.key, max_retries=0) as client:
        yield client


def test_a_message_is_answered_and_metered(client: Anthropic, ledger: Watched) -> None:
    answer = client.messages.create(model=MODEL, max_tokens=200, messages=[{"role": "user", "content": "Say hello."}])
    assert isinstance(answer.content[0], TextBlock)
    assert answer.content[0].text
    assert ledger.single() == (answer.usage.input_tokens, answer.usage.output_tokens)


def test_a_streamed_message_arrives_whole(client: Anthropic, gateway: Gateway) -> None:
    with client.messages.stream(
        model=MODEL, max_tokens=200, messages=[{"role": "user", "content": "Say hello."}]
    ) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text
    assert final.stop_reason is not None
    assert final.usage.output_tokens > 0


def test_tokens_are_counted_before_a_call(client: Anthropic) -> None:
    counted = client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "Say hello."}])
    assert counted.input_tokens > 0


def test_the_list_of_models_is_what_the_key_may_call(client: Anthropic, gateway: Gateway) -> None:
    shown = {model.id: model.display_name for model in client.models.list()}
    assert shown.keys() == {"claude-demo", "claude-demo-fast", "claude-demo-smart", "demo-fast", "demo-smart"}
    assert client.models.retrieve("claude-demo-fast").display_name == shown["demo-fast"]


def test_a_wrong_key_is_an_authentication_error(gateway: Gateway) -> None:
    with (
        Anthropic(base_url=gateway.url, api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.models.list()


def test_an_unknown_model_is_not_found(client: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="no-such-model", max_tokens=10, messages=[{"role": "user", "content": "Hi"}])
