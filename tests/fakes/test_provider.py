"""The fake provider does what it is told, since every other test believes it."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakes.provider import Outcome, Provider
from fakes.script import Step, UsageFault, broken_json, html_page, rate_limited

TARGETS = ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/completions")
CHAT = "/v1/chat/completions"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider() as provider:
        yield provider


@pytest.fixture
async def client(provider: Provider) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=provider.url) as client:
        yield client


def body(text: str = "hi", **more: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": text}]
    return {"model": "m", "messages": turns, "input": turns, "prompt": text, "max_tokens": 9, **more}


def streamed(text: str = "hi", **more: Any) -> dict[str, Any]:
    return body(text, stream=True, stream_options={"include_usage": True}, **more)


def usage_of(document: Any) -> Any:
    for owner in (document, document.get("message") or {}, document.get("response") or {}):
        if "usage" in owner:
            return owner["usage"]
    return "absent"


def usages(raw: str) -> list[Any]:
    lines = [line[6:] for line in raw.splitlines() if line.startswith("data: {")]
    return [found for line in lines if (found := usage_of(json.loads(line))) not in ("absent", None)]


async def test_every_request_is_remembered(provider: Provider, client: httpx.AsyncClient) -> None:
    await client.post(CHAT + "?beta=true", json=body(), headers={"X-Trace": "one"})
    [seen] = provider.log
    assert (seen.method, seen.target, seen.path) == ("POST", CHAT + "?beta=true", CHAT)
    assert seen.header("x-trace") == "one"
    assert seen.header("absent") is None
    assert seen.json == body()
    assert (seen.status, seen.outcome, seen.disconnected) == (200, Outcome.COMPLETE, False)
    provider.reset()
    assert provider.log == []


@pytest.mark.parametrize("target", TARGETS)
async def test_figures_are_fixed_and_distinct(client: httpx.AsyncClient, target: str) -> None:
    usage = (await client.post(target, json=body())).json()["usage"]
    if target == "/v1/messages":
        assert usage["input_tokens"] == 11
        assert usage["cache_creation"] == {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 2}
        assert usage["cache_read_input_tokens"] == 100
        assert (usage["output_tokens"], usage["output_tokens_details"]) == (17, {"thinking_tokens": 4})
    else:
        assert (usage.get("prompt_tokens") or usage["input_tokens"]) == 118
        assert usage["total_tokens"] == 135
        details = usage.get("prompt_tokens_details") or usage["input_tokens_details"]
        assert details == {"cached_tokens": 100, "cache_write_tokens": 7}
        assert 4 in (usage.get("completion_tokens_details") or usage["output_tokens_details"]).values()
    assert usages((await client.post(target, json=streamed())).text)[-1].items() <= usage.items()


async def test_gemini_has_the_same_figures_in_its_own_words(client: httpx.AsyncClient) -> None:
    asked = {"contents": [{"parts": [{"text": "[[say:one two]] [[chunks:3]]"}]}]}
    usage = (await client.post("/v1beta/models/m:generateContent", json=asked)).json()["usageMetadata"]
    assert usage == {
        "promptTokenCount": 118,
        "cachedContentTokenCount": 100,
        "candidatesTokenCount": 13,
        "thoughtsTokenCount": 4,
        "totalTokenCount": 135,
    }
    found = await client.post("/v1beta/models/m:streamGenerateContent?alt=sse", json=asked)
    pieces = [json.loads(line[6:]) for line in found.text.splitlines() if line.startswith("data: ")]
    assert len(pieces) == 3
    assert pieces[-1]["usageMetadata"] == usage
    assert (await client.post("/v1beta/models/m:countTokens", json=asked)).json() == {"totalTokens": 42}
    failed = {"contents": [{"parts": [{"text": "[[midfail]]"}]}]}
    found = await client.post("/v1beta/models/m:streamGenerateContent?alt=sse", json=failed)
    assert json.loads(found.text.rstrip().rpartition("data: ")[2])["error"]["status"] == "UNAVAILABLE"


async def test_side_endpoints(client: httpx.AsyncClient) -> None:
    embedded = (await client.post("/v1/embeddings", json={"model": "m", "input": ["a", "b"]})).json()
    assert (len(embedded["data"]), embedded["usage"]["prompt_tokens"]) == (2, 7)
    assert (await client.post("/v1/messages/count_tokens", json=body())).json() == {"input_tokens": 42}
    assert (await client.get("/v1/models")).json()["first_id"] == "claude-test"
    assert (await client.get("/nowhere")).status_code == 404
    assert (await client.get("/v1/responses", headers={"upgrade": "websocket"})).status_code == 426


@pytest.mark.parametrize("target", TARGETS)
async def test_directives_for_text(client: httpx.AsyncClient, target: str) -> None:
    found = await client.post(target, json=streamed("x [[say:one two three]] [[chunks:4]] [[heartbeat:2]]"))
    assert found.text.startswith(": keep-alive\n\n: keep-alive\n\n")
    assert "one two three" in (await client.post(target, json=body("[[say:one two three]]"))).text
    deltas = [line for line in found.text.splitlines() if '"one' in line or '" tw' in line or 'ee"' in line]
    assert len(deltas) >= 2


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_directive_for_a_tool(client: httpx.AsyncClient, target: str) -> None:
    tool = {"type": "function", "name": "f", "function": {"name": "f"}}
    asked = 'x [[tool:f {"say": "[[say:no]]"}]]'
    called = await client.post(target, json=body(asked, tools=[tool]))
    assert "[[say:no]]" in called.text
    turns: list[Any] = [{"role": "user", "content": asked}]
    if target == "/v1/messages":
        turns.append({"role": "user", "content": [{"type": "tool_result", "content": "ok"}]})
    elif target == "/v1/responses":
        turns.append({"type": "function_call_output", "call_id": "c", "output": "ok"})
    else:
        turns.append({"role": "tool", "tool_call_id": "c", "content": "ok"})
    after = await client.post(target, json={**body(tools=[tool]), "messages": turns, "input": turns})
    assert "done after tool" in after.text


async def test_directive_for_usage_nobody_asked_for(client: httpx.AsyncClient) -> None:
    assert usages((await client.post(CHAT, json=body(stream=True))).text) == []
    assert len(usages((await client.post(CHAT, json=body("[[usage]]", stream=True))).text)) == 1


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/v1/chat/completions", '"error":{"message"'),
        ("/v1/messages", "event: error"),
        ("/v1/responses", "response.failed"),
    ],
)
async def test_failing_in_the_middle(client: httpx.AsyncClient, target: str, kind: str) -> None:
    text = (await client.post(target, json=streamed("[[midfail:custom_code]]"))).text
    assert "hello from" in text
    last = text.removesuffix("\n\n").split("\n\n")[-1]
    assert kind in last
    assert "custom_code" in last


@pytest.mark.parametrize("target", TARGETS)
async def test_cutting_in_the_middle(provider: Provider, client: httpx.AsyncClient, target: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post(target, json=streamed("[[cut]]"))
    assert provider.log[0].outcome is Outcome.CUT


async def test_delay_between_pieces(client: httpx.AsyncClient) -> None:
    started = asyncio.get_running_loop().time()
    await client.post(CHAT, json=streamed("[[chunks:3]] [[delay:0.03]]"))
    assert asyncio.get_running_loop().time() - started >= 0.09


@pytest.mark.parametrize(
    ("target", "kind"), [("/v1/messages", "rate_limit_error"), ("/v1/chat/completions", "requests")]
)
async def test_scripted_refusals_come_in_order_and_run_out(
    provider: Provider, client: httpx.AsyncClient, target: str, kind: str
) -> None:
    provider.next(rate_limited(7), Step(status=529, message="busy", times=2))
    first = await client.post(target, json=body())
    assert (first.status_code, first.headers["retry-after"], first.json()["error"]["type"]) == (429, "7", kind)
    rest = [await client.post(target, json=body()) for _ in range(3)]
    assert [answer.status_code for answer in rest] == [529, 529, 200]
    assert rest[0].json()["error"]["message"] == "busy"
    assert (await client.post(target, json=body("[[status:401]]"))).status_code == 401


async def test_bodies_that_are_no_answer(provider: Provider, client: httpx.AsyncClient) -> None:
    provider.next(html_page(), broken_json(), Step(status=502, body=b"", headers={"content-type": "text/plain"}))
    page = await client.post(CHAT, json=body())
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    with pytest.raises(json.JSONDecodeError):
        (await client.post(CHAT, json=body())).json()
    empty = await client.post(CHAT, json=body())
    assert (empty.status_code, empty.content, empty.headers["content-type"]) == (502, b"", "text/plain")


@pytest.mark.parametrize("reset", [False, True])
async def test_hanging_up_before_any_byte(provider: Provider, client: httpx.AsyncClient, reset: bool) -> None:
    provider.next(Step(hang_up=True, reset=reset))
    with pytest.raises(httpx.ReadError if reset else httpx.RemoteProtocolError):
        await client.post(CHAT, json=body())
    assert provider.log[0].outcome is Outcome.CUT


async def test_refusing_connections_and_coming_back(provider: Provider) -> None:
    url = provider.url
    await provider.stop()
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)
        await provider.start()
        assert (await client.get(f"{url}/v1/models")).status_code == 200


@pytest.mark.parametrize("framing", ["chunked", "length"])
@pytest.mark.parametrize("after", [0, 1, 50])
async def test_cutting_at_a_byte(provider: Provider, client: httpx.AsyncClient, framing: Any, after: int) -> None:
    provider.next(Step(cut_after=after, framing=framing))
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post(CHAT, json=body())
    assert (provider.log[0].sent, provider.log[0].outcome) == (after, Outcome.CUT)


@pytest.mark.parametrize(
    ("framing", "header"),
    [
        ("chunked", "transfer-encoding"),
        ("length", "content-length"),
        ("close", "connection"),
        ("usual", "content-length"),
    ],
)
async def test_framing_of_whole_answers(
    provider: Provider, client: httpx.AsyncClient, framing: Any, header: str
) -> None:
    provider.next(Step(framing=framing))
    answer = await client.post(CHAT, json=body())
    assert answer.json()["object"] == "chat.completion"
    assert {"transfer-encoding", "content-length", "connection"} & set(answer.headers) == {header}


async def test_stream_without_any_framing_ends_with_the_connection(
    provider: Provider, client: httpx.AsyncClient
) -> None:
    provider.next(Step(framing="close"))
    assert (await client.post(CHAT, json=streamed())).text.endswith("data: [DONE]\n\n")


async def test_gzip(provider: Provider, client: httpx.AsyncClient) -> None:
    provider.next(Step(gzip=True, times=2))
    async with client.stream("POST", CHAT, json=body()) as whole:
        raw = b"".join([part async for part in whole.aiter_raw()])
    assert whole.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(raw))["object"] == "chat.completion"
    stream = await client.post(CHAT, json=streamed())
    assert stream.headers["content-encoding"] == "gzip"
    assert stream.text.endswith("data: [DONE]\n\n")


async def test_line_ends_and_pieces_of_one_byte(provider: Provider, client: httpx.AsyncClient) -> None:
    provider.next(Step(crlf=True, split=1))
    async with client.stream("POST", "/v1/messages", json=streamed()) as answer:
        parts = [part async for part in answer.aiter_raw()]
    text = b"".join(parts).decode()
    assert text.count("\r\n\r\n") == text.count("data: ")
    assert "\n" not in text.replace("\r\n", "")
    assert len(parts) > 100


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "judge"),
    [
        (UsageFault.MISSING, lambda found: found == []),
        (UsageFault.NULL, lambda found: found == []),
        (UsageFault.NULL_COUNTS, lambda found: set(found) == {None}),
        (UsageFault.NEGATIVE, lambda found: found and all(n <= 0 for n in found)),
        (UsageFault.HUGE, lambda found: found and all(n >= 10**18 for n in found)),
        (UsageFault.TEXT, lambda found: found and all(isinstance(n, str) for n in found)),
    ],
)
async def test_spoiled_usage(
    provider: Provider, client: httpx.AsyncClient, target: str, stream: bool, fault: UsageFault, judge: Any
) -> None:
    provider.next(Step(usage=fault))
    answer = await client.post(target, json=streamed() if stream else body())
    found = usages(answer.text) if stream else [answer.json().get("usage")]
    assert judge([n for usage in found if usage for n in _counts(usage)])


async def test_usage_that_is_split_over_a_message_stream(provider: Provider, client: httpx.AsyncClient) -> None:
    provider.next(Step(usage=UsageFault.ONLY_IN_FIRST_EVENT), Step(usage=UsageFault.ONLY_OUTPUT_AT_END))
    first = usages((await client.post("/v1/messages", json=streamed())).text)
    assert [usage["input_tokens"] for usage in first] == [11]
    start, end = usages((await client.post("/v1/messages", json=streamed())).text)
    assert (start["input_tokens"], end) == (11, {"output_tokens": 17, "output_tokens_details": {"thinking_tokens": 4}})


async def test_stalls(provider: Provider) -> None:
    async with httpx.AsyncClient(base_url=provider.url, timeout=0.05) as client:
        for step in (Step(stall_before=60), Step(stall_after=60)):
            provider.next(step)
            with pytest.raises(httpx.ReadTimeout):
                await client.post(CHAT, json=body())
    assert [await exchange.ended() for exchange in provider.log] == [Outcome.DISCONNECTED] * 2
    assert [exchange.status for exchange in provider.log] == [0, 200]


@pytest.mark.parametrize("kind", ["events", "line"])
async def test_endless_stream_sees_the_client_leave(provider: Provider, client: httpx.AsyncClient, kind: Any) -> None:
    provider.next(Step(endless=kind))
    async with client.stream("POST", CHAT, json=streamed()) as answer:
        size = 0
        async for part in answer.aiter_raw():
            size += len(part)
            if size > 5_000:
                break
    assert await provider.log[0].ended() is Outcome.DISCONNECTED
    assert provider.log[0].disconnected
    assert provider.open_connections == 0


async def test_connections_are_kept_and_counted(provider: Provider, client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await client.post(CHAT, json=streamed())
    assert (provider.connections, provider.open_connections) == (1, 1)
    assert {exchange.connection for exchange in provider.log} == {1}


async def test_by_hand() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.provider", "--port", "0", stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{url}/v1/models")).status_code == 200
    process.terminate()
    await process.wait()


def _counts(usage: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for name, value in usage.items():
        if isinstance(value, dict):
            found += _counts(value)
        elif name != "service_tier":
            found.append(value)
    return found
