"""What a call costs equals what the provider reported, to the token, and the caller's bytes are the provider's."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from fakes.wire import (
    CHAT_DONE,
    CHAT_EVENTS,
    CHAT_USAGE,
    MESSAGE_END,
    MESSAGE_EVENTS,
    OPENAI_USAGE,
    chunk,
    completion,
    events,
    message,
    named,
    text_chunk,
    text_delta,
    typed,
    whole,
)
from gateway.bench import CHAT, CREDENTIAL, MESSAGES, Bench, chat, messages
from sluicegate.domain.policy import Dimension
from sluicegate.domain.usage import CallRecord

# Of the figures in `provider`: fresh, read, written for 5 minutes, for an hour, out; times the bench's prices.
OPENAI_COST = 11 * 3_000 + 100 * 300 + 7 * 3_750 + 17 * 15_000
ANTHROPIC_COST = 11 * 3_000 + 100 * 300 + 5 * 3_750 + 2 * 6_000 + 17 * 15_000


def tokens(record: CallRecord) -> tuple[int, ...]:
    return (
        record.input_tokens,
        record.cache_read_tokens,
        record.cache_write_5m_tokens,
        record.cache_write_1h_tokens,
        record.output_tokens,
        record.reasoning_tokens,
    )


async def test_a_whole_chat_answer_is_billed_to_the_token(bench: Bench) -> None:
    bench.provider.next(whole(completion()))
    answer = await bench.client.post(CHAT, json=chat())
    assert answer.status_code == 200
    assert answer.json() == completion()
    record = await bench.only_call()
    assert tokens(record) == (11, 100, 7, 0, 17, 4)
    assert record.cost_nanos == OPENAI_COST
    assert (record.outcome, record.status, record.estimated, record.stream) == ("ok", 200, False, False)
    assert (record.model_slug, record.provider_name, record.provider_model) == ("team-gpt", "acme", "acme-model")
    assert (record.endpoint, record.user_label) == ("chat.completions", "Ada <ada@example.com>")
    assert answer.headers["x-request-id"] == record.call_id
    assert await bench.used(Dimension.INPUT_TOKENS) == 18
    assert await bench.used(Dimension.OUTPUT_TOKENS) == 17


async def test_a_whole_message_is_billed_to_the_token(bench: Bench) -> None:
    bench.provider.next(whole(message()))
    answer = await bench.client.post(MESSAGES, json=messages())
    assert answer.json() == message()
    record = await bench.only_call()
    assert tokens(record) == (11, 100, 5, 2, 17, 4)
    assert (record.cost_nanos, record.estimated, record.endpoint) == (ANTHROPIC_COST, False, "messages")
    assert answer.headers["request-id"] == answer.headers["x-request-id"] == record.call_id


async def test_a_message_stream_passes_byte_for_byte(bench: Bench) -> None:
    bench.provider.next(events(*MESSAGE_EVENTS))
    answer = await bench.client.post(MESSAGES, json=messages(stream=True))
    assert answer.content == b"".join(MESSAGE_EVENTS)
    assert answer.headers["content-type"] == "text/event-stream"
    record = await bench.only_call()
    assert tokens(record) == (11, 100, 5, 2, 17, 4)
    assert (record.cost_nanos, record.estimated, record.stream) == (ANTHROPIC_COST, False, True)
    assert record.first_byte_ms is not None


async def test_usage_is_asked_for_and_hidden_from_a_caller_who_did_not_ask(bench: Bench) -> None:
    bench.provider.next(events(*CHAT_EVENTS, CHAT_USAGE, CHAT_DONE))
    answer = await bench.client.post(CHAT, json=chat(stream=True))
    assert bench.provider.log[0].json["stream_options"] == {"include_usage": True}
    assert answer.content == b"".join(CHAT_EVENTS) + CHAT_DONE
    assert tokens(await bench.only_call()) == (11, 100, 7, 0, 17, 4)


async def test_usage_reaches_a_caller_who_asked(bench: Bench) -> None:
    bench.provider.next(events(*CHAT_EVENTS, CHAT_USAGE, CHAT_DONE))
    answer = await bench.client.post(CHAT, json=chat(stream=True, stream_options={"include_usage": True}))
    assert answer.content == b"".join(CHAT_EVENTS) + CHAT_USAGE + CHAT_DONE
    record = await bench.only_call()
    assert (tokens(record), record.cost_nanos) == ((11, 100, 7, 0, 17, 4), OPENAI_COST)


async def test_other_stream_options_are_kept(bench: Bench) -> None:
    await bench.client.post(CHAT, json=chat(stream=True, stream_options={"include_obfuscation": False}))
    assert bench.provider.log[0].json["stream_options"] == {"include_obfuscation": False, "include_usage": True}


async def test_usage_on_a_chunk_with_content_is_read_and_kept(bench: Bench) -> None:
    last = chunk([{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}], usage=OPENAI_USAGE)
    bench.provider.next(events(text_chunk("hello"), last, CHAT_DONE))
    answer = await bench.client.post(CHAT, json=chat(stream=True))
    assert last in answer.content
    assert (await bench.only_call()).output_tokens == 17


async def test_only_the_model_name_of_a_body_changes(bench: Bench) -> None:
    raw = b'{"z": [1,  2.50, 1e3], "model":"team-claude", "messages": [{"role": "user","content":"\\u00fc"}]}'
    await bench.client.post(MESSAGES, content=raw, headers={"content-type": "application/json"})
    sent = bench.provider.log[0].body
    assert sent.replace(b"zeta-model", b"team-claude") == (
        b'{"z":[1,  2.50, 1e3],"model":"team-claude","messages":[{"role": "user","content":"\\u00fc"}]}'
    )


async def test_headers_pass_except_the_callers_secrets_and_whereabouts(bench: Bench) -> None:
    await bench.client.post(
        f"{MESSAGES}?beta=true&key=abc",
        json=messages(),
        headers={
            "anthropic-beta": "a-2026,b-2026",
            "x-unknown": "kept",
            "cookie": "session=1",
            "x-forwarded-for": "10.1.1.1",
            "x-client-app": "bot",
            "x-project": "apollo",
            "openai-organization": "org-other",
            "connection": "keep-alive, x-private",
            "x-private": "hop",
        },
    )
    asked = bench.provider.log[0]
    assert asked.target == "/v1/messages?beta=true"
    kept = {name: asked.header(name) for name in ("anthropic-beta", "x-unknown", "anthropic-version", "x-api-key")}
    assert kept == {
        "anthropic-beta": "a-2026,b-2026",
        "x-unknown": "kept",
        "anthropic-version": "2023-06-01",
        "x-api-key": "sk-zeta",
    }
    dropped = {"authorization", "cookie", "x-forwarded-for", "x-client-app", "x-project", "x-private"}
    assert not dropped & {name.decode() for name, _ in asked.headers}
    assert asked.header("openai-organization") is None
    assert asked.header("accept-encoding") == "identity"
    assert asked.header("host") == f"127.0.0.1:{bench.provider.port}"
    assert CREDENTIAL.text not in repr(asked.headers)


async def test_an_answer_loses_what_describes_the_shared_account(bench: Bench) -> None:
    bench.provider.next(
        whole(
            completion(),
            **{
                "x-ratelimit-remaining-tokens": "5",
                "anthropic-ratelimit-requests-limit": "9",
                "set-cookie": "a=b",
                "openai-organization": "org",
                "x-request-id": "up-1",
                "x-kept": "yes",
            },
        )
    )
    answer = await bench.client.post(CHAT, json=chat())
    assert answer.headers["x-kept"] == "yes"
    assert answer.headers["x-upstream-request-id"] == "up-1"
    for name in ("x-ratelimit-remaining-tokens", "anthropic-ratelimit-requests-limit", "set-cookie"):
        assert name not in answer.headers
    assert "openai-organization" not in answer.headers


async def test_attribution_is_kept(bench: Bench) -> None:
    headers = {
        "user-agent": "claude-cli/2.1.330 (external, sdk-cli)",
        "x-project": "apollo",
        "x-claude-code-session-id": "s" * 300,
    }
    await bench.client.post(MESSAGES, json=messages(), headers=headers)
    record = await bench.only_call()
    assert (record.client_app, record.project, record.session_id) == ("claude-code", "apollo", "s" * 100)


async def test_count_tokens_is_forwarded_and_costs_nothing(bench: Bench) -> None:
    answer = await bench.client.post(f"{MESSAGES}/count_tokens?beta=true", json=messages())
    assert answer.json() == {"input_tokens": 42}
    assert bench.provider.log[0].target == "/v1/messages/count_tokens?beta=true"
    assert bench.provider.log[0].json["model"] == "zeta-model"
    assert await bench.ledger() == []
    assert await bench.used(Dimension.REQUESTS) == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_a_compressed_answer_can_be_read_and_is_metered(bench: Bench, stream: bool) -> None:
    plain = b"".join(MESSAGE_EVENTS) if stream else json.dumps(message()).encode()
    kind = "text/event-stream" if stream else "application/json"
    bench.provider.next(typed(kind, gzip.compress(plain), **{"content-encoding": "gzip"}))
    answer = await bench.client.post(MESSAGES, json=messages(stream=stream))
    assert answer.content == plain
    # What the gateway may have to say at the end of a stream could not follow compressed bytes.
    assert ("content-encoding" in answer.headers) is not stream
    record = await bench.only_call()
    assert (tokens(record), record.estimated) == ((11, 100, 5, 2, 17, 4), False)


async def test_rounds_after_a_compaction_are_summed(bench: Bench) -> None:
    rounds = [
        {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500},
        {"type": "message", "input_tokens": 23_000, "cache_read_input_tokens": 5, "output_tokens": 1_000},
    ]
    usage = {"input_tokens": 23_000, "output_tokens": 1_000, "iterations": rounds}
    bench.provider.next(whole(message(usage=usage)))
    await bench.client.post(MESSAGES, json=messages())
    assert tokens(await bench.only_call()) == (203_000, 5, 0, 0, 4_500, 0)


ABSURD: list[Any] = [
    None,
    "many",
    [],
    {},
    {"prompt_tokens": -1, "completion_tokens": 5},
    {"prompt_tokens": 10, "completion_tokens": 10**12},
    {"prompt_tokens": "10", "completion_tokens": 5},
    {"prompt_tokens": True, "completion_tokens": 5},
    {"prompt_tokens": 1.5, "completion_tokens": 5},
    {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 11}},
    {"prompt_tokens": 0, "completion_tokens": 0},
]


@pytest.mark.parametrize("usage", ABSURD)
async def test_usage_that_cannot_be_is_estimated(bench: Bench, usage: Any) -> None:
    bench.provider.next(whole(completion(usage=usage)))
    body = json.dumps(chat()).encode()
    answer = await bench.client.post(CHAT, content=body)
    assert answer.status_code == 200
    record = await bench.only_call()
    assert record.estimated
    # A quarter of the request's bytes, and of "hello from the provider".
    assert tokens(record) == (len(body) // 4, 0, 0, 0, 6, 0)
    assert record.cost_nanos > 0


async def test_absurd_output_in_a_stream_keeps_the_input_that_was_reported(bench: Bench) -> None:
    stream = b"".join(MESSAGE_EVENTS).replace(b'"output_tokens": 17', b'"output_tokens": -3')
    bench.provider.next(events(stream))
    await bench.client.post(MESSAGES, json=messages(stream=True))
    record = await bench.only_call()
    assert record.estimated
    assert tokens(record)[:4] == (11, 100, 5, 2)
    assert record.output_tokens == 3


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("last", [{}, {"output_tokens": None}, {"output_tokens": 0}])
async def test_the_output_that_a_stream_begins_with_is_not_what_was_written(
    bench: Bench, path: str, last: dict[str, Any]
) -> None:
    text, ends = text_delta("hello world, "), named("message_delta", delta={"stop_reason": "end_turn"}, usage=last)
    bench.provider.next(events(*MESSAGE_EVENTS[:3], *[text] * 40, MESSAGE_END[0], ends, MESSAGE_END[-1]))
    body = messages(stream=True) if path is MESSAGES else chat(model="team-claude", stream=True)
    answer = await bench.client.post(path, json=body)
    assert answer.status_code == 200
    record = await bench.only_call()
    assert (record.outcome, record.estimated) == ("ok", True)
    assert tokens(record)[:5] == (11, 100, 5, 2, 130)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_zeros_at_the_end_of_a_stream_do_not_undo_its_input(bench: Bench, path: str) -> None:
    zeros = dict.fromkeys(("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"), 0)
    ends = named("message_delta", delta={"stop_reason": "end_turn"}, usage={**zeros, "output_tokens": 17})
    bench.provider.next(events(*MESSAGE_EVENTS[:5], MESSAGE_END[0], ends, MESSAGE_END[-1]))
    body = messages(stream=True) if path is MESSAGES else chat(model="team-claude", stream=True)
    await bench.client.post(path, json=body)
    record = await bench.only_call()
    assert (tokens(record)[:5], record.estimated) == ((11, 100, 5, 2, 17), False)


@pytest.mark.parametrize("usage", [{"completion_tokens": 17}, {"prompt_tokens": 0, "completion_tokens": 17}])
async def test_output_counts_though_the_input_is_missing(bench: Bench, usage: dict[str, int]) -> None:
    bench.provider.next(whole(completion(usage=usage)))
    body = json.dumps(chat()).encode()
    await bench.client.post(CHAT, content=body)
    record = await bench.only_call()
    assert (tokens(record), record.estimated) == ((len(body) // 4, 0, 0, 0, 17, 0), True)


async def test_images_count_flat(bench: Bench) -> None:
    await bench.set_limits(input_tokens=10_000)
    url = "data:image/png;base64," + "iVBORw0K" * 100_000
    image = {"type": "image_url", "image_url": {"url": url}}
    answer = await bench.client.post(CHAT, json=chat(messages=[{"role": "user", "content": [image]}]))
    assert answer.status_code == 200
    bench.provider.next(whole(completion(usage=None)))
    await bench.client.post(CHAT, json=chat(messages=[{"role": "user", "content": [image]}]))
    assert 1_600 <= (await bench.ledger())[0].input_tokens < 1_700
