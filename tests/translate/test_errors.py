"""Errors of providers, told in the words of another protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluicegate.domain.catalog import Protocol
from sluicegate.gateway.stream.events import data_of, split_events
from translate.calls import asking, translator

_ANTHROPIC = b'{"type":"error","error":{"type":"%s","message":"%s"},"request_id":"r"}'
_OPENAI = b'{"error":{"message":"%s","type":"%s","param":null,"code":%s}}'


def told(caller: Protocol, status: int, body: bytes) -> Any:
    return json.loads(translator(asking(caller, "x"), caller).error(status, body, "call-1"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (529, "overloaded_error"),
    ],
)
def test_anthropic_clients_get_the_type_that_belongs_to_the_status(status: int, kind: str) -> None:
    body = told(Protocol.MESSAGES, status, _OPENAI % (b"what happened", b"x", b"null"))
    assert body == {"type": "error", "error": {"type": kind, "message": "what happened"}, "request_id": "call-1"}


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "invalid_request_error"), (429, "rate_limit_exceeded"), (529, "server_error")]
)
@pytest.mark.parametrize("caller", [Protocol.CHAT, Protocol.RESPONSES])
def test_openai_clients_get_the_type_by_which_they_decide_to_try_again(
    caller: Protocol, status: int, kind: str
) -> None:
    body = told(caller, status, _ANTHROPIC % (b"whatever_error", b"what happened"))
    assert body == {"error": {"message": "what happened", "type": kind, "param": None, "code": None}}


def test_a_prompt_that_is_too_long_is_told_in_the_words_by_which_clients_shorten_it() -> None:
    long = _OPENAI % (b"maximum context length is 8 tokens", b"invalid_request_error", b'"context_length_exceeded"')
    assert told(Protocol.MESSAGES, 400, long)["error"]["message"].startswith("prompt is too long: ")
    other = _ANTHROPIC % (b"invalid_request_error", b"prompt is too long: 9 tokens > 8 maximum")
    assert told(Protocol.CHAT, 400, other)["error"]["code"] == "context_length_exceeded"


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"[]", b"null", b'{"detail":"x"}', b'{"error":"plain"}']
)
@pytest.mark.parametrize("caller", list(Protocol))
def test_errors_that_are_none_of_a_protocols_still_become_one(caller: Protocol, body: bytes) -> None:
    message = told(caller, 502, body)["error"]["message"]
    assert message == ("plain" if b"plain" in body else "The model's provider answered with status 502.")


@pytest.mark.parametrize("body", [b"null", b"{}", b"nonsense", b'{"choices":[]}', b'{"choices":[{"message":4}]}'])
def test_an_answer_that_is_none_is_not_translated(body: bytes) -> None:
    assert translator(asking(Protocol.MESSAGES, "x"), Protocol.MESSAGES).answer(Protocol.CHAT, body) is None


@pytest.mark.parametrize(
    ("code", "kind"), [('"429"', "rate_limit_error"), ("404", "not_found_error"), ('"42"', "api_error")]
)
def test_the_code_of_an_error_inside_a_stream_may_be_its_status(code: str, kind: str) -> None:
    stream = translator(asking(Protocol.MESSAGES, "x"), Protocol.MESSAGES).stream(Protocol.CHAT)
    event = stream.feed(b'data: {"error":{"code":%s,"message":"what happened"}}\n\n' % code.encode())
    assert json.loads(data_of(split_events(event)[-1]))["error"]["type"] == kind


def test_an_answer_that_a_filter_took_whole_is_a_refusal_and_is_charged() -> None:
    body = (
        b'{"choices":[{"finish_reason":"content_filter","index":0}],"usage":{"prompt_tokens":9,"completion_tokens":5}}'
    )
    told = translator(asking(Protocol.MESSAGES, "x"), Protocol.MESSAGES).answer(Protocol.CHAT, body)
    assert told is not None
    answer = json.loads(told)
    assert (answer["content"], answer["stop_reason"], answer["usage"]["output_tokens"]) == ([], "refusal", 5)
