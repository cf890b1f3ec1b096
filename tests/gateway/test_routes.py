"""Which paths are served, in which dialect, and what everything else is told."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.bench import CHAT, CREDENTIAL, GENERATE, MESSAGES, Bench, chat, contents, messages
from gateway.test_refusals import anthropic_error, bare, openai_error
from sluicegate.domain.catalog import ProviderKind

pytestmark = pytest.mark.any_stack

ANTHROPIC = {"anthropic-version": "2023-06-01"}
TWENTY_MEGABYTES = 20 * 1024 * 1024


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/audio/speech", 404),
        ("POST", "/gateway/openai/v1/messages", 404),
        ("POST", "/gateway/openai/v1/chat/completions/", 404),
        ("POST", "/v1/v1/messages", 404),
        ("POST", "/gateway/anthropic/v1/../../openai/v1/batches", 404),
        ("GET", CHAT, 405),
        ("DELETE", "/v1/models", 405),
        ("DELETE", "/v1/models/team-gpt", 405),
        ("POST", "/v1/chat%2Fcompletions2", 404),
    ],
)
async def test_other_routes_reach_nobody(bench: Bench, method: str, path: str, status: int) -> None:
    answer = await bench.client.request(method, path, json=chat())
    assert answer.status_code == status
    assert openai_error(answer)["type"] == "invalid_request_error"
    answer = await bench.client.request(method, path, json=chat(), headers=ANTHROPIC)
    assert answer.status_code == status
    await bench.assert_untouched()


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/chat/completions", "Add '/v1' to"),
        ("/responses", "Add '/v1' to"),
        ("/messages", "Add '/v1' to"),
        ("/gateway/openai/embeddings", "Add '/v1' to"),
        ("/v1/v1/messages", "Leave '/v1' out of"),
        ("//v1/chat/completions", "Leave the '/' at the end out of"),
        ("/v1//messages", "Leave the '/' at the end out of"),
    ],
)
async def test_a_base_url_that_is_not_right_is_told_of(bench: Bench, path: str, hint: str) -> None:
    url = f"http://127.0.0.1:{bench.port}{path}"
    for headers in ({}, ANTHROPIC):
        answer = await bench.client.post(url, json=chat(), headers=headers)
        assert answer.status_code == 404
        message = answer.json()["error"]["message"]
        assert message.endswith(f"{hint} the client's base URL.")
    assert openai_error(await bench.client.post(url, json=chat()))["code"] == "route_not_found"
    await bench.assert_untouched()


async def test_both_roots_serve_both_protocols(bench: Bench) -> None:
    assert (await bench.client.post("/gateway/openai/v1/chat/completions", json=chat())).status_code == 200
    assert (await bench.client.post("/gateway/anthropic/v1/messages", json=messages())).status_code == 200
    assert len(await bench.ledger()) == 2


@pytest.mark.parametrize("slug", ["team-gpt", "same-name"])
async def test_of_a_field_named_twice_a_provider_gets_the_one_that_was_decided_on(bench: Bench, slug: str) -> None:
    await bench.add_model("same-name", ProviderKind.CUSTOM_OPENAI, "same-name")
    told = json.dumps(chat(model=slug))[1:-1]
    body = '{"model":"hidden","max_tokens":9000000,"\\u006dodel":"hidden",' + told + ',"max_tokens":5}'
    answer = await bench.client.post(CHAT, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    fields = dict(each_once(bench.provider.log[-1].body))
    assert (fields["max_tokens"], fields["model"]) == (5, (await bench.only_call()).provider_model)


async def test_of_a_gemini_field_named_twice_a_provider_gets_the_last(bench: Bench) -> None:
    body = '{"generationConfig":{"maxOutputTokens":9000000},' + json.dumps(contents(generationConfig={"topK": 3}))[1:]
    answer = await bench.client.post(GENERATE, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert dict(each_once(bench.provider.log[-1].body))["generationConfig"] == {"topK": 3}


def each_once(body: bytes) -> list[tuple[str, Any]]:
    """The fields of an object, none of which is named twice."""
    whole: list[tuple[str, Any]] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        whole[:] = pairs
        return dict(pairs)

    json.loads(body, object_pairs_hook=keep)
    assert len(dict(whole)) == len(whole), whole
    return whole


@pytest.mark.parametrize("path", ["/", "/api/hello"])
async def test_probes_need_no_key(bench: Bench, path: str) -> None:
    async with bare(bench) as client:
        assert (await client.head(path)).status_code == 200


async def test_a_web_socket_is_told_to_use_http(bench: Bench) -> None:
    headers = {"authorization": f"Bearer {CREDENTIAL.text}"}
    for path, status in (("/v1/responses", 426), ("/gateway/openai/v1/responses", 426), ("/v1/realtime", 404)):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{bench.port}{path}", additional_headers=headers, proxy=None)
        assert refused.value.response.status_code == status
    await bench.assert_untouched()


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(("path", "values"), [(CHAT, chat()), (MESSAGES, messages())])
async def test_twenty_megabytes_are_refused(bench: Bench, path: str, values: dict[str, Any], announced: bool) -> None:
    body = json.dumps(values | {"pad": "x" * TWENTY_MEGABYTES}).encode()

    async def pieces() -> Any:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    answer = await bench.client.post(path, content=body if announced else pieces())
    assert answer.status_code == 413
    if path == CHAT:
        assert openai_error(answer)["code"] == "invalid_request"
    else:
        assert anthropic_error(answer)["type"] == "request_too_large"
    await bench.assert_untouched()
    # The connection is still good.
    assert (await bench.client.post(CHAT, json=chat())).status_code == 200


async def test_a_stranger_gets_an_answer_before_sending_megabytes(bench: Bench) -> None:
    async with bare(bench) as client:
        answer = await client.post(CHAT, content=b"x" * TWENTY_MEGABYTES, headers={"x-api-key": "sg_wrong"})
    assert answer.status_code == 401


async def test_a_gzip_body_is_read(bench: Bench) -> None:
    body = gzip.compress(json.dumps(chat()).encode())
    answer = await bench.client.post(CHAT, content=body, headers={"content-encoding": "gzip"})
    assert answer.status_code == 200
    asked = bench.provider.log[0]
    assert asked.json["messages"] == chat()["messages"]
    assert asked.header("content-encoding") is None


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("zstd", b"(\xb5/\xfd", 415),
        ("br", b"x", 415),
        ("gzip, gzip", b"x", 415),
        ("gzip", b"no gzip at all", 400),
        ("gzip", gzip.compress(json.dumps(chat()).encode())[:-9], 400),
        ("gzip", gzip.compress(b"0" * TWENTY_MEGABYTES), 413),
        ("gzip", zlib.compress(b"{}"), 400),
    ],
    # Compressed bytes hold the time, and workers must agree on the names of tests.
    ids=["zstd", "brotli", "twice", "no-gzip", "cut-short", "bomb", "deflate"],
)
async def test_other_codings_are_refused(bench: Bench, coding: str, body: bytes, status: int) -> None:
    answer = await bench.client.post(CHAT, content=body, headers={"content-encoding": coding})
    assert (answer.status_code, openai_error(answer)["code"]) == (status, "invalid_request")
    await bench.assert_untouched()
