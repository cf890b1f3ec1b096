"""The pretended prompt cache bills as real ones do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from demo.calls import answer, ask
from sluicegate.adapters.demo import DemoUpstream
from sluicegate.adapters.demo.cache import PrefixCache
from sluicegate.adapters.demo.messages import read
from sluicegate.kit.clock import ManualClock

SHORT = {"type": "ephemeral"}
LONG = {"type": "ephemeral", "ttl": "1h"}


def block(text: str, mark: dict[str, str] | None = None) -> dict[str, Any]:
    return {"type": "text", "text": text, **({"cache_control": mark} if mark else {})}


def message(*turns: Any, system: list[Any] | None = None) -> dict[str, Any]:
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": turn} for i, turn in enumerate(turns)]
    return {"model": "demo-fast", "max_tokens": 5, "messages": messages, "system": system or []}


async def classes(demo: DemoUpstream, body: dict[str, Any]) -> tuple[int, int, int, int]:
    """Fresh, read, written for five minutes, written for an hour."""
    usage = (await answer(demo, "/v1/messages", body))["usage"]
    written = usage["cache_creation"]
    assert usage["cache_creation_input_tokens"] == sum(written.values())
    return (
        usage["input_tokens"],
        usage["cache_read_input_tokens"],
        written["ephemeral_5m_input_tokens"],
        written["ephemeral_1h_input_tokens"],
    )


async def test_written_first_and_read_afterwards(demo: DemoUpstream) -> None:
    body = message("x" * 40, system=[block("s" * 400, LONG), block("t" * 200, SHORT)])
    assert await classes(demo, body) == (10, 0, 50, 100)
    assert await classes(demo, body) == (10, 150, 0, 0)


async def test_the_mark_may_move_along_with_the_conversation(demo: DemoUpstream) -> None:
    assert await classes(demo, message([block("a" * 400, SHORT)])) == (0, 0, 100, 0)
    longer = message([block("a" * 400)], [block("b" * 40)], [block("c" * 80, SHORT)])
    assert await classes(demo, longer) == (0, 100, 30, 0)


async def test_a_string_and_its_block_are_the_same_prefix(demo: DemoUpstream) -> None:
    await classes(demo, message([block("a" * 400, SHORT)]))
    assert await classes(demo, message("a" * 400, [block("b" * 40, SHORT)])) == (0, 100, 10, 0)


async def test_another_model_or_another_beginning_has_no_part_in_it(demo: DemoUpstream) -> None:
    body = message([block("a" * 400, SHORT)])
    await classes(demo, body)
    assert await classes(demo, {**body, "model": "demo-smart"}) == (0, 0, 100, 0)
    assert await classes(demo, {**body, "system": "other"}) == (0, 0, 102, 0)


async def test_prefixes_expire(demo: DemoUpstream, clock: ManualClock) -> None:
    brief, lasting = message([block("a" * 400, SHORT)]), message([block("b" * 400, LONG)])
    await classes(demo, brief)
    await classes(demo, lasting)
    clock.advance(301)
    assert await classes(demo, brief) == (0, 0, 100, 0)
    assert await classes(demo, lasting) == (0, 100, 0, 0)


async def test_five_marks_are_refused(demo: DemoUpstream) -> None:
    status, raw = await ask(demo, "/v1/messages", message("x", system=[block("s", SHORT)] * 5))
    assert status == 400
    assert b"A maximum of 4 blocks with cache_control" in raw


def test_the_least_recently_used_prefix_goes_first(clock: ManualClock) -> None:
    cache = PrefixCache(clock, capacity=2)
    prompts = {name: read(_raw(message([block(name * 400, SHORT)]))) for name in "abc"}
    order = ["a", "b", "a", "c", "a", "b"]
    assert [cache.measure(prompts[name]).cache_read for name in order] == [0, 0, 100, 0, 100, 0]


@pytest.mark.parametrize("target", ["/v1/chat/completions", "/v1/responses"])
async def test_long_prefixes_are_cached_unasked_in_the_openai_dialects(demo: DemoUpstream, target: str) -> None:
    def body(*texts: str) -> dict[str, Any]:
        turns = [{"role": "user", "content": text} for text in texts]
        return {"model": "demo-fast", "messages": turns, "input": turns}

    async def cached(*texts: str) -> int:
        usage = (await answer(demo, target, body(*texts)))["usage"]
        details = usage.get("prompt_tokens_details") or usage["input_tokens_details"]
        return details["cached_tokens"]

    assert await cached("short") == await cached("short") == 0
    assert await cached("x" * 4400) == 0
    assert await cached("x" * 4400, "and then?") == 1024
    assert await cached("y" * 4400) == 0


async def test_pictures_are_not_weighed_by_their_bytes(demo: DemoUpstream) -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 100_000}}
    counted = await answer(demo, "/v1/messages/count_tokens", message([picture]))
    assert counted == {"input_tokens": 1600}


def _raw(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
